#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <string.h>
#include <sys/ioctl.h>

_Static_assert(GPIO_MAX_NAME_SIZE < sizeof(((linux_gpio_chip_info *)0)->name),
               "a kernel name and its NUL fit");

static int32_t call(int32_t descriptor, unsigned long request, void *argument) {
  int result;
  do result = ioctl(descriptor, request, argument);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

// The kernel fills its 32 bytes without promising a NUL.
static void copy_name(char destination[33], const char source[GPIO_MAX_NAME_SIZE]) {
  memcpy(destination, source, GPIO_MAX_NAME_SIZE);
  destination[GPIO_MAX_NAME_SIZE] = 0;
}

int32_t linux_gpio_chip(int32_t chip, linux_gpio_chip_info *info) {
  struct gpiochip_info kernel = {0};
  int32_t error = call(chip, GPIO_GET_CHIPINFO_IOCTL, &kernel);
  if (error < 0) return error;
  copy_name(info->name, kernel.name);
  copy_name(info->label, kernel.label);
  info->line_count = kernel.lines;
  return 0;
}

int32_t linux_gpio_line(int32_t chip, uint32_t offset, linux_gpio_line_info *info) {
  struct gpio_v2_line_info kernel = {.offset = offset};
  int32_t error = call(chip, GPIO_V2_GET_LINEINFO_IOCTL, &kernel);
  if (error < 0) return error;
  copy_name(info->name, kernel.name);
  copy_name(info->consumer, kernel.consumer);
  info->flags = kernel.flags;
  return 0;
}

int32_t linux_gpio_request_line(int32_t chip, const linux_gpio_request *request,
                                const char *consumer) {
  struct gpio_v2_line_request kernel = {
      .num_lines = 1,
      .event_buffer_size = request->event_buffer_size,
  };
  kernel.offsets[0] = request->offset;
  strncpy(kernel.consumer, consumer, sizeof kernel.consumer - 1);
  kernel.config.flags = request->flags;
  if (request->flags & GPIO_V2_LINE_FLAG_OUTPUT) {
    struct gpio_v2_line_config_attribute *value = &kernel.config.attrs[kernel.config.num_attrs++];
    value->mask = 1;
    value->attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
    value->attr.values = request->value != 0;
  }
  if (request->debounce_microseconds != 0) {
    struct gpio_v2_line_config_attribute *debounce =
        &kernel.config.attrs[kernel.config.num_attrs++];
    debounce->mask = 1;
    debounce->attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
    debounce->attr.debounce_period_us = request->debounce_microseconds;
  }
  int32_t error = call(chip, GPIO_V2_GET_LINE_IOCTL, &kernel);
  if (error < 0) return error;
  int flags = fcntl(kernel.fd, F_GETFL);
  if (flags >= 0) fcntl(kernel.fd, F_SETFL, flags | O_NONBLOCK);
  return kernel.fd;
}

int32_t linux_gpio_get(int32_t line) {
  struct gpio_v2_line_values values = {.mask = 1};
  int32_t error = call(line, GPIO_V2_LINE_GET_VALUES_IOCTL, &values);
  return error < 0 ? error : (int32_t)(values.bits & 1);
}

int32_t linux_gpio_set(int32_t line, uint32_t value) {
  struct gpio_v2_line_values values = {.mask = 1, .bits = value != 0};
  return call(line, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
}

enum { EVENTS_PER_READ_MAX = 16 };

int32_t linux_gpio_read_events(int32_t line, linux_gpio_event *events, int32_t capacity) {
  struct gpio_v2_line_event kernel[EVENTS_PER_READ_MAX];
  if (capacity > EVENTS_PER_READ_MAX) capacity = EVENTS_PER_READ_MAX;
  if (capacity <= 0) return -EINVAL;
  int64_t length = linux_read(line, kernel, (size_t)capacity * sizeof kernel[0]);
  if (length < 0) return (int32_t)length;
  int32_t count = (int32_t)((size_t)length / sizeof kernel[0]);
  for (int32_t index = 0; index < count; index++) {
    events[index].monotonic_nanoseconds = (int64_t)kernel[index].timestamp_ns;
    events[index].kind = kernel[index].id == GPIO_V2_LINE_EVENT_RISING_EDGE ? LINUX_GPIO_RISING
                                                                           : LINUX_GPIO_FALLING;
    events[index].offset = kernel[index].offset;
    events[index].sequence = kernel[index].seqno;
    events[index].line_sequence = kernel[index].line_seqno;
  }
  return count;
}
