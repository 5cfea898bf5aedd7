// Thin functions over Linux system calls: the only C of the project.
//
// Every function that can fail returns a negative errno. Nothing here keeps state, allocates
// (name resolution and libgpiod excepted) or decides anything; that is left to Swift.
#pragma once

#include <stddef.h>
#include <stdint.h>

// MARK: errors, clocks, process (process.c)

/// Text for an errno value, static storage.
const char *linux_error_text(int32_t error);

/// Nanoseconds of CLOCK_MONOTONIC, the clock of kernel GPIO events.
int64_t linux_monotonic_nanoseconds(void);
/// Nanoseconds of CLOCK_REALTIME since 1970.
int64_t linux_realtime_nanoseconds(void);
/// 1 when something (NTP, PTP, a receiver) keeps CLOCK_REALTIME right, as the kernel was told.
int32_t linux_clock_is_synchronised(void);

/// Fills `buffer` with random bytes from getrandom(2).
int32_t linux_random(void *buffer, size_t length);

/// Copies the program's arguments, each ended by a NUL, into `buffer`; returns the bytes copied,
/// or -E2BIG when they do not fit.
int64_t linux_arguments(char *buffer, size_t capacity);
/// The value of an environment variable, or NULL.
const char *linux_environment(const char *name);
/// The kernel's host name into `buffer`, NUL terminated.
int32_t linux_host_name(char *buffer, size_t capacity);
/// Ends the process at once.
_Noreturn void linux_exit(int32_t status);
/// 1 when the descriptor is a terminal.
int32_t linux_is_terminal(int32_t descriptor);
/// Sends one datagram to a Unix socket path (a leading '@' names an abstract socket), as
/// sd_notify(3) does.
int32_t linux_notify(const char *path, const char *message);

// MARK: files (file.c)

/// Opens for reading; `write` not 0: for reading and writing. Close-on-exec and non-blocking.
int32_t linux_open(const char *path, int32_t write);
/// The number of the group whose members may read and write a file; -EACCES when they may not.
int64_t linux_file_group(const char *path);
int64_t linux_read(int32_t descriptor, void *buffer, size_t capacity);
int64_t linux_write(int32_t descriptor, const void *bytes, size_t length);
int32_t linux_close(int32_t descriptor);
/// Opens, reads at most `capacity` bytes and closes; returns the bytes read.
int64_t linux_read_file(const char *path, void *buffer, size_t capacity);
/// Opens a file that is there, replaces its content in one write, as attributes of sysfs want it, and
/// closes; returns the bytes written.
int64_t linux_write_file(const char *path, const void *bytes, size_t length);
/// Where a symbolic link leads, without a NUL; returns the length, -ENAMETOOLONG when it does not fit.
int64_t linux_read_link(const char *path, char *buffer, size_t capacity);

// MARK: files that are kept over a power cut (file.c)

/// Opens for reading and writing; a file that is not there is made, for its owner alone. Close-on-exec.
int32_t linux_create(const char *path);
/// Creates a file that is not there yet (-EEXIST), for writing; everybody may read it. Close-on-exec.
int32_t linux_create_new(const char *path);
/// Reads at an offset; returns the bytes read, fewer only at the end of the file.
int64_t linux_read_at(int32_t descriptor, void *buffer, size_t capacity, int64_t offset);
/// Writes at an offset; returns the bytes written, fewer when the disk has no room for more.
int64_t linux_write_at(int32_t descriptor, const void *bytes, size_t length, int64_t offset);
/// Keeps other programs that ask for the lock from getting it (-EAGAIN), until the file is closed.
int32_t linux_lock(int32_t descriptor);
int64_t linux_file_size(int32_t descriptor);
/// Cuts the file, or adds zeros that take no room.
int32_t linux_set_file_size(int32_t descriptor, int64_t size);
/// Makes sure that there is room for a file of this size, and makes it as large; -EOPNOTSUPP where the file
/// system cannot.
int32_t linux_allocate(int32_t descriptor, int64_t size);
/// Gives the file another name, in place of a file that has it.
int32_t linux_rename(const char *from, const char *to);
/// Starts to bring what was written to the disk, on a short-lived thread; `path` not NULL: the file's name
/// too. Returns a descriptor that becomes readable when linux_sync_result can be called; closing it early
/// abandons the outcome. The file's own descriptor may be closed meanwhile.
int32_t linux_sync(int32_t descriptor, const char *path);
/// Reads the outcome: 0 or a negative errno. -EAGAIN: not done yet; `wait` not 0: blocks until it is.
int32_t linux_sync_result(int32_t descriptor, int32_t wait);

// MARK: event loop (event.c)

enum {
  LINUX_READABLE = 1,
  LINUX_WRITABLE = 2,
  /// Error or hang-up; always reported.
  LINUX_FAILED = 4,
};

typedef struct {
  uint64_t token;
  uint32_t readiness;
} linux_event;

int32_t linux_epoll_create(void);
int32_t linux_epoll_add(int32_t epoll, int32_t descriptor, uint32_t interests, uint64_t token);
int32_t linux_epoll_modify(int32_t epoll, int32_t descriptor, uint32_t interests, uint64_t token);
int32_t linux_epoll_remove(int32_t epoll, int32_t descriptor);
/// Waits without a limit (a timer descriptor wakes it); returns the number of events, 0 when
/// interrupted.
int32_t linux_epoll_wait(int32_t epoll, linux_event *events, int32_t capacity);

/// A timerfd on CLOCK_MONOTONIC.
int32_t linux_timer_create(void);
/// Arms the timer for an absolute time; 0 disarms it.
int32_t linux_timer_set(int32_t timer, int64_t monotonic_nanoseconds);

/// A timerfd on CLOCK_REALTIME that never expires: it is readable when the clock was set.
int32_t linux_clock_watch(void);
/// 1 when the clock was set since the last call.
int32_t linux_clock_was_set(int32_t watch);

/// Blocks SIGTERM, SIGINT and SIGHUP, ignores SIGPIPE, and returns a descriptor that delivers the
/// blocked ones.
int32_t linux_signals_create(void);
/// The next signal's number, or -EAGAIN.
int32_t linux_signals_read(int32_t signals);

// MARK: sockets (socket.c)

/// An IPv4 or IPv6 address with its port, as the kernel takes it.
typedef struct {
  uint8_t bytes[28];
  uint32_t length;
} linux_address;

/// Starts to resolve a host name on a short-lived thread. Returns a descriptor that becomes
/// readable when linux_resolve_result can be called; closing it early abandons the look-up.
int32_t linux_resolve(const char *host, uint16_t port);
/// Reads the outcome: the number of addresses (at most `capacity`), or a negative errno
/// (-ENOENT: no such host).
int32_t linux_resolve_result(int32_t descriptor, linux_address *addresses, int32_t capacity);

/// Opens a non-blocking socket and starts to connect; a negative errno only when that fails at once.
/// `multipath` not 0: by Multipath TCP, or by TCP where the kernel has none. `syn_retries` 0: as many
/// as the kernel's default.
int32_t linux_tcp_connect(const linux_address *address, uint32_t multipath, uint32_t syn_retries);
/// The outcome of a connect once the socket is writable: 0 or a negative errno.
int32_t linux_tcp_connect_result(int32_t socket);

int64_t linux_receive(int32_t socket, void *buffer, size_t capacity);
int64_t linux_send(int32_t socket, const void *bytes, size_t length);

/// A run of bytes that is sent together with others.
typedef struct {
  const void *start;
  size_t length;
} linux_piece;

enum {
  /// Pieces that one call sends at most; what lies behind them is left for the next call.
  LINUX_PIECES_MAX = 32,
};

/// Sends the pieces in order with one system call. Never blocks and never raises SIGPIPE. Returns
/// the bytes the kernel took, which may end inside a piece.
int64_t linux_send_pieces(int32_t socket, const linux_piece *pieces, int32_t count);

// MARK: stream sockets of this machine (local.c)

/// Listens at a path with the file mode given. A socket file that nobody listens at is replaced;
/// -EADDRINUSE: somebody does; -EEXIST: something else is there.
int32_t linux_local_listen(const char *path, uint32_t mode);
/// The next connection, non-blocking, and its peer's user id; -EAGAIN: there is none.
int32_t linux_local_accept(int32_t listener, uint32_t *user);
/// Connects, which never takes time; non-blocking.
int32_t linux_local_connect(const char *path);
int32_t linux_remove_file(const char *path);

// MARK: the state of a TCP connection and of its path (tcp.c)

/// What is asked of a socket; an option that is 0 is left alone.
typedef struct {
  uint32_t user_timeout_milliseconds;
  /// Keepalive is on when this is not 0.
  uint32_t keepalive_idle_seconds;
  uint32_t keepalive_interval_seconds;
  uint32_t keepalive_probes;
  /// TCP_RTO_MAX_MS, Linux 6.15 and later: the longest pause between two retransmissions.
  uint32_t retransmission_pause_max_milliseconds;
  /// TCP_THIN_LINEAR_TIMEOUTS: the first retransmissions of little data come at even pauses.
  uint32_t thin_linear_timeouts;
  /// TCP_NOTSENT_LOWAT: the socket counts as writable only while fewer bytes wait unsent.
  uint32_t unsent_bytes_max;
} linux_tcp_options;

enum {
  LINUX_TCP_NODELAY = 1,
  LINUX_TCP_USER_TIMEOUT = 2,
  /// With its idle time, interval and number of probes.
  LINUX_TCP_KEEPALIVE = 4,
  LINUX_TCP_RETRANSMISSION_PAUSE = 8,
  LINUX_TCP_THIN_LINEAR = 16,
  LINUX_TCP_UNSENT_MAX = 32,
};

/// Sets TCP_NODELAY and the options given. Returns the LINUX_TCP_ bits of those that the kernel took:
/// none is worth staying away for.
uint32_t linux_tcp_configure(int32_t socket, const linux_tcp_options *options);

enum {
  LINUX_TCP_HAS_BYTES = 1,
  LINUX_TCP_HAS_QUEUED = 2,
};

/// How far a connection has come.
typedef struct {
  /// LINUX_TCP_HAS_ bits: what a kernel does not tell is 0.
  uint32_t known;
  /// Payload bytes in all; HAS_BYTES (Linux 4.1).
  uint64_t bytes_acknowledged;
  uint32_t milliseconds_since_acknowledgement;
  /// Bytes that are not acknowledged, sent or not; HAS_QUEUED.
  uint32_t queued_bytes;
} linux_tcp_progress;

/// Asks the kernel. Of a Multipath TCP socket only `queued_bytes` is of the whole connection.
int32_t linux_tcp_progress_of(int32_t socket, linux_tcp_progress *progress);
/// What the peer's kernel acknowledged lately, in bytes a second; 0 when nothing is known.
uint64_t linux_tcp_delivery_rate(int32_t socket);
/// 1 when a connected socket speaks Multipath TCP (Linux 5.16 can tell), 0 when it was opened for TCP
/// or fell back to it, because the peer or something between does not.
int32_t linux_tcp_is_multipath(int32_t socket);

/// The socket's own address: 4 or 16 bytes in the order of the network. Returns how many.
int32_t linux_local_address(int32_t socket, uint8_t address[16]);
/// Whether the socket's local address is still on this machine and a route still leads from it to the
/// peer: 0, -EADDRNOTAVAIL, -ENETUNREACH or another negative errno. Sends nothing.
int32_t linux_path_check(int32_t socket);

/// A NETLINK_ROUTE socket that reports changes of links, addresses and routes.
int32_t linux_route_watch(void);
/// A NETLINK_KOBJECT_UEVENT socket that reports devices that come and go.
int32_t linux_device_watch(void);
/// Reads the kernel's next report: a run of netlink messages, or the strings of one device's event.
/// -EAGAIN: there is none; -ENOBUFS: some were lost; -EMSGSIZE: it did not fit and is gone.
int64_t linux_netlink_read(int32_t descriptor, void *buffer, size_t capacity);

// MARK: GPIO character device, uAPI v2 (gpio.c; linux/gpio.h), or libgpiod 2 (libgpiod/gpio.c)

/// Opens a chip; only linux_gpio_close closes it, and what linux_gpio_request returns. Requests outlive
/// their chip.
int32_t linux_gpio_open(const char *path);
int32_t linux_gpio_close(int32_t descriptor);

typedef struct {
  char name[33];
  char label[33];
  uint32_t line_count;
} linux_gpio_chip_info;

typedef struct {
  char name[33];
  char consumer[33];
  /// GPIO_V2_LINE_FLAG_* bits.
  uint64_t flags;
  /// The debounce period that the kernel keeps; 0 for none.
  uint32_t debounce_microseconds;
} linux_gpio_line_info;

typedef struct {
  int64_t monotonic_nanoseconds;
  /// 1 rising, 2 falling, after active-low is applied.
  uint32_t kind;
  uint32_t offset;
  /// Sequence over all lines of the request, and of this line; gaps are lost events.
  uint32_t sequence;
  uint32_t line_sequence;
} linux_gpio_event;

enum { LINUX_GPIO_RISING = 1, LINUX_GPIO_FALLING = 2 };

int32_t linux_gpio_chip(int32_t chip, linux_gpio_chip_info *info);
int32_t linux_gpio_line(int32_t chip, uint32_t offset, linux_gpio_line_info *info);

enum {
  /// Lines that one request has at most (GPIO_V2_LINES_MAX).
  LINUX_GPIO_LINES_MAX = 64,
};

/// What is asked of one line; flags are GPIO_V2_LINE_FLAG_* bits.
typedef struct {
  uint32_t offset;
  uint64_t flags;
  /// Kernel debounce for inputs; 0 for none.
  uint32_t debounce_microseconds;
  /// Outputs: the value (1 active) taken in the same ioctl that makes the line an output.
  uint32_t value;
} linux_gpio_settings;

/// Requests lines together; returns the request's descriptor, readable when edge events wait. A bit of
/// a mask below is the line's place in `lines`. -E2BIG: their settings are too many kinds for one
/// request. `event_buffer_size`: events the kernel keeps before it drops the oldest; 0 for its default
/// of 16 for each line.
int32_t linux_gpio_request(int32_t chip, const linux_gpio_settings *lines, int32_t count,
                           uint32_t event_buffer_size, const char *consumer);
/// Gives lines that are taken other settings, in the order of their request, and lets go of none.
int32_t linux_gpio_configure(int32_t request, const linux_gpio_settings *lines, int32_t count);
/// The logical values of the lines in the mask.
int32_t linux_gpio_get(int32_t request, uint64_t mask, uint64_t *bits);
int32_t linux_gpio_set(int32_t request, uint64_t mask, uint64_t bits);
/// Reads edge events; returns how many, -EAGAIN when none wait.
int32_t linux_gpio_read_events(int32_t request, linux_gpio_event *events, int32_t capacity);
