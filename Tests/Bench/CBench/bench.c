#define _GNU_SOURCE
#include "CBench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 16, ARGUMENT_BYTES_MAX = 4096, LINE_BYTES_MAX = 4096, PAYLOAD_MAX = 1 << 20 };

int64_t bench_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t bench_cpu(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

bench_mark bench_begin(void) {
  bench_mark mark = {0};
  mark.allocations = bench_allocations();
  mark.cpu = bench_cpu();
  mark.start = bench_now();
  return mark;
}

void bench_end(bench_mark mark, int64_t messages) {
  int64_t now = bench_now(), cpu = bench_cpu(), allocations = bench_allocations();
  bench_report("messages", (double)messages);
  bench_report("seconds", (double)(now - mark.start) / 1e9);
  bench_report("cpu_seconds", (double)(cpu - mark.cpu) / 1e9);
  if (allocations >= 0) bench_report("allocations", (double)(allocations - mark.allocations));
}

void bench_report(const char *name, double value) {
  printf("%s %.9g\n", name, value);
  fflush(stdout);
}

static int compare(const void *left, const void *right) {
  int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
  return (a > b) - (a < b);
}

void bench_report_times(const char *name, int64_t *nanoseconds, int64_t count) {
  char line[64];
  qsort(nanoseconds, (size_t)count, sizeof *nanoseconds, compare);
  snprintf(line, sizeof line, "%s_p50_us", name);
  bench_report(line, (double)nanoseconds[count / 2] / 1e3);
  snprintf(line, sizeof line, "%s_p99_us", name);
  bench_report(line, (double)nanoseconds[count * 99 / 100] / 1e3);
}

void bench_say(const char *line) {
  puts(line);
  fflush(stdout);
}

void bench_event(const char *word) {
  printf("%s %lld\n", word, (long long)bench_now());
  fflush(stdout);
}

const char *bench_line(void) {
  static char line[LINE_BYTES_MAX];
  if (fgets(line, sizeof line, stdin) == NULL) return NULL;
  line[strcspn(line, "\n")] = 0;
  return line;
}

const char *bench_host(void) {
  const char *host = getenv("BENCH_HOST");
  return host == NULL ? "127.0.0.1" : host;
}

const uint8_t *bench_payload(int64_t count) {
  static uint8_t payload[PAYLOAD_MAX];
  if (count > PAYLOAD_MAX) bench_fail("payload too large");
  memset(payload, 'x', (size_t)count);
  return payload;
}

// Swift has no main of ours that could keep them.
const char *bench_text_argument(int32_t index) {
  static char text[ARGUMENT_BYTES_MAX];
  static const char *arguments[ARGUMENTS_MAX];
  if (arguments[0] == NULL) {
    FILE *file = fopen("/proc/self/cmdline", "r");
    if (file == NULL) bench_fail("/proc/self/cmdline");
    size_t length = fread(text, 1, sizeof text - 1, file), offset = 0;
    fclose(file);
    for (int number = 0; number < ARGUMENTS_MAX && offset < length; number++) {
      arguments[number] = text + offset;
      offset += strlen(text + offset) + 1;
    }
  }
  return index < ARGUMENTS_MAX ? arguments[index] : NULL;
}

int64_t bench_argument(int32_t index) {
  const char *text = bench_text_argument(index);
  return text == NULL ? 0 : atoll(text);
}

_Noreturn void bench_fail(const char *what) {
  fprintf(stderr, "bench: %s\n", what);
  exit(1);
}
