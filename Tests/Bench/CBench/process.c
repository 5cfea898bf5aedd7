#include "CBench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The number behind a name in a file of /proc.
static int64_t number_of(const char *path, const char *name) {
  char line[256];
  long long number = -1;
  FILE *file = fopen(path, "r");
  if (file == NULL) bench_fail(path);
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, strlen(name)) == 0) sscanf(line + strlen(name), " %lld", &number);
  }
  fclose(file);
  if (number < 0) bench_fail(name);
  return number;
}

int64_t bench_memory_bytes(void) { return number_of("/proc/self/status", "RssAnon:") * 1024; }

bench_phase bench_phase_begin(void) {
  return (bench_phase){
      .given = number_of("/proc/self/io", "wchar:"),
      .disk = number_of("/proc/self/io", "write_bytes:"),
      .cpu = bench_cpu(),
      .start = bench_now(),
  };
}

void bench_report_each(const char *phase, const char *name, double value, int64_t count) {
  char title[64];
  snprintf(title, sizeof title, "%s_%s", phase, name);
  bench_report(title, value / (double)count);
}

void bench_phase_end(bench_phase phase, const char *name, int64_t count) {
  int64_t now = bench_now(), cpu = bench_cpu();
  int64_t given = number_of("/proc/self/io", "wchar:"), disk = number_of("/proc/self/io", "write_bytes:");
  bench_report_each(name, "seconds", (double)(now - phase.start) / 1e9, count);
  bench_report_each(name, "cpu_seconds", (double)(cpu - phase.cpu) / 1e9, count);
  bench_report_each(name, "given_bytes", (double)(given - phase.given), count);
  bench_report_each(name, "disk_bytes", (double)(disk - phase.disk), count);
}

void bench_crash(void) {
  fflush(stdout);
  _exit(0);
}
