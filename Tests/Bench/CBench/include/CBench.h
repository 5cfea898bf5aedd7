// What every measured program needs, whatever its client: clocks, processor time, counts of
// allocations, percentiles, and results as `name value` lines.
#pragma once

#include <stdint.h>

enum {
  /// How long readings fill the link before something urgent comes, in seconds.
  BENCH_FILL_SECONDS = 15,
  /// How many sensors they come from.
  BENCH_SENSORS = 64,
  /// What a fact's payload may take, in bytes.
  BENCH_FACT_BYTES = 192,
};

/// Nanoseconds of CLOCK_MONOTONIC.
int64_t bench_now(void);
/// Processor time of all threads of the process, in nanoseconds.
int64_t bench_cpu(void);
/// Calls of malloc, calloc, realloc and posix_memalign so far, by all threads; -1 when the program
/// does not count them.
int64_t bench_allocations(void);

/// The clocks and counters at the beginning of what is measured.
typedef struct {
  int64_t start, cpu, allocations;
} bench_mark;
bench_mark bench_begin(void);
/// Prints `messages`, `seconds`, `cpu_seconds` and `allocations` since the mark.
void bench_end(bench_mark mark, int64_t messages);

/// Prints one result.
void bench_report(const char *name, double value);
/// Prints `NAME_p50_us` and `NAME_p99_us` of times in nanoseconds, which it sorts.
void bench_report_times(const char *name, int64_t *nanoseconds, int64_t count);
/// Prints a line at once: what the runner waits for.
void bench_say(const char *line);

/// Prints a word and the monotonic clock: something has happened now.
void bench_event(const char *word);
/// The next line of standard input without its end, or NULL.
const char *bench_line(void);

/// `count` bytes of payload.
const uint8_t *bench_payload(int64_t count);
/// The same fact for the same number, whoever keeps it; returns the length of its payload.
int64_t bench_fact(int64_t number, char *payload);

/// Bytes of memory that is the process's own.
int64_t bench_memory_bytes(void);
/// What a part of the process costs: time, processor time, bytes given to write(2) and its kin, bytes of
/// pages that file systems on disks have to write for it.
typedef struct {
  int64_t start, cpu, given, disk;
} bench_phase;
bench_phase bench_phase_begin(void);
/// Prints `NAME_seconds`, `NAME_cpu_seconds`, `NAME_given_bytes` and `NAME_disk_bytes`, of each of `count`.
void bench_phase_end(bench_phase phase, const char *name, int64_t count);
/// Prints `PHASE_NAME`, a share of `value`.
void bench_report_each(const char *phase, const char *name, double value, int64_t count);
/// Ends the process as a crash does.
_Noreturn void bench_crash(void);

/// Number of arguments of the process, and one of them, or 0 when there is none.
int64_t bench_argument(int32_t index);
const char *bench_text_argument(int32_t index);
/// The server's address: of the environment's BENCH_HOST, or the loopback.
const char *bench_host(void);
_Noreturn void bench_fail(const char *what);
