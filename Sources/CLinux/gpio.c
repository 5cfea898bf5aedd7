#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <string.h>
#include <sys/ioctl.h>

_Static_assert(LINUX_GPIO_LINES_MAX == GPIO_V2_LINES_MAX, "the kernel's bound");
_Static_assert(GPIO_MAX_NAME_SIZE < sizeof(((linux_gpio_chip_info *)0)->name),
               "a kernel name and its NUL fit");

static int32_t call(int32_t descriptor, unsigned long request, void *argument) {
  int result;
  do result = ioctl(descriptor, request, argument);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

int32_t linux_gpio_open(const char *path) { return linux_open(path, 1); }

int32_t linux_gpio_close(int32_t descriptor) { return linux_close(descriptor); }

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
  info->debounce_microseconds = 0;
  for (uint32_t index = 0; index < kernel.num_attrs && index < GPIO_V2_LINE_NUM_ATTRS_MAX; index++)
    if (kernel.attrs[index].id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE)
      info->debounce_microseconds = kernel.attrs[index].debounce_period_us;
  return 0;
}

// The attribute of the configuration that says the same of other lines already, or a new one; NULL
// when there is no room.
static struct gpio_v2_line_config_attribute *attribute(struct gpio_v2_line_config *config, uint32_t id,
                                                       uint64_t value) {
  for (uint32_t index = 0; index < config->num_attrs; index++) {
    struct gpio_v2_line_config_attribute *known = &config->attrs[index];
    if (known->attr.id != id) continue;
    if (id == GPIO_V2_LINE_ATTR_ID_FLAGS && known->attr.flags != value) continue;
    if (id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE && known->attr.debounce_period_us != value) continue;
    return known;
  }
  if (config->num_attrs == GPIO_V2_LINE_NUM_ATTRS_MAX) return NULL;
  struct gpio_v2_line_config_attribute *fresh = &config->attrs[config->num_attrs++];
  fresh->attr.id = id;
  if (id == GPIO_V2_LINE_ATTR_ID_FLAGS) fresh->attr.flags = value;
  if (id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE) fresh->attr.debounce_period_us = (uint32_t)value;
  return fresh;
}

// The first line's flags are those of all lines that are not given others.
static int32_t configure(struct gpio_v2_line_config *config, const linux_gpio_settings *lines,
                         int32_t count) {
  config->flags = lines[0].flags;
  for (int32_t index = 0; index < count; index++) {
    const linux_gpio_settings *line = &lines[index];
    uint64_t bit = (uint64_t)1 << index;
    struct gpio_v2_line_config_attribute *entry;
    if (line->flags != config->flags) {
      if ((entry = attribute(config, GPIO_V2_LINE_ATTR_ID_FLAGS, line->flags)) == NULL) return -E2BIG;
      entry->mask |= bit;
    }
    if (line->flags & GPIO_V2_LINE_FLAG_OUTPUT) {
      if ((entry = attribute(config, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, 0)) == NULL) return -E2BIG;
      entry->mask |= bit;
      if (line->value != 0) entry->attr.values |= bit;
    }
    if (line->debounce_microseconds != 0) {
      entry = attribute(config, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, line->debounce_microseconds);
      if (entry == NULL) return -E2BIG;
      entry->mask |= bit;
    }
  }
  return 0;
}

int32_t linux_gpio_request(int32_t chip, const linux_gpio_settings *lines, int32_t count,
                           uint32_t event_buffer_size, const char *consumer) {
  if (count < 1 || count > LINUX_GPIO_LINES_MAX) return -EINVAL;
  struct gpio_v2_line_request kernel = {
      .num_lines = (uint32_t)count,
      .event_buffer_size = event_buffer_size,
  };
  for (int32_t index = 0; index < count; index++) kernel.offsets[index] = lines[index].offset;
  strncpy(kernel.consumer, consumer, sizeof kernel.consumer - 1);
  int32_t error = configure(&kernel.config, lines, count);
  if (error == 0) error = call(chip, GPIO_V2_GET_LINE_IOCTL, &kernel);
  if (error < 0) return error;
  int flags = fcntl(kernel.fd, F_GETFL);
  if (flags >= 0) fcntl(kernel.fd, F_SETFL, flags | O_NONBLOCK);
  return kernel.fd;
}

int32_t linux_gpio_configure(int32_t request, const linux_gpio_settings *lines, int32_t count) {
  if (count < 1 || count > LINUX_GPIO_LINES_MAX) return -EINVAL;
  struct gpio_v2_line_config config = {0};
  int32_t error = configure(&config, lines, count);
  return error < 0 ? error : call(request, GPIO_V2_LINE_SET_CONFIG_IOCTL, &config);
}

int32_t linux_gpio_get(int32_t request, uint64_t mask, uint64_t *bits) {
  struct gpio_v2_line_values values = {.mask = mask};
  int32_t error = call(request, GPIO_V2_LINE_GET_VALUES_IOCTL, &values);
  *bits = values.bits;
  return error;
}

int32_t linux_gpio_set(int32_t request, uint64_t mask, uint64_t bits) {
  struct gpio_v2_line_values values = {.mask = mask, .bits = bits};
  return call(request, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
}

enum { EVENTS_PER_READ_MAX = 16 };

int32_t linux_gpio_read_events(int32_t request, linux_gpio_event *events, int32_t capacity) {
  struct gpio_v2_line_event kernel[EVENTS_PER_READ_MAX];
  if (capacity > EVENTS_PER_READ_MAX) capacity = EVENTS_PER_READ_MAX;
  if (capacity <= 0) return -EINVAL;
  int64_t length = linux_read(request, kernel, (size_t)capacity * sizeof kernel[0]);
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
