#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 8 };

static int32_t address_of(const char *path, struct sockaddr_un *address, socklen_t *size) {
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof address->sun_path) return -ENAMETOOLONG;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length);
  *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
  return 0;
}

int32_t linux_local_connect(const char *path) {
  struct sockaddr_un address;
  socklen_t size = 0;
  int32_t error = address_of(path, &address, &size);
  if (error < 0) return error;
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  if (connect(descriptor, (struct sockaddr *)&address, size) == 0) return descriptor;
  error = -errno;
  close(descriptor);
  return error;
}

// A socket file without a listener is what a program leaves that was killed. Anything else is kept.
static int32_t remove_stale(const char *path) {
  struct stat state;
  if (lstat(path, &state) < 0) return errno == ENOENT ? 0 : -errno;
  if (!S_ISSOCK(state.st_mode)) return -EEXIST;
  int32_t other = linux_local_connect(path);
  if (other >= 0) close(other);
  // EAGAIN: its queue of connections is full, so it has one.
  if (other >= 0 || other == -EAGAIN) return -EADDRINUSE;
  if (other != -ECONNREFUSED) return other;
  return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int32_t linux_local_listen(const char *path, uint32_t mode) {
  struct sockaddr_un address;
  socklen_t size = 0;
  int32_t error = address_of(path, &address, &size);
  if (error == 0) error = remove_stale(path);
  if (error < 0) return error;
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  // The file has its mode from its first moment.
  mode_t before = umask(~(mode_t)mode & 0777);
  int result = bind(descriptor, (struct sockaddr *)&address, size);
  error = result < 0 ? -errno : 0;
  umask(before);
  if (error == 0 && listen(descriptor, BACKLOG) < 0) {
    error = -errno;
    unlink(path);
  }
  if (error == 0) return descriptor;
  close(descriptor);
  return error;
}

int32_t linux_local_accept(int32_t listener, uint32_t *user) {
  int descriptor;
  do descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (descriptor < 0) return -errno;
  struct ucred peer = {.uid = (uid_t)-1};
  socklen_t length = sizeof peer;
  getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length);
  *user = peer.uid;
  return descriptor;
}

int32_t linux_remove_file(const char *path) { return unlink(path) < 0 ? -errno : 0; }
