// A system call that may block, on a short-lived thread of its own: what the files of this target share.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The first member of what a thread is given, which comes from malloc. The thread owns it and the pipe's
/// writing end; the caller owns only the reading end. So either may end first and nothing is shared.
typedef struct {
  int pipe;
} thread_task;

/// Runs `run(task)` on a thread. Returns a descriptor, which does not block, that becomes readable when
/// `thread_finish` was called; or a negative errno, and the task is freed.
int32_t thread_start(void *(*run)(void *), thread_task *task);
/// The thread's last call: sends the result, at most PIPE_BUF bytes so that it arrives whole, and frees
/// the task.
void thread_finish(thread_task *task, const void *result, size_t length);
