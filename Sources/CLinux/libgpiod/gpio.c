// The functions of ../gpio.c by libgpiod 2. Package.swift says which of the two files is compiled.
//
// libgpiod hands out pointers, and the border has descriptors: a table that only this file knows leads from
// one to the other. All calls are made on one thread.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <linux/gpio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(LINUX_GPIO_LINES_MAX == GPIO_V2_LINES_MAX, "the kernel's bound");

// MARK: the table

// One of the two, or neither where the descriptor is not ours.
typedef struct {
  struct gpiod_chip *chip;
  struct gpiod_line_request *request;
} handle;

// By descriptor; the kernel gives the lowest that is free, so the table stays short.
static handle *handles;
static int32_t handle_count;

static handle find(int32_t descriptor) {
  return descriptor >= 0 && descriptor < handle_count ? handles[descriptor] : (handle){NULL, NULL};
}

static int32_t keep(int32_t descriptor, handle added) {
  if (descriptor >= handle_count) {
    handle *grown = realloc(handles, ((size_t)descriptor + 1) * sizeof *grown);
    if (grown == NULL) return -ENOMEM;
    memset(grown + handle_count, 0, (size_t)(descriptor + 1 - handle_count) * sizeof *grown);
    handles = grown;
    handle_count = descriptor + 1;
  }
  handles[descriptor] = added;
  return descriptor;
}

// MARK: chips

int32_t linux_gpio_open(const char *path) {
  struct gpiod_chip *chip = gpiod_chip_open(path);
  if (chip == NULL) {
    int32_t error = -errno;
    // libgpiod asks what kind of file it is before it opens it. That it must not be opened says more.
    int32_t file = linux_open(path, 1);
    if (file < 0) return file;
    linux_close(file);
    return error;
  }
  int32_t descriptor = keep(gpiod_chip_get_fd(chip), (handle){.chip = chip});
  if (descriptor < 0) gpiod_chip_close(chip);
  return descriptor;
}

int32_t linux_gpio_close(int32_t descriptor) {
  handle closed = find(descriptor);
  if (closed.chip == NULL && closed.request == NULL) return -EBADF;
  handles[descriptor] = (handle){NULL, NULL};
  // Both do nothing for NULL.
  gpiod_chip_close(closed.chip);
  gpiod_line_request_release(closed.request);
  return 0;
}

// libgpiod has NULL for a name that is empty.
static void copy_name(char destination[33], const char *source) {
  memset(destination, 0, 33);
  if (source != NULL) strncpy(destination, source, 32);
}

int32_t linux_gpio_chip(int32_t chip, linux_gpio_chip_info *info) {
  handle known = find(chip);
  if (known.chip == NULL) return -EBADF;
  struct gpiod_chip_info *found = gpiod_chip_get_info(known.chip);
  if (found == NULL) return -errno;
  copy_name(info->name, gpiod_chip_info_get_name(found));
  copy_name(info->label, gpiod_chip_info_get_label(found));
  info->line_count = (uint32_t)gpiod_chip_info_get_num_lines(found);
  gpiod_chip_info_free(found);
  return 0;
}

static uint64_t flags_of(struct gpiod_line_info *info) {
  uint64_t flags = gpiod_line_info_get_direction(info) == GPIOD_LINE_DIRECTION_OUTPUT
                       ? GPIO_V2_LINE_FLAG_OUTPUT
                       : GPIO_V2_LINE_FLAG_INPUT;
  if (gpiod_line_info_is_used(info)) flags |= GPIO_V2_LINE_FLAG_USED;
  if (gpiod_line_info_is_active_low(info)) flags |= GPIO_V2_LINE_FLAG_ACTIVE_LOW;
  enum gpiod_line_edge edge = gpiod_line_info_get_edge_detection(info);
  if (edge != GPIOD_LINE_EDGE_NONE && edge != GPIOD_LINE_EDGE_FALLING) flags |= GPIO_V2_LINE_FLAG_EDGE_RISING;
  if (edge != GPIOD_LINE_EDGE_NONE && edge != GPIOD_LINE_EDGE_RISING) flags |= GPIO_V2_LINE_FLAG_EDGE_FALLING;
  enum gpiod_line_drive drive = gpiod_line_info_get_drive(info);
  if (drive == GPIOD_LINE_DRIVE_OPEN_DRAIN) flags |= GPIO_V2_LINE_FLAG_OPEN_DRAIN;
  if (drive == GPIOD_LINE_DRIVE_OPEN_SOURCE) flags |= GPIO_V2_LINE_FLAG_OPEN_SOURCE;
  enum gpiod_line_bias bias = gpiod_line_info_get_bias(info);
  if (bias == GPIOD_LINE_BIAS_PULL_UP) flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_UP;
  if (bias == GPIOD_LINE_BIAS_PULL_DOWN) flags |= GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN;
  if (bias == GPIOD_LINE_BIAS_DISABLED) flags |= GPIO_V2_LINE_FLAG_BIAS_DISABLED;
  return flags;
}

int32_t linux_gpio_line(int32_t chip, uint32_t offset, linux_gpio_line_info *info) {
  handle known = find(chip);
  if (known.chip == NULL) return -EBADF;
  struct gpiod_line_info *found = gpiod_chip_get_line_info(known.chip, offset);
  if (found == NULL) return -errno;
  copy_name(info->name, gpiod_line_info_get_name(found));
  copy_name(info->consumer, gpiod_line_info_get_consumer(found));
  info->flags = flags_of(found);
  info->debounce_microseconds = (uint32_t)gpiod_line_info_get_debounce_period_us(found);
  gpiod_line_info_free(found);
  return 0;
}

// MARK: settings

static const uint64_t both_edges = GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;

// All values are libgpiod's own, so none is refused.
static void fill(struct gpiod_line_settings *settings, const linux_gpio_settings *line) {
  uint64_t flags = line->flags;
  gpiod_line_settings_set_direction(settings,
                                    flags & GPIO_V2_LINE_FLAG_OUTPUT  ? GPIOD_LINE_DIRECTION_OUTPUT
                                    : flags & GPIO_V2_LINE_FLAG_INPUT ? GPIOD_LINE_DIRECTION_INPUT
                                                                      : GPIOD_LINE_DIRECTION_AS_IS);
  gpiod_line_settings_set_active_low(settings, flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW);
  gpiod_line_settings_set_edge_detection(settings,
                                         (flags & both_edges) == both_edges      ? GPIOD_LINE_EDGE_BOTH
                                         : flags & GPIO_V2_LINE_FLAG_EDGE_RISING  ? GPIOD_LINE_EDGE_RISING
                                         : flags & GPIO_V2_LINE_FLAG_EDGE_FALLING ? GPIOD_LINE_EDGE_FALLING
                                                                                  : GPIOD_LINE_EDGE_NONE);
  gpiod_line_settings_set_drive(settings,
                                flags & GPIO_V2_LINE_FLAG_OPEN_DRAIN    ? GPIOD_LINE_DRIVE_OPEN_DRAIN
                                : flags & GPIO_V2_LINE_FLAG_OPEN_SOURCE ? GPIOD_LINE_DRIVE_OPEN_SOURCE
                                                                        : GPIOD_LINE_DRIVE_PUSH_PULL);
  gpiod_line_settings_set_bias(settings,
                               flags & GPIO_V2_LINE_FLAG_BIAS_PULL_UP     ? GPIOD_LINE_BIAS_PULL_UP
                               : flags & GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN ? GPIOD_LINE_BIAS_PULL_DOWN
                               : flags & GPIO_V2_LINE_FLAG_BIAS_DISABLED  ? GPIOD_LINE_BIAS_DISABLED
                                                                          : GPIOD_LINE_BIAS_AS_IS);
  gpiod_line_settings_set_debounce_period_us(settings, line->debounce_microseconds);
  gpiod_line_settings_set_output_value(
      settings, line->value != 0 ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
}

static int32_t add_lines(struct gpiod_line_config *config, const linux_gpio_settings *lines, int32_t count) {
  struct gpiod_line_settings *settings = gpiod_line_settings_new();
  if (settings == NULL) return -ENOMEM;
  int32_t error = 0;
  for (int32_t index = 0; index < count && error == 0; index++) {
    fill(settings, &lines[index]);
    if (gpiod_line_config_add_line_settings(config, &lines[index].offset, 1, settings) < 0) error = -errno;
  }
  gpiod_line_settings_free(settings);
  // libgpiod takes a line that is there twice for one; the kernel would call it busy.
  if (error == 0 && gpiod_line_config_get_num_configured_offsets(config) != (size_t)count) error = -EBUSY;
  return error;
}

static int32_t make_config(struct gpiod_line_config **made, const linux_gpio_settings *lines, int32_t count) {
  if (count < 1 || count > LINUX_GPIO_LINES_MAX) return -EINVAL;
  *made = gpiod_line_config_new();
  if (*made == NULL) return -ENOMEM;
  int32_t error = add_lines(*made, lines, count);
  if (error < 0) gpiod_line_config_free(*made);
  return error;
}

// MARK: requests

int32_t linux_gpio_request(int32_t chip, const linux_gpio_settings *lines, int32_t count,
                           uint32_t event_buffer_size, const char *consumer) {
  handle known = find(chip);
  if (known.chip == NULL) return -EBADF;
  struct gpiod_line_config *config;
  int32_t error = make_config(&config, lines, count);
  if (error < 0) return error;
  struct gpiod_line_request *request = NULL;
  struct gpiod_request_config *options = gpiod_request_config_new();
  if (options == NULL) {
    error = -ENOMEM;
  } else {
    gpiod_request_config_set_consumer(options, consumer);
    gpiod_request_config_set_event_buffer_size(options, event_buffer_size);
    request = gpiod_chip_request_lines(known.chip, options, config);
    if (request == NULL) error = -errno;
  }
  gpiod_request_config_free(options);
  gpiod_line_config_free(config);
  if (request == NULL) return error;
  int32_t descriptor = keep(gpiod_line_request_get_fd(request), (handle){.request = request});
  if (descriptor < 0) {
    gpiod_line_request_release(request);
    return descriptor;
  }
  int flags = fcntl(descriptor, F_GETFL);
  if (flags >= 0) fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
  return descriptor;
}

int32_t linux_gpio_configure(int32_t request, const linux_gpio_settings *lines, int32_t count) {
  handle known = find(request);
  if (known.request == NULL) return -EBADF;
  struct gpiod_line_config *config;
  int32_t error = make_config(&config, lines, count);
  if (error < 0) return error;
  if (gpiod_line_request_reconfigure_lines(known.request, config) < 0) error = -errno;
  gpiod_line_config_free(config);
  return error;
}

// The offsets of the lines whose bits are in the mask, in the order of the request.
static size_t wanted(struct gpiod_line_request *request, uint64_t mask,
                     unsigned offsets[LINUX_GPIO_LINES_MAX]) {
  unsigned all[LINUX_GPIO_LINES_MAX];
  size_t lines = gpiod_line_request_get_requested_offsets(request, all, LINUX_GPIO_LINES_MAX);
  size_t count = 0;
  for (size_t place = 0; place < lines; place++)
    if (mask >> place & 1) offsets[count++] = all[place];
  return count;
}

int32_t linux_gpio_get(int32_t request, uint64_t mask, uint64_t *bits) {
  *bits = 0;
  handle known = find(request);
  if (known.request == NULL) return -EBADF;
  unsigned offsets[LINUX_GPIO_LINES_MAX];
  enum gpiod_line_value values[LINUX_GPIO_LINES_MAX];
  size_t count = wanted(known.request, mask, offsets);
  if (gpiod_line_request_get_values_subset(known.request, count, offsets, values) < 0) return -errno;
  for (size_t index = 0; index < count; index++, mask &= mask - 1)
    if (values[index] == GPIOD_LINE_VALUE_ACTIVE) *bits |= mask & -mask;
  return 0;
}

int32_t linux_gpio_set(int32_t request, uint64_t mask, uint64_t bits) {
  handle known = find(request);
  if (known.request == NULL) return -EBADF;
  unsigned offsets[LINUX_GPIO_LINES_MAX];
  enum gpiod_line_value values[LINUX_GPIO_LINES_MAX];
  size_t count = wanted(known.request, mask, offsets);
  for (size_t index = 0; index < count; index++, mask &= mask - 1)
    values[index] = bits & mask & -mask ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
  return gpiod_line_request_set_values_subset(known.request, count, offsets, values) < 0 ? -errno : 0;
}

enum { EVENTS_PER_READ_MAX = 16 };

int32_t linux_gpio_read_events(int32_t request, linux_gpio_event *events, int32_t capacity) {
  // One for all requests: it holds nothing between two calls.
  static struct gpiod_edge_event_buffer *buffer;
  handle known = find(request);
  if (known.request == NULL) return -EBADF;
  if (capacity <= 0) return -EINVAL;
  if (buffer == NULL) buffer = gpiod_edge_event_buffer_new(EVENTS_PER_READ_MAX);
  if (buffer == NULL) return -ENOMEM;
  // It reads no more than its buffer takes.
  int32_t count = gpiod_line_request_read_edge_events(known.request, buffer, (size_t)capacity);
  if (count < 0) return -errno;
  for (int32_t index = 0; index < count; index++) {
    struct gpiod_edge_event *event = gpiod_edge_event_buffer_get_event(buffer, (unsigned long)index);
    events[index].monotonic_nanoseconds = (int64_t)gpiod_edge_event_get_timestamp_ns(event);
    events[index].kind = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE
                             ? LINUX_GPIO_RISING
                             : LINUX_GPIO_FALLING;
    events[index].offset = gpiod_edge_event_get_line_offset(event);
    events[index].sequence = (uint32_t)gpiod_edge_event_get_global_seqno(event);
    events[index].line_sequence = (uint32_t)gpiod_edge_event_get_line_seqno(event);
  }
  return count;
}
