// The strongest publisher that a pipe can have: reads "RISING OFFSET SECONDS NANOSECONDS" lines, as
// gpiomon writes them, and publishes each over one connection, with nothing allocated and one write for
// whatever came by one read.
//
//   gpiomon --line-buffered --format='%e %o %s %n' gpiochip0 1 | publisher PORT SUBJECT

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **arguments) {
  if (count != 3) return 2;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (connect(server, (struct sockaddr *)&address, sizeof address) != 0) return 1;
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char greeting[4096];
  const char hello[] = "CONNECT {\"verbose\":false}\r\nPING\r\n";
  if (read(server, greeting, sizeof greeting) <= 0) return 1;
  if (write(server, hello, sizeof hello - 1) < 0 || read(server, greeting, sizeof greeting) <= 0) return 1;

  static char input[65536], output[262144];
  size_t filled = 0;
  for (;;) {
    ssize_t length = read(0, input + filled, sizeof input - 1 - filled);
    if (length <= 0) return 0;
    filled += (size_t)length;
    size_t done = 0, made = 0;
    char *end;
    while ((end = memchr(input + done, '\n', filled - done)) != NULL) {
      char *field = input + done, body[160];
      long rising = strtol(field, &field, 10), offset = strtol(field, &field, 10);
      long long seconds = strtoll(field, &field, 10), nanoseconds = strtoll(field, &field, 10);
      int bytes = snprintf(body, sizeof body, "{\"line\":%ld,\"edge\":\"%s\",\"monotonic_ns\":%lld}", offset,
                           rising ? "rising" : "falling", seconds * 1000000000ll + nanoseconds);
      made += (size_t)snprintf(output + made, sizeof output - made, "PUB %s %d\r\n%s\r\n", arguments[2],
                               bytes, body);
      done = (size_t)(end - input) + 1;
    }
    if (made > 0 && write(server, output, made) != (ssize_t)made) return 1;
    filled -= done;
    memmove(input, input + done, filled);
  }
}
