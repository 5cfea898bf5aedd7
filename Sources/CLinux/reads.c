#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "thread.h"

// A conversion of 1-Wire takes at most 750 ms, and as long again for a clone.
enum { TRIGGER_POLLS = 30, TRIGGER_POLL_MILLISECONDS = 50 };

typedef struct {
  thread_task task;
  size_t capacity;
  size_t length;
  char requests[];
} file_reads;

// As `linux_read_file`, but a file that would block does: the thread is there to wait.
static int64_t read_content(const char *path, char *buffer, size_t capacity) {
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return -errno;
  size_t length = 0;
  int64_t result = 0;
  while (length < capacity) {
    result = linux_read(file, buffer + length, capacity - length);
    if (result <= 0) break;
    length += (size_t)result;
  }
  close(file);
  return result < 0 ? result : (int64_t)length;
}

static int64_t trigger(const char *path) {
  static const char command[] = "trigger\n";
  int64_t result = linux_write_file(path, command, sizeof command - 1);
  if (result < 0) return result;
  for (int poll = 0; poll < TRIGGER_POLLS; poll++) {
    char first;
    result = read_content(path, &first, 1);
    if (result < 0) return result;
    if (result == 0 || first != '-') return 0;
    struct timespec pause = {.tv_nsec = TRIGGER_POLL_MILLISECONDS * 1000000L};
    nanosleep(&pause, NULL);
  }
  return -ETIMEDOUT;
}

// Not by snprintf(3), which brings the arithmetic of floating point. Returns how many.
static int64_t write_digits(uint64_t number, char *buffer) {
  char digits[20];
  size_t count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  for (size_t place = 0; place < count; place++) buffer[place] = digits[count - 1 - place];
  return (int64_t)count;
}

static int64_t handle(const char *request, char *buffer, size_t capacity) {
  const char *path = request + 1;
  if (request[0] == 't') return trigger(path);
  if (request[0] == 'r') return read_content(path, buffer, capacity);
  int64_t bytes = linux_free_bytes(path);
  return bytes < 0 ? bytes : write_digits((uint64_t)bytes, buffer);
}

static void *read_files(void *argument) {
  file_reads *reads = argument;
  char result[LINUX_READS_MAX];
  size_t length = 0;
  for (size_t place = 0; place < reads->length; place += strlen(reads->requests + place) + 1) {
    int64_t count = handle(reads->requests + place, result + length + sizeof(int32_t), reads->capacity);
    int32_t status = (int32_t)count;
    memcpy(result + length, &status, sizeof status);
    length += sizeof status + (count > 0 ? (size_t)count : 0);
  }
  thread_finish(&reads->task, result, length);
  return NULL;
}

int32_t linux_reads(const char *requests, size_t length, size_t capacity) {
  if (length == 0 || requests[length - 1] != 0) return -EINVAL;
  // For the digits of a number.
  if (capacity < 20 || capacity > LINUX_READS_MAX) return -EINVAL;
  size_t count = 0;
  for (size_t place = 0; place < length; place++) count += requests[place] == 0;
  if (count > LINUX_READS_MAX / (capacity + sizeof(int32_t))) return -E2BIG;
  file_reads *reads = malloc(sizeof *reads + length);
  if (reads == NULL) return -ENOMEM;
  reads->capacity = capacity;
  reads->length = length;
  memcpy(reads->requests, requests, length);
  return thread_start(read_files, &reads->task);
}

int64_t linux_reads_result(int32_t descriptor, void *buffer, size_t capacity) {
  return linux_read(descriptor, buffer, capacity);
}
