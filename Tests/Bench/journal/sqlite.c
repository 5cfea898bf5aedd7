// A queue of facts in SQLite: write-ahead log, prepared statements, the file for this process alone. Each
// batch is synced with its last commit.
//
//     sqlite MODE FOLDER COUNT BATCH         a transaction for each fact and each acknowledgement: what is
//                                            done outlives the process, as in our journal
//     sqlite MODE FOLDER COUNT BATCH once    a transaction for each batch: it is lost with the process
//
// Modes: see main.swift.
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "CBench.h"

static sqlite3 *database;
static sqlite3_stmt *begin, *commit, *insert, *next, *delete;
static int64_t memory_max;
static int has_one_transaction;

static void check(int status) {
  if (status != SQLITE_OK && status != SQLITE_DONE && status != SQLITE_ROW) bench_fail(sqlite3_errmsg(database));
}

static void run(const char *statement) { check(sqlite3_exec(database, statement, NULL, NULL, NULL)); }

static sqlite3_stmt *prepare(const char *text) {
  sqlite3_stmt *statement;
  check(sqlite3_prepare_v2(database, text, -1, &statement, NULL));
  return statement;
}

static void step(sqlite3_stmt *statement) {
  check(sqlite3_step(statement));
  check(sqlite3_reset(statement));
}

static void note_memory(void) {
  int64_t now = bench_memory_bytes();
  if (now > memory_max) memory_max = now;
}

static void open_queue(const char *folder) {
  char path[4096];
  snprintf(path, sizeof path, "%s/queue.db", folder);
  check(sqlite3_open(path, &database));
  run("PRAGMA locking_mode = EXCLUSIVE");
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA synchronous = FULL");
  run("CREATE TABLE IF NOT EXISTS facts (sequence INTEGER PRIMARY KEY, class INTEGER, monotonic INTEGER,"
      " wall INTEGER, synchronised INTEGER, run INTEGER, subject BLOB, payload BLOB)");
  begin = prepare("BEGIN IMMEDIATE");
  commit = prepare("COMMIT");
  insert = prepare("INSERT INTO facts VALUES (?1, 1, ?2, ?3, 1, 1, ?4, ?5)");
  next = prepare("SELECT sequence, monotonic, wall, synchronised, run, subject, payload FROM facts"
                 " WHERE sequence >= ?1 ORDER BY sequence LIMIT 1");
  delete = prepare("DELETE FROM facts WHERE sequence <= ?1");
}

static void append(int64_t number) {
  char payload[BENCH_FACT_BYTES];
  static const char subject[] = "gpio.dock-door.edge";
  int64_t length = bench_fact(number, payload);
  sqlite3_bind_int64(insert, 1, number);
  sqlite3_bind_int64(insert, 2, number * 1000000);
  sqlite3_bind_int64(insert, 3, 1800000000000000000 + number * 1000000);
  sqlite3_bind_blob(insert, 4, subject, sizeof subject - 1, SQLITE_STATIC);
  sqlite3_bind_blob(insert, 5, payload, (int)length, SQLITE_STATIC);
  step(insert);
}

// The next fact from this number on; 0 when there is none.
static int64_t read_next(int64_t from) {
  int64_t found = 0;
  sqlite3_bind_int64(next, 1, from);
  if (sqlite3_step(next) == SQLITE_ROW) {
    found = sqlite3_column_int64(next, 0);
    if (sqlite3_column_bytes(next, 6) < 50) bench_fail("a fact is not whole");
  }
  check(sqlite3_reset(next));
  return found;
}

static void acknowledge(int64_t through) {
  sqlite3_bind_int64(delete, 1, through);
  step(delete);
}

// Facts and acknowledgements of a batch are between the two, its last one behind `sync_next`.
static void begin_batch(void) {
  if (has_one_transaction) step(begin);
  else run("PRAGMA synchronous = NORMAL");
}

static void sync_next(void) {
  if (!has_one_transaction) run("PRAGMA synchronous = FULL");
}

static void end_batch(void) {
  if (has_one_transaction) step(commit);
  note_memory();
}

static void append_all(int64_t first, int64_t count, int64_t batch) {
  for (int64_t number = first; number < first + count;) {
    begin_batch();
    for (int64_t end = number + batch; number < end; number++) {
      if (number == end - 1) sync_next();
      append(number);
    }
    end_batch();
  }
}

static void drain(int64_t first, int64_t count, int64_t batch) {
  for (int64_t number = first; number < first + count;) {
    begin_batch();
    for (int64_t end = number + batch; number < end; number++) {
      if (number == end - 1) sync_next();
      if (read_next(number) != number) bench_fail("a fact is missing");
      acknowledge(number);
    }
    end_batch();
  }
}

// Each is acknowledged before the next.
static void healthy(int64_t count, int64_t batch) {
  for (int64_t number = 1; number <= count;) {
    begin_batch();
    for (int64_t end = number + batch; number < end; number++) {
      append(number);
      if (number == end - 1) sync_next();
      acknowledge(number);
    }
    end_batch();
  }
}

static void recover(const char *folder, int64_t count) {
  int64_t start = bench_now();
  open_queue(folder);
  if (read_next(1) != 1) bench_fail("the first fact is missing");
  sqlite3_stmt *waiting = prepare("SELECT count(*) FROM facts");
  check(sqlite3_step(waiting));
  if (sqlite3_column_int64(waiting, 0) != count) bench_fail("facts are missing");
  bench_report("recovery_seconds", (double)(bench_now() - start) / 1e9);
}

static void pass_on(int64_t first, int64_t count, int64_t batch, const char *kept, const char *drained) {
  bench_phase phase = bench_phase_begin();
  append_all(first, count, batch);
  bench_phase_end(phase, kept, count);
  phase = bench_phase_begin();
  drain(first, count, batch);
  bench_phase_end(phase, drained, count);
}

int main(void) {
  const char *mode = bench_text_argument(1), *folder = bench_text_argument(2);
  int64_t count = bench_argument(3), batch = bench_argument(4);
  if (mode == NULL || folder == NULL || count % batch != 0) bench_fail("MODE FOLDER COUNT BATCH");
  has_one_transaction = bench_text_argument(5) != NULL;
  int64_t memory = bench_memory_bytes();
  if (strcmp(mode, "recover") == 0) {
    recover(folder, count);
    return 0;
  }
  open_queue(folder);
  if (strcmp(mode, "backlog") == 0) {
    pass_on(1, count, batch, "first_append", "first_drain");
    pass_on(count + 1, count, batch, "append", "drain");
    bench_report("memory_bytes", (double)(memory_max - memory));
    return 0;
  }
  bench_phase phase = bench_phase_begin();
  if (strcmp(mode, "healthy") == 0) {
    healthy(count, batch);
    bench_phase_end(phase, "healthy", count);
  } else if (strcmp(mode, "fill") == 0) {
    append_all(1, count, batch);
    bench_crash();
  } else {
    bench_fail("no such mode");
  }
}
