#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int32_t linux_open(const char *path, int32_t write) {
  int file = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
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
