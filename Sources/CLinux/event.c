#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS_PER_WAIT_MAX = 32 };

int32_t linux_epoll_create(void) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  return epoll < 0 ? -errno : epoll;
}

static int32_t control(int32_t epoll, int operation, int32_t descriptor, uint32_t interests,
                       uint64_t token) {
  struct epoll_event event = {.data.u64 = token};
  if (interests & LINUX_READABLE) event.events |= EPOLLIN | EPOLLRDHUP;
  if (interests & LINUX_WRITABLE) event.events |= EPOLLOUT;
  return epoll_ctl(epoll, operation, descriptor, &event) < 0 ? -errno : 0;
}

int32_t linux_epoll_add(int32_t epoll, int32_t descriptor, uint32_t interests, uint64_t token) {
  return control(epoll, EPOLL_CTL_ADD, descriptor, interests, token);
}

int32_t linux_epoll_modify(int32_t epoll, int32_t descriptor, uint32_t interests, uint64_t token) {
  return control(epoll, EPOLL_CTL_MOD, descriptor, interests, token);
}

int32_t linux_epoll_remove(int32_t epoll, int32_t descriptor) {
  return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int32_t linux_epoll_wait(int32_t epoll, linux_event *events, int32_t capacity) {
  struct epoll_event ready[EVENTS_PER_WAIT_MAX];
  if (capacity > EVENTS_PER_WAIT_MAX) capacity = EVENTS_PER_WAIT_MAX;
  int count = epoll_wait(epoll, ready, capacity, -1);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int index = 0; index < count; index++) {
    uint32_t flags = ready[index].events;
    events[index].token = ready[index].data.u64;
    events[index].readiness = (flags & (EPOLLIN | EPOLLRDHUP) ? LINUX_READABLE : 0) |
                              (flags & EPOLLOUT ? LINUX_WRITABLE : 0) |
                              (flags & (EPOLLERR | EPOLLHUP) ? LINUX_FAILED : 0);
  }
  return count;
}

int32_t linux_timer_create(void) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  return timer < 0 ? -errno : timer;
}

int32_t linux_timer_set(int32_t timer, int64_t monotonic_nanoseconds) {
  struct itimerspec setting = {0};
  setting.it_value.tv_sec = (time_t)(monotonic_nanoseconds / 1000000000);
  setting.it_value.tv_nsec = (long)(monotonic_nanoseconds % 1000000000);
  return timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, NULL) < 0 ? -errno : 0;
}

int32_t linux_clock_watch(void) {
  int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer < 0) return -errno;
  // Never: in 2255, for the kernel counts nanoseconds until 2262.
  struct itimerspec setting = {.it_value.tv_sec = (time_t)9000000000};
  if (timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &setting, NULL) == 0) return timer;
  int32_t error = -errno;
  close(timer);
  return error;
}

int32_t linux_clock_was_set(int32_t watch) {
  uint64_t expirations;
  return linux_read(watch, &expirations, sizeof expirations) == -ECANCELED;
}

int32_t linux_signals_create(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  signal(SIGPIPE, SIG_IGN);
  if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0) return -errno;
  int descriptor = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  return descriptor < 0 ? -errno : descriptor;
}

int32_t linux_signals_read(int32_t signals) {
  struct signalfd_siginfo information;
  int64_t count = linux_read(signals, &information, sizeof information);
  if (count < 0) return (int32_t)count;
  if (count != sizeof information) return -EAGAIN;
  return (int32_t)information.ssi_signo;
}
