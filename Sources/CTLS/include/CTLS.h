// A TLS client over Mbed TLS: one session on a connected, non-blocking socket. Nothing here blocks, and
// a session has its memory from tls_open on: a record that comes may have 16 kB, one of ours has at most
// TLS_RECORD_BYTES. The server's certificate is always verified, with its name.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { TLS_RECORD_BYTES = 4096, TLS_DETAIL_BYTES = 256, TLS_KEY_BYTES = 64 };

/// How a step ended.
enum {
  TLS_DONE = 0,
  /// Call again when the socket is readable, or writable.
  TLS_WANTS_READ = -1,
  TLS_WANTS_WRITE = -2,
  /// The peer said that it closes, or closed without a word.
  TLS_CLOSED = -3,
  TLS_FAILED = -4,
};

/// Why a session or a file is no good, and what `detail` then is.
enum {
  TLS_PROBLEM_OTHER = 1,
  /// A system call; `code` is the errno.
  TLS_PROBLEM_SYSTEM,
  TLS_PROBLEM_MEMORY,
  /// What answers does not speak TLS.
  TLS_PROBLEM_NOT_TLS,
  TLS_PROBLEM_VERSION,
  /// The server chose what Mbed TLS does not take.
  TLS_PROBLEM_CHOICE,
  /// The peer gave up; `code` is its alert.
  TLS_PROBLEM_ALERT,
  /// The server's certificate. Detail: its subject and when it ended, or begins.
  TLS_PROBLEM_EXPIRED,
  TLS_PROBLEM_NOT_YET_VALID,
  /// Detail: the issuer that is not among the authorities.
  TLS_PROBLEM_UNKNOWN_AUTHORITY,
  /// Detail: the names that the certificate has.
  TLS_PROBLEM_NAME,
  /// Detail: the subject of the certificate whose key or signature is too weak.
  TLS_PROBLEM_WEAK,
  /// Any other fault of the certificate; `code` has Mbed TLS's flags.
  TLS_PROBLEM_CERTIFICATE,
  /// Files: no PEM block of the kind; one that is malformed or of an unknown kind; a key that is not the
  /// certificate's; a chain that is too long for one record.
  TLS_PROBLEM_NO_AUTHORITY,
  TLS_PROBLEM_BAD_AUTHORITY,
  TLS_PROBLEM_BAD_CERTIFICATE,
  TLS_PROBLEM_BAD_KEY,
  TLS_PROBLEM_WRONG_KEY,
  TLS_PROBLEM_LONG_CHAIN,
};

typedef struct {
  int32_t problem;
  /// An errno, an alert, or Mbed TLS's number.
  int32_t code;
  /// Printable ASCII.
  char detail[TLS_DETAIL_BYTES];
} tls_failure;

/// PEM text, with a NUL behind its last byte; `length` 0 for none.
typedef struct {
  const uint8_t *bytes;
  size_t length;
} tls_pem;

/// What a session needs of files. The authorities' text must stay until the handshake is over.
typedef struct {
  tls_pem authorities;
  tls_pem certificate;
  tls_pem key;
} tls_files;

/// A server's last session, to be resumed: a handshake without certificates.
typedef struct tls_ticket tls_ticket;
typedef struct tls_session tls_session;

/// The wall clock, in seconds since 1970: never before this program was made.
int64_t tls_wall_clock(void);
/// 1 when the system's clock is before this program was made, so it was never set.
int32_t tls_clock_is_unset(void);

/// TLS_DONE when files can be used.
int32_t tls_check_files(const tls_files *files, tls_failure *failure);

tls_ticket *tls_ticket_create(void);
void tls_ticket_free(tls_ticket *ticket);
/// Forgets the session unless it was made with this key, and keeps the key for the next one.
void tls_ticket_keep_only(tls_ticket *ticket, const uint8_t key[TLS_KEY_BYTES]);

/// NULL after a failure. `server_name` is what the certificate must have: a DNS name or an IP address.
/// `ticket` must live as long as the session.
tls_session *tls_open(int32_t socket, const char *server_name, const tls_files *files,
                      tls_ticket *ticket, tls_failure *failure);
int32_t tls_handshake(tls_session *session, tls_failure *failure);
/// The number of bytes read, at least 1, or a negative outcome.
int64_t tls_read(tls_session *session, void *buffer, size_t capacity, tls_failure *failure);
/// Bytes that were received and can be read although the socket has none.
size_t tls_buffered(const tls_session *session);
/// Puts bytes into the next record; returns how many it took, 0 when the record is full or on its way.
size_t tls_append(tls_session *session, const void *bytes, size_t length);
/// Bytes that were appended and that the socket has not taken.
size_t tls_unsent(const tls_session *session);
/// Sends the record.
int32_t tls_flush(tls_session *session, tls_failure *failure);
/// Says that we close, once, if the socket takes it.
void tls_say_goodbye(tls_session *session);
/// Wipes and frees; does not close the socket.
void tls_free(tls_session *session);

/// "TLSv1.3".
const char *tls_version(const tls_session *session);
/// 1 when the handshake went on with an earlier session.
int32_t tls_is_resumed(const tls_session *session);
