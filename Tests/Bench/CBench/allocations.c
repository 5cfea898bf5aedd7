// Counts calls of the allocator. The linker sends the program's calls here (--wrap), also those of a
// static C library; for a shared library this file is a library of its own, loaded before (LD_PRELOAD).
#define _GNU_SOURCE
#include "CBench.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#if defined(BENCH_PRELOAD)
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
#define REAL(name) __libc_##name
#define OURS(name) name
#elif defined(BENCH_WRAP)
void *__real_malloc(size_t), *__real_calloc(size_t, size_t), *__real_realloc(void *, size_t);
int __real_posix_memalign(void **, size_t, size_t);
void *__real_aligned_alloc(size_t, size_t);
#define REAL(name) __real_##name
#define OURS(name) __wrap_##name
#endif

#if !defined(REAL)
#pragma weak bench_preloaded_allocations
int64_t bench_preloaded_allocations(void);

int64_t bench_allocations(void) {
  return bench_preloaded_allocations == NULL ? -1 : bench_preloaded_allocations();
}
#else
static atomic_llong allocations;

static void count(void) { atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed); }

#if defined(BENCH_PRELOAD)
int64_t bench_preloaded_allocations(void) { return allocations; }
#else
int64_t bench_allocations(void) { return allocations; }
#endif

void *OURS(malloc)(size_t size) {
  count();
  return REAL(malloc)(size);
}

void *OURS(calloc)(size_t number, size_t size) {
  count();
  return REAL(calloc)(number, size);
}

void *OURS(realloc)(void *old, size_t size) {
  count();
  return REAL(realloc)(old, size);
}

int OURS(posix_memalign)(void **memory, size_t alignment, size_t size) {
  count();
#if defined(BENCH_PRELOAD)
  *memory = __libc_memalign(alignment, size);
  return *memory == NULL ? ENOMEM : 0;
#else
  return __real_posix_memalign(memory, alignment, size);
#endif
}

void *OURS(aligned_alloc)(size_t alignment, size_t size) {
  count();
#if defined(BENCH_PRELOAD)
  return __libc_memalign(alignment, size);
#else
  return __real_aligned_alloc(alignment, size);
#endif
}
#endif
