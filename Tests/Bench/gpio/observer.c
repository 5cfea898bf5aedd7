// A NATS server that only looks at the clock: takes connections one after the other, and notes for each
// published message when it came and when the edge was of which it tells ("monotonic_ns" in it).
//
//   observer PORT SUFFIX     subjects that end so count
//
// On SIGUSR1 it prints "samples N p50_ns A p99_ns B max_ns C", and forgets them: from the edge's time, by
// the kernel's GPIO code, to the moment the message has been read here. Both are CLOCK_MONOTONIC.

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 100000, BUFFER_BYTES = 1 << 18 };

static long long samples[SAMPLES_MAX];
static int sample_count;
static const char *suffix;
static volatile sig_atomic_t is_asked;

static void ask(int signal_number) { is_asked = signal_number; }

static const char info[] =
    "INFO {\"server_id\":\"observer\",\"version\":\"2.9.10\",\"proto\":1,\"headers\":true,"
    "\"max_payload\":1048576}\r\n";

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static int compare(const void *left, const void *right) {
  long long a = *(const long long *)left, b = *(const long long *)right;
  return (a > b) - (a < b);
}

static void report(void) {
  qsort(samples, (size_t)sample_count, sizeof samples[0], compare);
  if (sample_count > 0)
    printf("samples %d p50_ns %lld p99_ns %lld max_ns %lld\n", sample_count, samples[sample_count / 2],
           samples[sample_count * 99ll / 100], samples[sample_count - 1]);
  else
    printf("samples 0\n");
  sample_count = 0;
  is_asked = 0;
}

static void take(const char *subject, const char *payload, long long at) {
  size_t length = strcspn(subject, " \r"), tail = strlen(suffix);
  if (length < tail || strncmp(subject + length - tail, suffix, tail) != 0) return;
  const char *field = strstr(payload, "\"monotonic_ns\":");
  if (field != NULL && sample_count < SAMPLES_MAX)
    samples[sample_count++] = at - atoll(field + strlen("\"monotonic_ns\":"));
}

// Handles one operation at the start of the text; returns its bytes, 0 when it is not all there.
static size_t handle(int client, char *text, size_t length, long long at) {
  char *end = memmem(text, length, "\r\n", 2);
  if (end == NULL) return 0;
  size_t line = (size_t)(end - text) + 2;
  if (strncmp(text, "PING", 4) == 0 && write(client, "PONG\r\n", 6) != 6) return line;
  int has_headers = strncmp(text, "HPUB ", 5) == 0;
  if (!has_headers && strncmp(text, "PUB ", 4) != 0) return line;
  char *number = end;
  while (number[-1] != ' ') number--;
  size_t payload = (size_t)atoi(number);
  if (length < line + payload + 2) return 0;
  char saved = text[line + payload];
  text[line + payload] = 0;
  take(text + (has_headers ? 5 : 4), end + 2, at);
  text[line + payload] = saved;
  return line + payload + 2;
}

static void serve(int client) {
  static char buffer[BUFFER_BYTES];
  size_t filled = 0;
  if (write(client, info, sizeof info - 1) < 0) return;
  for (;;) {
    ssize_t length = read(client, buffer + filled, sizeof buffer - 1 - filled);
    long long at = now();
    if (is_asked) report();
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return;
    filled += (size_t)length;
    size_t done = 0, step;
    while ((step = handle(client, buffer + done, filled - done, at)) > 0) done += step;
    filled -= done;
    memmove(buffer, buffer + done, filled);
  }
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  suffix = arguments[2];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4) != 0) return 1;
  struct sigaction asking = {.sa_handler = ask};
  sigaction(SIGUSR1, &asking, NULL);
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (is_asked) report();
    if (client < 0) continue;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    serve(client);
    close(client);
  }
}
