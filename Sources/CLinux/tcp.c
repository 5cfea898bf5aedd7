#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// What the headers of an older system lack.
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#ifndef MPTCP_INFO
#define MPTCP_INFO 1
#endif

static uint32_t set(int32_t descriptor, int level, int option, uint32_t value) {
  if (value == 0) return 0;
  int number = value > INT32_MAX ? INT32_MAX : (int)value;
  return setsockopt(descriptor, level, option, &number, sizeof number) == 0;
}

uint32_t linux_tcp_configure(int32_t descriptor, const linux_tcp_options *options) {
  uint32_t taken = 0;
  if (set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1)) taken |= LINUX_TCP_NODELAY;
  if (set(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, options->user_timeout_milliseconds))
    taken |= LINUX_TCP_USER_TIMEOUT;
  if (set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, options->keepalive_idle_seconds) &&
      set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, options->keepalive_interval_seconds) &&
      set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, options->keepalive_probes) &&
      set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1))
    taken |= LINUX_TCP_KEEPALIVE;
  if (set(descriptor, IPPROTO_TCP, TCP_RTO_MAX_MS, options->retransmission_pause_max_milliseconds))
    taken |= LINUX_TCP_RETRANSMISSION_PAUSE;
  if (set(descriptor, IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, options->thin_linear_timeouts != 0))
    taken |= LINUX_TCP_THIN_LINEAR;
  if (set(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, options->unsent_bytes_max))
    taken |= LINUX_TCP_UNSENT_MAX;
  return taken;
}

// The kernel fills in as much of its structure as it knows: the returned length says what is there.
#define HAS(length, field) \
  ((length) >= offsetof(struct tcp_info, field) + sizeof(((struct tcp_info *)0)->field))

int32_t linux_tcp_progress_of(int32_t descriptor, linux_tcp_progress *progress) {
  struct tcp_info info;
  memset(&info, 0, sizeof info);
  memset(progress, 0, sizeof *progress);
  socklen_t length = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -errno;
  progress->milliseconds_since_acknowledgement = info.tcpi_last_ack_recv;
  if (HAS(length, tcpi_bytes_acked)) {
    progress->known |= LINUX_TCP_HAS_BYTES;
    progress->bytes_acknowledged = info.tcpi_bytes_acked;
  }
  int queued = 0;
  if (ioctl(descriptor, SIOCOUTQ, &queued) == 0 && queued >= 0) {
    progress->known |= LINUX_TCP_HAS_QUEUED;
    progress->queued_bytes = (uint32_t)queued;
  }
  return 0;
}

uint64_t linux_tcp_delivery_rate(int32_t descriptor) {
  struct tcp_info info;
  memset(&info, 0, sizeof info);
  socklen_t length = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return 0;
  return info.tcpi_delivery_rate;
}

int32_t linux_tcp_is_multipath(int32_t descriptor) {
  int protocol = 0;
  socklen_t length = sizeof protocol;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) < 0) return -errno;
  if (protocol != IPPROTO_MPTCP) return 0;
  // One that fell back hands its options to TCP, which does not know this one.
  uint8_t info[256];
  length = sizeof info;
  return getsockopt(descriptor, SOL_MPTCP, MPTCP_INFO, info, &length) == 0;
}

// MARK: the path

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} socket_address;

int32_t linux_local_address(int32_t descriptor, uint8_t address[16]) {
  socket_address local;
  socklen_t length = sizeof local;
  if (getsockname(descriptor, &local.any, &length) < 0) return -errno;
  if (local.any.sa_family == AF_INET) {
    memcpy(address, &local.v4.sin_addr, 4);
    return 4;
  }
  if (local.any.sa_family != AF_INET6) return -EAFNOSUPPORT;
  if (IN6_IS_ADDR_V4MAPPED(&local.v6.sin6_addr)) {
    memcpy(address, local.v6.sin6_addr.s6_addr + 12, 4);
    return 4;
  }
  memcpy(address, &local.v6.sin6_addr, 16);
  return 16;
}

// A datagram socket that is bound and connected asks the kernel for the same address and the same
// route as a segment of ours would need, and sends nothing.
int32_t linux_path_check(int32_t descriptor) {
  socket_address local, peer;
  socklen_t local_length = sizeof local, peer_length = sizeof peer;
  if (getsockname(descriptor, &local.any, &local_length) < 0) return -errno;
  if (getpeername(descriptor, &peer.any, &peer_length) < 0) return -errno;
  if (local.any.sa_family == AF_INET) local.v4.sin_port = 0;
  else if (local.any.sa_family == AF_INET6) local.v6.sin6_port = 0;
  int probe = socket(local.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return -errno;
  int32_t result = 0;
  if (bind(probe, &local.any, local_length) < 0 || connect(probe, &peer.any, peer_length) < 0)
    result = -errno;
  close(probe);
  return result;
}

static int32_t netlink(int protocol, uint32_t groups) {
  int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (descriptor < 0) return -errno;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
    int32_t error = -errno;
    close(descriptor);
    return error;
  }
  return descriptor;
}

int32_t linux_route_watch(void) {
  return netlink(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                    RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
}

// Group 1 is what the kernel itself says; what udev makes of it is in group 2.
int32_t linux_device_watch(void) { return netlink(NETLINK_KOBJECT_UEVENT, 1); }

int64_t linux_netlink_read(int32_t descriptor, void *buffer, size_t capacity) {
  while (1) {
    struct sockaddr_nl sender;
    socklen_t length = sizeof sender;
    ssize_t count =
        recvfrom(descriptor, buffer, capacity, MSG_TRUNC, (struct sockaddr *)&sender, &length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    // Only the kernel (0) is believed.
    if (length < sizeof sender || sender.nl_pid != 0) continue;
    return (size_t)count > capacity ? -EMSGSIZE : count;
  }
}
