// Says what is wrong with a server's certificate, without formatted printing, which would be the largest
// part of this.
#include "session.h"

#include <mbedtls/oid.h>
#include <string.h>

// Appends as much as fits; bytes that could steer a terminal become question marks.
static void append(tls_failure *failure, const void *bytes, size_t length) {
  size_t end = strlen(failure->detail);
  for (size_t i = 0; i < length && end + 1 < sizeof failure->detail; i++) {
    char byte = ((const char *)bytes)[i];
    failure->detail[end++] = byte >= 0x20 && byte < 0x7f ? byte : '?';
  }
  failure->detail[end] = 0;
}

static void append_text(tls_failure *failure, const char *text) { append(failure, text, strlen(text)); }

static void append_number(tls_failure *failure, int number, int digits) {
  char text[4];
  for (int i = digits; i-- > 0; number /= 10) text[i] = (char)('0' + number % 10);
  append(failure, text, (size_t)digits);
}

// The common name, else the organisation.
static void append_name(tls_failure *failure, const mbedtls_x509_name *name) {
  const mbedtls_x509_name *best = NULL;
  for (; name; name = name->next) {
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) == 0) best = name;
    if (!best && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORGANIZATION, &name->oid) == 0) best = name;
  }
  if (best) append(failure, best->val.p, best->val.len);
  else append_text(failure, "(no name)");
}

static void append_address(tls_failure *failure, const mbedtls_x509_buf *address) {
  for (size_t i = 0; i < address->len; i++) {
    if (address->len == 4) {
      int byte = address->p[i];
      if (i > 0) append_text(failure, ".");
      append_number(failure, byte, byte > 99 ? 3 : byte > 9 ? 2 : 1);
    } else {
      if (i > 0 && i % 2 == 0) append_text(failure, ":");
      append(failure, &"0123456789abcdef"[address->p[i] >> 4], 1);
      append(failure, &"0123456789abcdef"[address->p[i] & 15], 1);
    }
  }
}

static void append_names(tls_failure *failure, const mbedtls_x509_crt *certificate) {
  int count = 0;
  const mbedtls_x509_sequence *entry = &certificate->subject_alt_names;
  for (; entry && entry->buf.p; entry = entry->next) {
    int kind = entry->buf.tag & 0x1f;
    if (kind != MBEDTLS_X509_SAN_DNS_NAME && kind != MBEDTLS_X509_SAN_IP_ADDRESS) continue;
    if (count++ > 0) append_text(failure, ", ");
    if (kind == MBEDTLS_X509_SAN_DNS_NAME) append(failure, entry->buf.p, entry->buf.len);
    else append_address(failure, &entry->buf);
  }
  if (count == 0) append_name(failure, &certificate->subject);
}

// "hub.example, which ended 2026-01-31 12:00 UTC"
static void append_time(tls_failure *failure, const mbedtls_x509_crt *certificate, const char *verb,
                        const mbedtls_x509_time *time) {
  append_name(failure, &certificate->subject);
  append_text(failure, verb);
  append_number(failure, time->year, 4);
  append_text(failure, "-");
  append_number(failure, time->mon, 2);
  append_text(failure, "-");
  append_number(failure, time->day, 2);
  append_text(failure, " ");
  append_number(failure, time->hour, 2);
  append_text(failure, ":");
  append_number(failure, time->min, 2);
  append_text(failure, " UTC");
}

int ctls_judge(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags) {
  tls_session *session = context;
  tls_failure *verdict = &session->verdict;
  (void)depth;
  session->has_seen_certificate = 1;
  if (*flags == 0) return 0;
  // An authority that is not ours says more than whatever else is wrong; the rest in order of coming.
  if (*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) {
    ctls_fail(verdict, TLS_PROBLEM_UNKNOWN_AUTHORITY, (int32_t)*flags);
    append_name(verdict, &certificate->issuer);
  } else if (verdict->problem != 0) {
    return 0;
  } else if (*flags & MBEDTLS_X509_BADCERT_EXPIRED) {
    ctls_fail(verdict, TLS_PROBLEM_EXPIRED, (int32_t)*flags);
    append_time(verdict, certificate, ", which ended ", &certificate->valid_to);
  } else if (*flags & MBEDTLS_X509_BADCERT_FUTURE) {
    ctls_fail(verdict, TLS_PROBLEM_NOT_YET_VALID, (int32_t)*flags);
    append_time(verdict, certificate, ", which begins ", &certificate->valid_from);
  } else if (*flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) {
    ctls_fail(verdict, TLS_PROBLEM_NAME, (int32_t)*flags);
    append_names(verdict, certificate);
  } else if (*flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
                       MBEDTLS_X509_BADCERT_BAD_KEY)) {
    ctls_fail(verdict, TLS_PROBLEM_WEAK, (int32_t)*flags);
    append_name(verdict, &certificate->subject);
  } else {
    ctls_fail(verdict, TLS_PROBLEM_CERTIFICATE, (int32_t)*flags);
    append_name(verdict, &certificate->subject);
  }
  return 0;
}
