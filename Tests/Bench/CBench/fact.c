#include "CBench.h"

#include <stdio.h>

// As a board's door tells its edges.
int64_t bench_fact(int64_t number, char *payload) {
  return snprintf(payload, BENCH_FACT_BYTES,
                  "{\"line\":\"dock-door-%lld\",\"edge\":\"%s\",\"active\":%s,\"seq\":%lld,\"line_seq\":%lld,"
                  "\"lost\":0,\"cause\":\"script\"}",
                  (long long)(number % 8 + 1), number % 2 ? "rising" : "falling", number % 2 ? "true" : "false",
                  (long long)number, (long long)(number / 8));
}
