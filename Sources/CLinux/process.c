#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

const char *linux_error_text(int32_t error) { return strerror(error); }

static int64_t nanoseconds(clockid_t clock) {
  struct timespec time = {0};
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t linux_monotonic_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }
int64_t linux_realtime_nanoseconds(void) { return nanoseconds(CLOCK_REALTIME); }

int32_t linux_clock_is_synchronised(void) {
  struct timex state = {0};
  int result = adjtimex(&state);
  return result >= 0 && result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

int64_t linux_clock_offset_nanoseconds(void) {
  struct timex state = {0};
  if (adjtimex(&state) < 0) return 0;
  return (int64_t)state.offset * (state.status & STA_NANO ? 1 : 1000);
}

int32_t linux_random(void *buffer, size_t length) {
  uint8_t *next = buffer;
  while (length > 0) {
    ssize_t count = getrandom(next, length, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    next += count;
    length -= (size_t)count;
  }
  return 0;
}

// Neither musl nor Embedded Swift hands the arguments to a library, so the kernel is asked.
int64_t linux_arguments(char *buffer, size_t capacity) {
  int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -errno;
  size_t length = 0;
  int64_t result;
  for (;;) {
    if (length == capacity) {
      result = -E2BIG;
      break;
    }
    ssize_t count = read(file, buffer + length, capacity - length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      result = count < 0 ? -errno : (int64_t)length;
      break;
    }
    length += (size_t)count;
  }
  close(file);
  return result;
}

const char *linux_environment(const char *name) { return getenv(name); }

int32_t linux_host_name(char *buffer, size_t capacity) {
  if (capacity == 0) return -EINVAL;
  if (gethostname(buffer, capacity) < 0) return -errno;
  buffer[capacity - 1] = 0;
  return 0;
}

_Noreturn void linux_exit(int32_t status) { _exit(status); }

int32_t linux_is_terminal(int32_t descriptor) { return isatty(descriptor); }

int32_t linux_notify(const char *path, const char *message) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof address.sun_path) return -EINVAL;
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = 0;
  int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  ssize_t sent = sendto(descriptor, message, strlen(message), MSG_NOSIGNAL,
                        (struct sockaddr *)&address, size);
  int32_t result = sent < 0 ? -errno : 0;
  close(descriptor);
  return result;
}
