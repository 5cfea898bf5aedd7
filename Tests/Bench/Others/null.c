// A server that costs next to nothing, so that a client is measured and not nats-server:
//
//   null sink               takes what is published and answers PING
//   null source SIZE COUNT  sends COUNT messages to a subscription of `bench`, once it is flushed
//
// It prints its port and serves one client after the other.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CBench.h"

enum { INPUT_BYTES = 262144, BLOCK_BYTES = 65536 };

static char input[INPUT_BYTES + 1];

static int send_all(int client, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(client, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    bytes += sent;
    length -= (size_t)sent;
  }
  return 1;
}

// A PING of a measured client is the last thing it sends before it waits.
static int ends_with_ping(const char *bytes, size_t length) {
  return length >= 6 && memcmp(bytes + length - 6, "PING\r\n", 6) == 0;
}

static void serve_sink(int client) {
  char last[6] = {0};
  for (;;) {
    ssize_t count = recv(client, input, INPUT_BYTES, 0);
    if (count <= 0) return;
    size_t length = (size_t)count;
    if (length >= 6) {
      memcpy(last, input + length - 6, 6);
    } else {
      memmove(last, last + length, 6 - length);
      memcpy(last + 6 - length, input, length);
    }
    if (ends_with_ping(last, 6) && !send_all(client, "PONG\r\n", 6)) return;
  }
}

static void stream(int client, int sid, int64_t size, int64_t count) {
  char *one = malloc((size_t)size + 64), *block = malloc(BLOCK_BYTES);
  size_t length = (size_t)sprintf(one, "MSG bench %d %d\r\n", sid, (int)size);
  memcpy(one + length, bench_payload(size), (size_t)size);
  memcpy(one + length + size, "\r\n", 2);
  length += (size_t)size + 2;
  int64_t per_block = (int64_t)(BLOCK_BYTES / length);
  for (int64_t n = 0; n < per_block; n++) memcpy(block + (size_t)n * length, one, length);
  while (count > 0) {
    int64_t part = count < per_block ? count : per_block;
    if (!send_all(client, block, (size_t)part * length)) break;
    count -= part;
  }
  free(one);
  free(block);
}

static void serve_source(int client, int64_t size, int64_t count) {
  size_t length = 0;
  int sid = 0;
  for (;;) {
    ssize_t got = recv(client, input + length, INPUT_BYTES - length, 0);
    if (got <= 0) return;
    length += (size_t)got;
    input[length] = 0;
    char *line = strstr(input, "SUB bench ");
    if (line != NULL) sscanf(line, "SUB bench %d", &sid);
    if (!ends_with_ping(input, length)) continue;
    if (!send_all(client, "PONG\r\n", 6)) return;
    length = 0;
    if (sid != 0) stream(client, sid, size, count);
    sid = 0;
  }
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t address_length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) bench_fail("bind");
  if (listen(listener, 16) < 0) bench_fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &address_length);
  bench_report("port", ntohs(address.sin_port));
  for (;;) {
    int client = accept(listener, NULL, NULL);
    const char *info = "INFO {\"server_id\":\"null\",\"version\":\"2.9.10\",\"proto\":1,"
                       "\"headers\":true,\"max_payload\":1048576}\r\n";
    if (send_all(client, info, strlen(info))) {
      if (argc > 3 && !strcmp(argv[1], "source")) serve_source(client, atoll(argv[2]), atoll(argv[3]));
      else serve_sink(client);
    }
    close(client);
  }
}
