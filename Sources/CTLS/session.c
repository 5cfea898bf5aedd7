// One TLS session on one socket.
#include "session.h"

#include <errno.h>
#include <mbedtls/net_sockets.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Certificates are judged by the wall clock. A board without a battery for its clock starts in 1970, or
// where systemd left off: a clock before this day, moved on with each version, was surely not set, and
// then counts as this day. What has ended by then stays refused.
static const int64_t made_on = 1793491200; // 2026-11-01

int64_t tls_wall_clock(void) {
  int64_t now = linux_realtime_nanoseconds() / 1000000000;
  return now < made_on ? made_on : now;
}

int32_t tls_clock_is_unset(void) { return linux_realtime_nanoseconds() / 1000000000 < made_on; }

// Mbed TLS's clock and random bytes; see mbedtls_config.h.
time_t ctls_wall_clock(time_t *unused) {
  (void)unused;
  return (time_t)tls_wall_clock();
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *output, size_t size, size_t *length) {
  (void)context;
  *length = size;
  return linux_random(output, size) < 0 ? PSA_ERROR_INSUFFICIENT_ENTROPY : PSA_SUCCESS;
}

// MARK: tickets

tls_ticket *tls_ticket_create(void) {
  tls_ticket *ticket = calloc(1, sizeof *ticket);
  if (ticket) mbedtls_ssl_session_init(&ticket->session);
  return ticket;
}

static void forget(tls_ticket *ticket) {
  mbedtls_ssl_session_free(&ticket->session);
  mbedtls_ssl_session_init(&ticket->session);
  ticket->is_set = 0;
}

void tls_ticket_free(tls_ticket *ticket) {
  if (!ticket) return;
  forget(ticket);
  free(ticket);
}

void tls_ticket_keep_only(tls_ticket *ticket, const uint8_t key[TLS_KEY_BYTES]) {
  if (!ticket || memcmp(ticket->key, key, TLS_KEY_BYTES) == 0) return;
  forget(ticket);
  memcpy(ticket->key, key, TLS_KEY_BYTES);
}

static void keep_ticket(tls_session *session) {
  // Another server's session may use the ticket by now.
  if (memcmp(session->ticket_key, session->ticket->key, TLS_KEY_BYTES) != 0) return;
  forget(session->ticket);
  if (mbedtls_ssl_get_session(&session->ssl, &session->ticket->session) == 0) {
    session->ticket->is_set = 1;
  } else {
    forget(session->ticket);
  }
}

// MARK: failures

static int32_t fail(tls_session *session, int error, tls_failure *failure) {
  // Whatever a session that failed would be resumed with may be why.
  if (!session->is_established) forget(session->ticket);
  switch (error) {
  case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
  case MBEDTLS_ERR_SSL_BAD_CERTIFICATE:
    *failure = session->verdict;
    if (failure->problem != 0) return TLS_FAILED;
    return ctls_fail(failure, TLS_PROBLEM_CERTIFICATE,
                     (int32_t)mbedtls_ssl_get_verify_result(&session->ssl));
  case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
    return ctls_fail(failure, TLS_PROBLEM_ALERT, session->ssl.in_msg[1]);
  case MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER: return ctls_fail(failure, TLS_PROBLEM_CHOICE, error);
  case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION: return ctls_fail(failure, TLS_PROBLEM_VERSION, error);
  case MBEDTLS_ERR_NET_SEND_FAILED:
  case MBEDTLS_ERR_NET_RECV_FAILED:
    return ctls_fail(failure, TLS_PROBLEM_SYSTEM, session->system_error);
  case MBEDTLS_ERR_SSL_ALLOC_FAILED: return ctls_fail(failure, TLS_PROBLEM_MEMORY, error);
  case MBEDTLS_ERR_SSL_INVALID_RECORD:
    if (!session->has_seen_certificate && !session->is_established) {
      return ctls_fail(failure, TLS_PROBLEM_NOT_TLS, error);
    }
    // fallthrough
  default: return ctls_fail(failure, TLS_PROBLEM_OTHER, error);
  }
}

static int32_t outcome(tls_session *session, int result, tls_failure *failure) {
  switch (result) {
  case 0: return TLS_DONE;
  case MBEDTLS_ERR_SSL_WANT_READ: return TLS_WANTS_READ;
  case MBEDTLS_ERR_SSL_WANT_WRITE: return TLS_WANTS_WRITE;
  case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
  case MBEDTLS_ERR_SSL_CONN_EOF: return TLS_CLOSED;
  default: return fail(session, result, failure);
  }
}

// MARK: socket

static int send_bytes(void *context, const unsigned char *bytes, size_t length) {
  tls_session *session = context;
  int64_t sent = linux_send(session->socket, bytes, length);
  if (sent >= 0) return (int)sent;
  if (sent == -EAGAIN) return MBEDTLS_ERR_SSL_WANT_WRITE;
  session->system_error = (int32_t)-sent;
  return MBEDTLS_ERR_NET_SEND_FAILED;
}

static int receive_bytes(void *context, unsigned char *buffer, size_t capacity) {
  tls_session *session = context;
  int64_t count = linux_receive(session->socket, buffer, capacity);
  if (count >= 0) return (int)count;
  session->is_socket_empty = count == -EAGAIN;
  if (session->is_socket_empty) return MBEDTLS_ERR_SSL_WANT_READ;
  session->system_error = (int32_t)-count;
  return MBEDTLS_ERR_NET_RECV_FAILED;
}

// MARK: life

// In the order that servers follow, unless they insist on their own. Mbed TLS offers RSA-PSS first and
// then, with TLS 1.2, refuses it from a server that has an RSA key and takes the first: so it stands behind
// PKCS #1, which TLS 1.3 has for certificates only.
static const uint16_t signature_algorithms[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,       MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
    MBEDTLS_TLS1_3_SIG_NONE,
};

static int set_up(tls_session *session, const char *server_name) {
  mbedtls_ssl_config *config = &session->config;
  if (psa_crypto_init() != PSA_SUCCESS) return MBEDTLS_ERR_SSL_ALLOC_FAILED;
  int result = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT,
                                           MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  if (result != 0) return result;
  mbedtls_ssl_conf_rng(config, ctls_random, NULL);
  mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_sig_algs(config, signature_algorithms);
  mbedtls_ssl_conf_ca_cb(config, ctls_find_authority, &session->files);
  mbedtls_ssl_conf_verify(config, ctls_judge, session);
  mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
      config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
  if (session->files.certificate.length > 0) {
    result = mbedtls_ssl_conf_own_cert(config, &session->chain, &session->key);
    if (result != 0) return result;
  }
  if ((result = mbedtls_ssl_setup(&session->ssl, config)) != 0) return result;
  if ((result = mbedtls_ssl_set_hostname(&session->ssl, server_name)) != 0) return result;
  mbedtls_ssl_set_bio(&session->ssl, session, send_bytes, receive_bytes, NULL);
  // A ticket that has become too old is no reason to fail.
  if (session->ticket->is_set) {
    (void)mbedtls_ssl_set_session(&session->ssl, &session->ticket->session);
  }
  return 0;
}

tls_session *tls_open(int32_t socket, const char *server_name, const tls_files *files,
                      tls_ticket *ticket, tls_failure *failure) {
  tls_session *session = calloc(1, sizeof *session);
  if (!session || !ticket) {
    ctls_fail(failure, TLS_PROBLEM_MEMORY, ENOMEM);
    free(session);
    return NULL;
  }
  mbedtls_ssl_init(&session->ssl);
  mbedtls_ssl_config_init(&session->config);
  mbedtls_x509_crt_init(&session->chain);
  mbedtls_pk_init(&session->key);
  session->socket = socket;
  session->files = *files;
  session->ticket = ticket;
  memcpy(session->ticket_key, ticket->key, TLS_KEY_BYTES);
  int32_t result = TLS_DONE;
  if (files->certificate.length > 0) {
    result = ctls_load_identity(files, &session->chain, &session->key, failure);
  }
  if (result == TLS_DONE) {
    int error = set_up(session, server_name);
    if (error == 0) return session;
    fail(session, error, failure);
  }
  tls_free(session);
  return NULL;
}

void tls_free(tls_session *session) {
  if (!session) return;
  mbedtls_ssl_free(&session->ssl);
  mbedtls_ssl_config_free(&session->config);
  mbedtls_x509_crt_free(&session->chain);
  mbedtls_pk_free(&session->key);
  mbedtls_platform_zeroize(session, sizeof *session);
  free(session);
}

int32_t tls_handshake(tls_session *session, tls_failure *failure) {
  int result = mbedtls_ssl_handshake(&session->ssl);
  if (result != 0) return outcome(session, result, failure);
  session->is_established = 1;
  session->files = (tls_files){0};
  // TLS 1.2 has its ticket now; with 1.3 tickets come later, among the data.
  if (mbedtls_ssl_get_version_number(&session->ssl) == MBEDTLS_SSL_VERSION_TLS1_2) {
    keep_ticket(session);
  }
  return TLS_DONE;
}

// MARK: data

int64_t tls_read(tls_session *session, void *buffer, size_t capacity, tls_failure *failure) {
  // Behind a message that is no data Mbed TLS wants to be called again, whatever the socket has. A
  // server that sends nothing but such messages must not keep us here.
  for (int messages = 0; messages < 16; messages++) {
    session->is_socket_empty = 0;
    int result = mbedtls_ssl_read(&session->ssl, buffer, capacity);
    if (result > 0) return result;
    if (result == 0) return TLS_CLOSED;
    if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
      keep_ticket(session);
    } else if (result != MBEDTLS_ERR_SSL_WANT_READ || session->is_socket_empty) {
      return outcome(session, result, failure);
    }
  }
  return TLS_WANTS_READ;
}

size_t tls_buffered(const tls_session *session) { return mbedtls_ssl_get_bytes_avail(&session->ssl); }

size_t tls_append(tls_session *session, const void *bytes, size_t length) {
  if (session->is_record_closed) return 0;
  size_t room = sizeof session->record - session->record_length;
  if (length > room) length = room;
  memcpy(session->record + session->record_length, bytes, length);
  session->record_length += length;
  return length;
}

size_t tls_unsent(const tls_session *session) { return session->record_length; }

int32_t tls_flush(tls_session *session, tls_failure *failure) {
  if (session->record_length == 0) return TLS_DONE;
  // A record that the socket took in part must be offered unchanged until it is gone.
  session->is_record_closed = 1;
  size_t sent = 0;
  while (sent < session->record_length) {
    int result = mbedtls_ssl_write(&session->ssl, session->record + sent, session->record_length - sent);
    if (result < 0) {
      if (sent > 0) {
        session->record_length -= sent;
        memmove(session->record, session->record + sent, session->record_length);
      }
      return outcome(session, result, failure);
    }
    sent += (size_t)result;
  }
  mbedtls_platform_zeroize(session->record, session->record_length);
  session->record_length = 0;
  session->is_record_closed = 0;
  return TLS_DONE;
}

void tls_say_goodbye(tls_session *session) {
  if (session->is_established) (void)mbedtls_ssl_close_notify(&session->ssl);
}

const char *tls_version(const tls_session *session) { return mbedtls_ssl_get_version(&session->ssl); }

int32_t tls_is_resumed(const tls_session *session) {
  return session->is_established && !session->has_seen_certificate;
}
