// What Embedded Swift's standard library asks of a C library and musl does not have. glibc has it,
// and the full Swift build uses glibc's.
#include <features.h>

#ifndef __GLIBC__
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

// Fills the buffer with random bytes; Swift seeds Dictionary and Set with it. There is no fallback:
// a predictable seed would let a peer choose colliding keys. getrandom waits only when the kernel
// has just started and has no entropy yet.
void arc4random_buf(void *buffer, size_t count) {
  unsigned char *next = buffer;
  while (count > 0) {
    ssize_t filled = getrandom(next, count, 0);
    if (filled > 0) {
      next += filled;
      count -= (size_t)filled;
    } else if (errno != EINTR) {
      abort();
    }
  }
}
#endif
