#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "thread.h"

int32_t linux_open(const char *path, int32_t write) {
  int file = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  return file < 0 ? -errno : file;
}

int64_t linux_file_group(const char *path) {
  struct stat status;
  if (stat(path, &status) < 0) return -errno;
  return (status.st_mode & 0060) == 0060 ? (int64_t)status.st_gid : -EACCES;
}

int32_t linux_create_new(const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  return file < 0 ? -errno : file;
}

int64_t linux_read(int32_t descriptor, void *buffer, size_t capacity) {
  ssize_t count;
  do count = read(descriptor, buffer, capacity);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

int64_t linux_write(int32_t descriptor, const void *bytes, size_t length) {
  ssize_t count;
  do count = write(descriptor, bytes, length);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

// close(2) releases the descriptor even when it reports EINTR, so it is never repeated.
int32_t linux_close(int32_t descriptor) { return close(descriptor) < 0 ? -errno : 0; }

int64_t linux_read_file(const char *path, void *buffer, size_t capacity) {
  int32_t file = linux_open(path, 0);
  if (file < 0) return file;
  size_t length = 0;
  int64_t result = 0;
  while (length < capacity) {
    result = linux_read(file, (uint8_t *)buffer + length, capacity - length);
    if (result <= 0) break;
    length += (size_t)result;
  }
  linux_close(file);
  return result < 0 ? result : (int64_t)length;
}

// Truncated, for sysfs does not care and a plain file in its place would keep the end of a longer value.
int64_t linux_write_file(const char *path, const void *bytes, size_t length) {
  int file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return -errno;
  int64_t result = linux_write(file, bytes, length);
  linux_close(file);
  return result;
}

int64_t linux_read_link(const char *path, char *buffer, size_t capacity) {
  ssize_t length = readlink(path, buffer, capacity);
  if (length < 0) return -errno;
  return (size_t)length < capacity ? length : -ENAMETOOLONG;
}

// MARK: files that are kept over a power cut

int32_t linux_create(const char *path) {
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
  return file < 0 ? -errno : file;
}

int64_t linux_read_at(int32_t descriptor, void *buffer, size_t capacity, int64_t offset) {
  ssize_t count;
  do count = pread(descriptor, buffer, capacity, offset);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

int64_t linux_write_at(int32_t descriptor, const void *bytes, size_t length, int64_t offset) {
  ssize_t count;
  do count = pwrite(descriptor, bytes, length, offset);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

int32_t linux_lock(int32_t descriptor) {
  return flock(descriptor, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int64_t linux_file_size(int32_t descriptor) {
  struct stat status;
  return fstat(descriptor, &status) < 0 ? -errno : (int64_t)status.st_size;
}

int32_t linux_set_file_size(int32_t descriptor, int64_t size) {
  return ftruncate(descriptor, (off_t)size) < 0 ? -errno : 0;
}

// musl's posix_fallocate and glibc's differ in what they do for file systems that cannot; the call does not.
int32_t linux_allocate(int32_t descriptor, int64_t size) {
  int result;
  do result = fallocate(descriptor, 0, 0, (off_t)size);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

int32_t linux_rename(const char *from, const char *to) { return rename(from, to) < 0 ? -errno : 0; }

typedef struct {
  thread_task task;
  int file;
  /// Empty: the file's folder is not asked for.
  char folder[];
} file_sync;

// A folder that may not be read, or of a file system that cannot sync one, leaves the name to the file
// system's own time: that is no failure of the file.
static int32_t sync_folder(const char *path) {
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return 0;
  int32_t result = fsync(folder) < 0 && errno != EINVAL ? -errno : 0;
  close(folder);
  return result;
}

static void *sync_file(void *argument) {
  file_sync *sync = argument;
  int32_t result = fdatasync(sync->file) < 0 ? -errno : 0;
  if (result == 0 && sync->folder[0] != 0) result = sync_folder(sync->folder);
  close(sync->file);
  thread_finish(&sync->task, &result, sizeof result);
  return NULL;
}

// The folder's part of a path: all before the last '/'.
static void copy_folder(char *folder, const char *path) {
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  if (length > 0) memcpy(folder, path, length);
  else folder[length++] = slash == NULL ? '.' : '/';
  folder[length] = 0;
}

int32_t linux_sync(int32_t descriptor, const char *path) {
  file_sync *sync = malloc(sizeof *sync + (path == NULL ? 0 : strlen(path)) + 2);
  if (sync == NULL) return -ENOMEM;
  sync->folder[0] = 0;
  if (path != NULL) copy_folder(sync->folder, path);
  // A descriptor of its own: the caller may close the other at any time.
  sync->file = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (sync->file < 0) {
    int32_t error = -errno;
    free(sync);
    return error;
  }
  int file = sync->file;
  int32_t result = thread_start(sync_file, &sync->task);
  if (result < 0) close(file);
  return result;
}

int32_t linux_sync_result(int32_t descriptor, int32_t wait) {
  struct pollfd ready = {.fd = descriptor, .events = POLLIN};
  if (wait) {
    while (poll(&ready, 1, -1) < 0 && errno == EINTR) continue;
  }
  int32_t result;
  int64_t count = linux_read(descriptor, &result, sizeof result);
  if (count < 0) return (int32_t)count;
  return count == sizeof result ? result : -EIO;
}
