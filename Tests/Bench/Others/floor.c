// The floor: a socket and bytes made before, with no client at all. `floor MODE PORT SIZE COUNT`.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CBench.h"

enum { BLOCK_BYTES = 32768, INPUT_BYTES = 65536 };

static int64_t size, total;
static int wire;
static char input[INPUT_BYTES + 1];

static void send_all(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(wire, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) bench_fail("send");
    bytes += sent;
    length -= (size_t)sent;
  }
}

static size_t take(size_t capacity) {
  ssize_t count = recv(wire, input, capacity, 0);
  if (count <= 0) bench_fail("recv");
  return (size_t)count;
}

// Waits until the server has taken everything before; returns how many bytes came behind its answer.
static size_t flush_wire(void) {
  size_t length = 0;
  char *pong;
  send_all("PING\r\n", 6);
  do {
    ssize_t count = recv(wire, input + length, INPUT_BYTES - length, 0);
    if (count <= 0) bench_fail("recv");
    length += (size_t)count;
    input[length] = 0;
  } while ((pong = strstr(input, "PONG\r\n")) == NULL);
  return (size_t)(input + length - (pong + 6));
}

static void connect_to(int64_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, bench_host(), &address.sin_addr) != 1) bench_fail("BENCH_HOST");
  int on = 1;
  wire = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(wire, (struct sockaddr *)&address, sizeof address) < 0) bench_fail("connect");
  setsockopt(wire, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  take(INPUT_BYTES);
  const char *hello = "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,\"protocol\":1,"
                      "\"headers\":true,\"no_responders\":true}\r\n";
  send_all(hello, strlen(hello));
  flush_wire();
}

static size_t frame(char *buffer, const char *head) {
  size_t length = (size_t)sprintf(buffer, "%s %d\r\n", head, (int)size);
  memcpy(buffer + length, bench_payload(size), (size_t)size);
  memcpy(buffer + length + size, "\r\n", 2);
  return length + (size_t)size + 2;
}

static void publish_count(int64_t messages) {
  static char block[BLOCK_BYTES];
  char *one = malloc((size_t)size + 64);
  size_t length = frame(one, "PUB bench"), per_block = BLOCK_BYTES / length;
  for (size_t n = 0; n < per_block; n++) memcpy(block + n * length, one, length);
  for (; messages >= (int64_t)per_block; messages -= (int64_t)per_block)
    send_all(block, per_block * length);
  send_all(block, (size_t)messages * length);
  free(one);
  flush_wire();
}

static void publish(void) {
  publish_count(total / 10);
  bench_mark mark = bench_begin();
  publish_count(total);
  bench_end(mark, total);
}

static size_t subscribe(void) {
  send_all("SUB bench 1\r\n", 13);
  return flush_wire();
}

static void receive(void) {
  char *one = malloc((size_t)size + 64);
  int64_t length = (int64_t)frame(one, "MSG bench 1"), warm = total / 10 * length;
  int64_t bytes = (int64_t)subscribe();
  bench_say("ready");
  while (bytes < warm) bytes += (int64_t)take(INPUT_BYTES);
  bench_mark mark = bench_begin();
  while (bytes < total * length) bytes += (int64_t)take(INPUT_BYTES);
  bench_end(mark, total - total / 10);
}

static void request(void) {
  char *one = malloc((size_t)size + 64), *answer = malloc((size_t)size + 64);
  int64_t *times = calloc((size_t)total, sizeof *times), warm = total / 10;
  send_all("SUB _INBOX.floor 2\r\n", 20);
  flush_wire();
  size_t length = frame(one, "PUB bench _INBOX.floor");
  size_t expected = frame(answer, "MSG _INBOX.floor 2");
  bench_mark mark = {0};
  for (int64_t n = -warm; n < total; n++) {
    if (n == 0) mark = bench_begin();
    int64_t start = bench_now();
    send_all(one, length);
    for (size_t got = 0; got < expected;) got += take(INPUT_BYTES);
    if (n >= 0) times[n] = bench_now() - start;
  }
  bench_end(mark, total);
  bench_report_times("request", times, total);
}

// Takes one request per read, as the requesters here send them one after the other.
static void respond(void) {
  char *out = malloc(INPUT_BYTES);
  subscribe();
  bench_say("ready");
  for (;;) {
    size_t length = take(INPUT_BYTES);
    input[length] = 0;
    if (!strncmp(input, "PING", 4)) {
      send_all("PONG\r\n", 6);
      continue;
    }
    char reply[128];
    int bytes = 0;
    if (sscanf(input, "MSG bench 1 %127s %d", reply, &bytes) != 2) continue;
    char *body = strstr(input, "\r\n") + 2;
    while (length < (size_t)(body - input) + (size_t)bytes + 2)
      length += (size_t)recv(wire, input + length, INPUT_BYTES - length, 0);
    int head = sprintf(out, "PUB %s %d\r\n", reply, bytes);
    memcpy(out + head, body, (size_t)bytes + 2);
    send_all(out, (size_t)head + (size_t)bytes + 2);
  }
}

static void idle(void) {
  subscribe();
  bench_say("ready");
  for (;;) {
    size_t length = take(INPUT_BYTES);
    input[length] = 0;
    if (strstr(input, "PING\r\n") != NULL) send_all("PONG\r\n", 6);
  }
}

// Publishes a message every `total` milliseconds, for ever.
static void tick(void) {
  char *one = malloc((size_t)size + 64);
  size_t length = frame(one, "PUB bench");
  struct pollfd watched = {.fd = wire, .events = POLLIN};
  bench_say("ready");
  for (;;) {
    if (poll(&watched, 1, (int)total) == 0) {
      send_all(one, length);
      continue;
    }
    input[take(INPUT_BYTES)] = 0;
    if (strstr(input, "PING\r\n") != NULL) send_all("PONG\r\n", 6);
  }
}

// Publishes what it is told: a line of subject and payload each.
static void say(void) {
  const char *line;
  bench_say("ready");
  while ((line = bench_line()) != NULL) {
    char subject[256];
    int offset = 0;
    if (sscanf(line, "%255s %n", subject, &offset) < 1) bench_fail("SUBJECT PAYLOAD");
    int length = sprintf(input, "PUB %s %zu\r\n%s\r\n", subject, strlen(line + offset), line + offset);
    send_all(input, (size_t)length);
  }
}

int main(int argc, char **argv) {
  if (argc < 5) bench_fail("floor MODE PORT SIZE COUNT");
  size = atoll(argv[3]);
  total = atoll(argv[4]);
  connect_to(atoll(argv[2]));
  if (!strcmp(argv[1], "publish")) publish();
  else if (!strcmp(argv[1], "receive")) receive();
  else if (!strcmp(argv[1], "request")) request();
  else if (!strcmp(argv[1], "respond")) respond();
  else if (!strcmp(argv[1], "idle")) idle();
  else if (!strcmp(argv[1], "tick")) tick();
  else if (!strcmp(argv[1], "say")) say();
  else bench_fail("no such mode");
  return 0;
}
