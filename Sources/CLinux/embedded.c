// What Embedded Swift's standard library asks of the C library and musl does not have, and what is too
// heavy for a board in those that are there. glibc and the full Swift runtime have it all, so there
// this file is empty.
#include <features.h>
#ifndef __GLIBC__

#include "CLinux.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Fills the buffer with random bytes; Swift seeds Dictionary and Set with it. It cannot report a
// failure, and a predictable seed would let a peer choose keys that collide.
void arc4random_buf(void *buffer, size_t count) {
  if (linux_random(buffer, count) < 0) abort();
}

// Double.init?(String) asks for _swift_stdlib_strtod_clocale, which is left out so that its use does not
// link: strtod is 8 KB, and 15 KB more on aarch64, where it computes with a long double that is
// software. parseDecimal does without.

static void write_error(const char *text) { linux_write(2, text, strlen(text)); }

// Called by a failed assertion in a C library. musl's own would bring in formatted printing: 10 KB, and
// 11 KB more on aarch64, for long double again.
_Noreturn void __assert_fail(const char *claim, const char *file, int line, const char *function) {
  (void)line;
  write_error(file);
  write_error(": ");
  write_error(function);
  write_error(": assertion failed: ");
  write_error(claim);
  write_error("\n");
  abort();
}

#if __SIZEOF_POINTER__ == 8
// Swift 6.3.1's own two return the object without the bits that tell what it is, though callers are told
// that they get their argument back. On aarch64 callers rely on that, and a short text, which is kept
// within those bits, came back with a wrong length. The retain itself is Swift's. What is 32 bits wide
// has no such bits. Swift's definitions are weak, so the linker takes these.
void *swift_retain_n(void *object, uint32_t count);

void *swift_bridgeObjectRetain_n(void *object, uint32_t count) {
  swift_retain_n((void *)((uintptr_t)object & 0x8ffffffffffffff8), count);
  return object;
}

void *swift_bridgeObjectRetain(void *object) { return swift_bridgeObjectRetain_n(object, 1); }
#endif

#ifdef __arm__
// Code from GCC names the unwinder of C++ exceptions in its tables, and so would bring it in: 4 KB on
// armv7, 6 KB on armv6. Nothing here throws.
void __aeabi_unwind_cpp_pr0(void) {}
#endif

#endif
