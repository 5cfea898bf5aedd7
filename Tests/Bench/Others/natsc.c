// nats.c, measured: `natsc MODE PORT SIZE COUNT [asap]`.
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CBench.h"

static int64_t size, total;

static void check(natsStatus status, const char *what) {
  if (status == NATS_OK) return;
  fprintf(stderr, "%s: %s\n", what, natsStatus_GetText(status));
  exit(1);
}

static void on_lost(natsConnection *c, void *closure) { bench_event("lost"); }
static void on_back(natsConnection *c, void *closure) { bench_event("back"); }

static natsConnection *connect_to(int64_t port, bool asap) {
  natsOptions *options = NULL;
  natsConnection *connection = NULL;
  char url[64];
  snprintf(url, sizeof url, "nats://%s:%d", bench_host(), (int)port);
  check(natsOptions_Create(&options), "options");
  check(natsOptions_SetURL(options, url), "url");
  check(natsOptions_SetSendAsap(options, asap), "asap");
  check(natsOptions_SetDisconnectedCB(options, on_lost, NULL), "callback");
  check(natsOptions_SetReconnectedCB(options, on_back, NULL), "callback");
  check(natsConnection_Connect(&connection, options), "connect");
  natsOptions_Destroy(options);
  return connection;
}

static void publish(natsConnection *connection) {
  const uint8_t *payload = bench_payload(size);
  int64_t warm = total / 10;
  for (int64_t n = 0; n < warm; n++) natsConnection_Publish(connection, "bench", payload, (int)size);
  check(natsConnection_Flush(connection), "flush");
  bench_mark mark = bench_begin();
  for (int64_t n = 0; n < total; n++)
    check(natsConnection_Publish(connection, "bench", payload, (int)size), "publish");
  check(natsConnection_FlushTimeout(connection, 60000), "flush");
  bench_end(mark, total);
}

// The first tenth warms up.
static bench_mark mark;
static int64_t received;
static volatile int done;

static void on_message(natsConnection *c, natsSubscription *s, natsMsg *message, void *closure) {
  natsMsg_Destroy(message);
  received++;
  if (received == total / 10) mark = bench_begin();
  if (received == total) {
    bench_end(mark, total - total / 10);
    done = 1;
  }
}

static void receive(natsConnection *connection) {
  natsSubscription *subscription = NULL;
  check(natsConnection_Subscribe(&subscription, connection, "bench", on_message, NULL), "subscribe");
  natsSubscription_SetPendingLimits(subscription, -1, -1);
  check(natsConnection_Flush(connection), "flush");
  bench_say("ready");
  while (!done) usleep(10000);
}

static void request(natsConnection *connection) {
  const uint8_t *payload = bench_payload(size);
  int64_t *times = calloc((size_t)total, sizeof *times), warm = total / 10;
  bench_mark begin = {0};
  for (int64_t n = -warm; n < total; n++) {
    if (n == 0) begin = bench_begin();
    natsMsg *reply = NULL;
    int64_t start = bench_now();
    check(natsConnection_Request(&reply, connection, "bench", payload, (int)size, 5000), "request");
    if (n >= 0) times[n] = bench_now() - start;
    natsMsg_Destroy(reply);
  }
  bench_end(begin, total);
  bench_report_times("request", times, total);
}

static void on_request(natsConnection *c, natsSubscription *s, natsMsg *message, void *closure) {
  natsConnection_Publish(c, natsMsg_GetReply(message), natsMsg_GetData(message),
                         natsMsg_GetDataLength(message));
  natsMsg_Destroy(message);
}

static void on_watched(natsConnection *c, natsSubscription *s, natsMsg *message, void *closure) {
  bench_event("message");
  natsMsg_Destroy(message);
}

// Publishes what it is told: a line of subject and payload each.
static void say(natsConnection *connection) {
  const char *line;
  bench_say("ready");
  while ((line = bench_line()) != NULL) {
    char subject[256];
    int length = 0;
    if (sscanf(line, "%255s %n", subject, &length) < 1) bench_fail("SUBJECT PAYLOAD");
    check(natsConnection_PublishString(connection, subject, line + length), "publish");
  }
}

// Readings of so many sensors, `total` a second, and after some time a message that is urgent.
static void urgent(natsConnection *connection) {
  const uint8_t *payload = bench_payload(size);
  char subject[32];
  bench_say("ready");
  for (int64_t n = 0;; n++) {
    if (n == total * BENCH_FILL_SECONDS) {
      bench_event("urgent");
      check(natsConnection_Publish(connection, "bench.urgent", payload, (int)size), "publish");
    }
    snprintf(subject, sizeof subject, "bench.reading.%d", (int)(n % BENCH_SENSORS));
    check(natsConnection_Publish(connection, subject, payload, (int)size), "publish");
    usleep((useconds_t)(1000000 / total));
  }
}

static void stay(natsConnection *connection, natsMsgHandler handler) {
  natsSubscription *subscription = NULL;
  check(natsConnection_Subscribe(&subscription, connection, "bench", handler, NULL), "subscribe");
  check(natsConnection_Flush(connection), "flush");
  bench_say("ready");
  for (;;) pause();
}

int main(int argc, char **argv) {
  if (argc < 5) bench_fail("natsc MODE PORT SIZE COUNT [asap]");
  size = atoll(argv[3]);
  total = atoll(argv[4]);
  natsConnection *connection = connect_to(atoll(argv[2]), argc > 5 && !strcmp(argv[5], "asap"));
  if (!strcmp(argv[1], "publish")) publish(connection);
  else if (!strcmp(argv[1], "receive")) receive(connection);
  else if (!strcmp(argv[1], "request")) request(connection);
  else if (!strcmp(argv[1], "respond")) stay(connection, on_request);
  else if (!strcmp(argv[1], "idle")) stay(connection, on_message);
  else if (!strcmp(argv[1], "watch")) stay(connection, on_watched);
  else if (!strcmp(argv[1], "say")) say(connection);
  else if (!strcmp(argv[1], "urgent")) urgent(connection);
  else bench_fail("no such mode");
  return 0;
}
