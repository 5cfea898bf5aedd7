#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "thread.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { ADDRESSES_MAX = 8 };

_Static_assert(sizeof(struct sockaddr_in6) <= sizeof(((linux_address *)0)->bytes),
               "an address holds every kind of socket address");

// What the resolving thread sends through the pipe: smaller than PIPE_BUF, so it arrives whole.
typedef struct {
  int32_t error;
  int32_t count;
  linux_address addresses[ADDRESSES_MAX];
} resolution;

typedef struct {
  thread_task task;
  char service[6];
  char host[];
} lookup;

static void collect(const struct addrinfo *list, resolution *result) {
  for (; list != NULL && result->count < ADDRESSES_MAX; list = list->ai_next) {
    if (list->ai_addrlen > sizeof result->addresses[0].bytes) continue;
    linux_address *address = &result->addresses[result->count++];
    memcpy(address->bytes, list->ai_addr, list->ai_addrlen);
    address->length = list->ai_addrlen;
  }
}

static int32_t error_of(int code) {
  switch (code) {
  case 0: return 0;
  case EAI_SYSTEM: return errno != 0 ? -errno : -EIO;
  case EAI_AGAIN: return -EAGAIN;
  case EAI_MEMORY: return -ENOMEM;
  default: return -ENOENT;
  }
}

static void *resolve(void *argument) {
  lookup *look = argument;
  resolution result = {0};
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  struct addrinfo *list = NULL;
  result.error = error_of(getaddrinfo(look->host, look->service, &hints, &list));
  if (result.error == 0) {
    collect(list, &result);
    freeaddrinfo(list);
    if (result.count == 0) result.error = -ENOENT;
  }
  thread_finish(&look->task, &result, sizeof result);
  return NULL;
}

// snprintf would bring musl's whole formatted printing: 10 KB, and software long double on aarch64.
static void write_decimal(char text[6], uint16_t number) {
  uint16_t divisor = 1;
  while (number / divisor >= 10) divisor *= 10;
  for (; divisor > 0; divisor /= 10) *text++ = (char)('0' + number / divisor % 10);
  *text = 0;
}

int32_t linux_resolve(const char *host, uint16_t port) {
  size_t length = strlen(host);
  lookup *look = malloc(sizeof *look + length + 1);
  if (look == NULL) return -ENOMEM;
  memcpy(look->host, host, length + 1);
  write_decimal(look->service, port);
  return thread_start(resolve, &look->task);
}

int32_t linux_resolve_result(int32_t descriptor, linux_address *addresses, int32_t capacity) {
  resolution result;
  int64_t count = linux_read(descriptor, &result, sizeof result);
  if (count < 0) return (int32_t)count;
  if (count != sizeof result) return -EIO;
  if (result.error < 0) return result.error;
  if (result.count < capacity) capacity = result.count;
  memcpy(addresses, result.addresses, (size_t)capacity * sizeof *addresses);
  return capacity;
}

// Multipath TCP may be compiled out (EPROTONOSUPPORT), switched off (ENOPROTOOPT) or forbidden to
// this process: whatever the reason, plain TCP is what there is then.
static int open_stream(sa_family_t family, uint32_t multipath) {
  int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  int descriptor = multipath ? socket(family, type, IPPROTO_MPTCP) : -1;
  return descriptor >= 0 ? descriptor : socket(family, type, 0);
}

int32_t linux_tcp_connect(const linux_address *address, uint32_t multipath, uint32_t syn_retries) {
  const struct sockaddr *target = (const struct sockaddr *)address->bytes;
  int descriptor = open_stream(target->sa_family, multipath);
  if (descriptor < 0) return -errno;
  int retries = (int)syn_retries;
  // Of no consequence when refused: the caller has its own timer.
  if (retries > 0) setsockopt(descriptor, IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof retries);
  if (connect(descriptor, target, address->length) < 0 && errno != EINPROGRESS) {
    int32_t error = -errno;
    close(descriptor);
    return error;
  }
  return descriptor;
}

int32_t linux_tcp_connect_result(int32_t descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
  return -error;
}

int64_t linux_receive(int32_t descriptor, void *buffer, size_t capacity) {
  ssize_t count;
  do count = recv(descriptor, buffer, capacity, 0);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

int64_t linux_send(int32_t descriptor, const void *bytes, size_t length) {
  ssize_t count;
  do count = send(descriptor, bytes, length, MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

int64_t linux_send_pieces(int32_t descriptor, const linux_piece *pieces, int32_t count) {
  if (count <= 0) return 0;
  if (count > LINUX_PIECES_MAX) count = LINUX_PIECES_MAX;
  struct iovec vector[LINUX_PIECES_MAX];
  for (int32_t index = 0; index < count; index++) {
    // The kernel only reads what the vector points at.
    vector[index].iov_base = (void *)(uintptr_t)pieces[index].start;
    vector[index].iov_len = pieces[index].length;
  }
  struct msghdr message = {.msg_iov = vector, .msg_iovlen = (size_t)count};
  ssize_t sent;
  do sent = sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}
