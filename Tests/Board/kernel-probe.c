// A test fixture, never installed: one GPIO request per run, straight to the kernel (uAPI v2,
// linux/gpio.h), so that what edge-host relies on is known from the kernel and not from edge-host.
//
//   kernel-probe CHIP LINES STEP...     for example: /dev/gpiochip0 1,2 output:3 get pause
//
// The first of these takes the lines; a later one gives the same request another configuration:
//   as-is | input[:up|:down|:off] | output:BITS | edges[:DEBOUNCE_US[:BUFFER]]
// And these use them; bit 0 is the first line:
//   set:BITS   all lines in one call          get     prints "levels BITS", read in one call
//   info       prints the flags and the debounce of each line, as the chip tells everybody
//   watch      prints every edge, for ever    drain   prints the edges that are waiting
//   poll:MS    prints what poll() reports     pause   prints "paused" and waits for SIGUSR1
//
// A call the kernel refuses is printed with its error. The status is then 1, at the end.

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct gpio_v2_line_request request = {.fd = -1, .consumer = "kernel-probe"};
static int chip, status;

static void check(int result, const char *call) {
  if (result >= 0) return;
  printf("%s: %s\n", call, strerror(errno));
  status = 1;
}

static unsigned long all_lines(void) { return (1ul << request.num_lines) - 1; }

static void attribute(struct gpio_v2_line_config *config, unsigned id, unsigned long value) {
  struct gpio_v2_line_config_attribute *entry = &config->attrs[config->num_attrs++];
  entry->mask = all_lines();
  entry->attr.id = id;
  if (id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES)
    entry->attr.values = value;
  else
    entry->attr.debounce_period_us = (unsigned)value;
}

static int configure(const char *what, char *first, char *second) {
  struct gpio_v2_line_config config = {0};
  if (strcmp(what, "output") == 0 && first != NULL) {
    config.flags = GPIO_V2_LINE_FLAG_OUTPUT;
    attribute(&config, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, strtoul(first, NULL, 0));
  } else if (strcmp(what, "edges") == 0) {
    config.flags =
        GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
    if (first != NULL && atoi(first) > 0)
      attribute(&config, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, strtoul(first, NULL, 0));
    if (second != NULL) request.event_buffer_size = (unsigned)atoi(second);
  } else if (strcmp(what, "input") == 0) {
    config.flags = GPIO_V2_LINE_FLAG_INPUT;
    if (first != NULL && strcmp(first, "up") == 0) config.flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_UP;
    if (first != NULL && strcmp(first, "down") == 0) config.flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN;
    if (first != NULL && strcmp(first, "off") == 0) config.flags |= GPIO_V2_LINE_FLAG_BIAS_DISABLED;
  } else if (strcmp(what, "as-is") != 0) {
    return 0;
  }
  if (request.fd >= 0) {
    check(ioctl(request.fd, GPIO_V2_LINE_SET_CONFIG_IOCTL, &config), "set config");
  } else {
    request.config = config;
    check(ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request), "get line");
  }
  return 1;
}

static void print_edges(void) {
  struct gpio_v2_line_event events[64];
  ssize_t length = read(request.fd, events, sizeof events);
  check((int)length, "read");
  for (ssize_t index = 0; index < length / (ssize_t)sizeof events[0]; index++)
    printf("edge %s seqno %u line_seqno %u timestamp_ns %llu offset %u\n",
           events[index].id == GPIO_V2_LINE_EVENT_RISING_EDGE ? "rising" : "falling",
           events[index].seqno, events[index].line_seqno,
           (unsigned long long)events[index].timestamp_ns, events[index].offset);
}

static short readiness(int milliseconds) {
  struct pollfd descriptor = {.fd = request.fd, .events = POLLIN};
  check(poll(&descriptor, 1, milliseconds), "poll");
  return descriptor.revents;
}

static void print_info(void) {
  for (unsigned index = 0; index < request.num_lines; index++) {
    struct gpio_v2_line_info info = {.offset = request.offsets[index]};
    check(ioctl(chip, GPIO_V2_GET_LINEINFO_IOCTL, &info), "get line info");
    unsigned debounce = 0;
    for (unsigned place = 0; place < info.num_attrs; place++)
      if (info.attrs[place].id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE)
        debounce = info.attrs[place].debounce_period_us;
    printf("line %u consumer %s flags %#llx debounce_us %u\n", info.offset, info.consumer,
           (unsigned long long)info.flags, debounce);
  }
}

static void use(const char *what, char *argument) {
  struct gpio_v2_line_values values = {.mask = all_lines()};
  if (strcmp(what, "get") == 0) {
    int result = ioctl(request.fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values);
    check(result, "get values");
    if (result == 0) printf("levels %llu\n", (unsigned long long)values.bits);
  } else if (strcmp(what, "set") == 0 && argument != NULL) {
    values.bits = strtoul(argument, NULL, 0);
    check(ioctl(request.fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values), "set values");
  } else if (strcmp(what, "info") == 0) {
    print_info();
  } else if (strcmp(what, "poll") == 0 && argument != NULL) {
    short ready = readiness(atoi(argument));
    printf("poll%s%s%s\n", ready & POLLIN ? " in" : "", ready & POLLERR ? " err" : "",
           ready & POLLHUP ? " hup" : "");
  } else if (strcmp(what, "watch") == 0) {
    printf("watching\n");
    while (status == 0) print_edges();
  } else if (strcmp(what, "drain") == 0) {
    while (status == 0 && readiness(0) & POLLIN) print_edges();
    printf("drained\n");
  } else if (strcmp(what, "pause") == 0) {
    printf("paused\n");
    sigset_t wake;
    int number;
    sigemptyset(&wake);
    sigaddset(&wake, SIGUSR1);
    sigwait(&wake, &number);
  } else {
    printf("no such step: %s\n", what);
    status = 2;
  }
}

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (count < 4) return 2;
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, NULL);

  for (char *line = strtok(arguments[2], ","); line != NULL && request.num_lines < GPIO_V2_LINES_MAX;
       line = strtok(NULL, ","))
    request.offsets[request.num_lines++] = (unsigned)atoi(line);
  chip = open(arguments[1], O_RDWR | O_CLOEXEC);
  check(chip, "open");
  for (int index = 3; index < count && !(status != 0 && request.fd < 0); index++) {
    char *what = strtok(arguments[index], ":"), *first = strtok(NULL, ":"), *second = strtok(NULL, ":");
    if (!configure(what, first, second)) use(what, first);
  }
  return status;
}
