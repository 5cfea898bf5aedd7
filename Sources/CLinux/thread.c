#define _GNU_SOURCE
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "CLinux.h"

enum { STACK_BYTES = 128 * 1024 };

// The thread starts with every signal blocked: the main thread's descriptor gets them all.
static int start(void *(*run)(void *), thread_task *task) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return error;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  error = pthread_create(&thread, &attributes, run, task);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

int32_t thread_start(void *(*run)(void *), thread_task *task) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) {
    int32_t error = -errno;
    free(task);
    return error;
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  task->pipe = ends[1];
  int error = start(run, task);
  if (error != 0) {
    close(ends[0]);
    close(ends[1]);
    free(task);
    return -error;
  }
  return ends[0];
}

void thread_finish(thread_task *task, const void *result, size_t length) {
  linux_write(task->pipe, result, length);
  close(task->pipe);
  free(task);
}
