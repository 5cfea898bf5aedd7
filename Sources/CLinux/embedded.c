// What Embedded Swift lacks on these systems.
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

// Embedded Swift's standard library calls these, and musl does not have them. glibc and the full
// Swift runtime do, and are left alone.
#ifndef __GLIBC__

// Fills the buffer with random bytes; Swift seeds Dictionary and Set with it. There is no fallback:
// a predictable seed would let a peer choose colliding keys. getrandom waits only while the kernel
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

// Reads a number from the start of the text and says where it ends; Double.init?(_: String) calls
// it. musl knows no other locale than C's.
const char *_swift_stdlib_strtod_clocale(const char *text, double *result) {
  char *end;
  *result = strtod(text, &end);
  return end;
}
#endif

// The command line, which Embedded Swift has no CommandLine for. glibc hands it to constructors,
// musl does not; but at start both have `environ` point into the block the kernel wrote on the
// stack: argc, argv, a null, the environment. Walking back from the null, the first word that
// equals the number of words passed is argc: the others are pointers.
static int32_t argument_count;
static char **arguments;

__attribute__((constructor)) static void find_arguments(void) {
  char **null = environ - 1;
  while ((uintptr_t)null[-argument_count - 1] != (uintptr_t)argument_count) argument_count++;
  arguments = null - argument_count;
}

// The number of arguments; the first is the program's own name.
int32_t linux_argument_count(void) { return argument_count; }

// The argument at an index below the count.
const char *linux_argument(int32_t index) { return arguments[index]; }
