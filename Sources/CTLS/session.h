// What the files of this target share.
#pragma once

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "CLinux.h"
#include "CTLS.h"

struct tls_ticket {
  mbedtls_ssl_session session;
  int is_set;
  uint8_t key[TLS_KEY_BYTES];
};

struct tls_session {
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config config;
  mbedtls_x509_crt chain;
  mbedtls_pk_context key;
  tls_files files;
  tls_ticket *ticket;
  /// What the ticket was for when this session began.
  uint8_t ticket_key[TLS_KEY_BYTES];
  int32_t socket;
  int32_t system_error;
  /// The socket had nothing more when it was asked last.
  int is_socket_empty;
  /// The worst that was found in the server's certificates; problem 0 for nothing.
  tls_failure verdict;
  int is_established;
  int has_seen_certificate;
  /// The record that is being made or sent.
  size_t record_length;
  int is_record_closed;
  uint8_t record[TLS_RECORD_BYTES];
};

int ctls_random(void *unused, unsigned char *bytes, size_t length);
int32_t ctls_fail(tls_failure *failure, int32_t problem, int32_t code);
int ctls_find_authority(void *files, const mbedtls_x509_crt *child, mbedtls_x509_crt **found);
int32_t ctls_load_identity(const tls_files *files, mbedtls_x509_crt *chain, mbedtls_pk_context *key,
                           tls_failure *failure);
/// Is called for each certificate of a chain, the server's last; keeps what the operator must know.
int ctls_judge(void *session, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);
