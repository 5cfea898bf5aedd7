// A test fixture, never installed: one GPIO request per run, straight to the kernel (uAPI v2,
// linux/gpio.h), so that what edge-host relies on is known from the kernel and not from edge-host.
//
//   kernel-probe watch CHIP LINE DEBOUNCE_US   prints "watching", then every edge
//   kernel-probe hold  CHIP LINE LEVEL         drives an output, prints "holding", until killed
//   kernel-probe read  CHIP LINE BIAS          prints the level; BIAS is as-is, up, down or off
//
// A call the kernel refuses is printed with its error; the status is then 1.

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int refused(const char *call) {
  printf("%s: %s\n", call, strerror(errno));
  return 1;
}

static int watch(int line) {
  printf("watching\n");
  for (;;) {
    struct gpio_v2_line_event event;
    if (read(line, &event, sizeof event) != sizeof event) return refused("read");
    printf("edge %s seqno %u line_seqno %u timestamp_ns %llu\n",
           event.id == GPIO_V2_LINE_EVENT_RISING_EDGE ? "rising" : "falling", event.seqno,
           event.line_seqno, (unsigned long long)event.timestamp_ns);
  }
}

static int read_level(int line) {
  struct gpio_v2_line_values values = {.mask = 1};
  if (ioctl(line, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) != 0) return refused("get values");
  printf("%d\n", (int)(values.bits & 1));
  return 0;
}

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (count != 5) return 2;
  const char *action = arguments[1], *argument = arguments[4];

  struct gpio_v2_line_request request = {.num_lines = 1, .consumer = "kernel-probe"};
  request.offsets[0] = (unsigned)atoi(arguments[3]);
  if (strcmp(action, "watch") == 0) {
    request.config.flags =
        GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
    if (atoi(argument) > 0) {
      request.config.num_attrs = 1;
      request.config.attrs[0].mask = 1;
      request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
      request.config.attrs[0].attr.debounce_period_us = (unsigned)atoi(argument);
    }
  } else if (strcmp(action, "hold") == 0) {
    request.config.flags = GPIO_V2_LINE_FLAG_OUTPUT;
    request.config.num_attrs = 1;
    request.config.attrs[0].mask = 1;
    request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
    request.config.attrs[0].attr.values = (unsigned)atoi(argument);
  } else if (strcmp(action, "read") == 0) {
    request.config.flags = GPIO_V2_LINE_FLAG_INPUT;
    if (strcmp(argument, "up") == 0) request.config.flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_UP;
    if (strcmp(argument, "down") == 0) request.config.flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN;
    if (strcmp(argument, "off") == 0) request.config.flags |= GPIO_V2_LINE_FLAG_BIAS_DISABLED;
  } else {
    return 2;
  }

  int chip = open(arguments[2], O_RDWR | O_CLOEXEC);
  if (chip < 0) return refused("open");
  if (ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) != 0) return refused("get line");

  if (strcmp(action, "watch") == 0) return watch(request.fd);
  if (strcmp(action, "read") == 0) return read_level(request.fd);
  printf("holding\n");
  pause();
  return 0;
}
