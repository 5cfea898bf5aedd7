// PEM files: authorities to search, and what this host shows of itself.
#include "session.h"

#include <string.h>

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

int ctls_random(void *unused, unsigned char *bytes, size_t length) {
  (void)unused;
  return linux_random(bytes, length) < 0 ? MBEDTLS_ERR_PK_ALLOC_FAILED : 0;
}

int32_t ctls_fail(tls_failure *failure, int32_t problem, int32_t code) {
  failure->problem = problem;
  failure->code = code;
  failure->detail[0] = 0;
  return TLS_FAILED;
}

// Moves `rest` behind the next certificate in PEM and decodes that. 1: there is one; 0: there is none;
// or Mbed TLS's error.
static int next_authority(tls_pem *rest, mbedtls_x509_crt *certificate) {
  const unsigned char *begin = (const unsigned char *)strstr((const char *)rest->bytes, PEM_BEGIN);
  if (!begin) return 0;
  mbedtls_pem_context pem;
  size_t used = 0;
  mbedtls_pem_init(&pem);
  int result = mbedtls_pem_read_buffer(&pem, PEM_BEGIN, PEM_END, begin, NULL, 0, &used);
  if (result == 0) {
    size_t length;
    const unsigned char *der = mbedtls_pem_get_buffer(&pem, &length);
    result = mbedtls_x509_crt_parse_der(certificate, der, length);
    if (result == 0) result = 1;
  }
  mbedtls_pem_free(&pem);
  if (used == 0) used = strlen(PEM_BEGIN);
  rest->length -= (size_t)(begin - rest->bytes) + used;
  rest->bytes = begin + used;
  return result;
}

// Decodes one certificate of the file at a time and keeps those that may have signed `child`: a system's
// hundreds of authorities never are in memory together. One that Mbed TLS cannot read is passed over.
int ctls_find_authority(void *files, const mbedtls_x509_crt *child, mbedtls_x509_crt **found) {
  tls_pem rest = ((const tls_files *)files)->authorities;
  *found = NULL;
  while (rest.length > 0) {
    mbedtls_x509_crt *candidate = mbedtls_calloc(1, sizeof *candidate);
    if (!candidate) return MBEDTLS_ERR_X509_ALLOC_FAILED;
    mbedtls_x509_crt_init(candidate);
    int result = next_authority(&rest, candidate);
    if (result == 1 && candidate->subject_raw.len == child->issuer_raw.len &&
        memcmp(candidate->subject_raw.p, child->issuer_raw.p, child->issuer_raw.len) == 0) {
      candidate->next = *found;
      *found = candidate;
      continue;
    }
    mbedtls_x509_crt_free(candidate);
    mbedtls_free(candidate);
    if (result == 0) break;
  }
  return 0;
}

static int32_t check_authorities(tls_pem rest, tls_failure *failure) {
  int count = 0, error = 0;
  while (rest.length > 0) {
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    int result = next_authority(&rest, &certificate);
    mbedtls_x509_crt_free(&certificate);
    if (result == 0) break;
    if (result < 0) error = result;
    else count++;
  }
  // Bundles of a system's authorities have some of kinds that are not supported here.
  if (count > 0) return TLS_DONE;
  return ctls_fail(failure, error ? TLS_PROBLEM_BAD_AUTHORITY : TLS_PROBLEM_NO_AUTHORITY, error);
}

int32_t ctls_load_identity(const tls_files *files, mbedtls_x509_crt *chain, mbedtls_pk_context *key,
                           tls_failure *failure) {
  int result = mbedtls_x509_crt_parse(chain, files->certificate.bytes, files->certificate.length + 1);
  if (result != 0) return ctls_fail(failure, TLS_PROBLEM_BAD_CERTIFICATE, result);
  result = mbedtls_pk_parse_key(key, files->key.bytes, files->key.length + 1, NULL, 0, ctls_random, NULL);
  if (result != 0) return ctls_fail(failure, TLS_PROBLEM_BAD_KEY, result);
  if (mbedtls_pk_check_pair(&chain->pk, key, ctls_random, NULL) != 0) {
    return ctls_fail(failure, TLS_PROBLEM_WRONG_KEY, 0);
  }
  // The message that carries the chain must fit a record of ours.
  size_t length = 128;
  for (const mbedtls_x509_crt *one = chain; one; one = one->next) length += one->raw.len + 5;
  if (length > TLS_RECORD_BYTES) return ctls_fail(failure, TLS_PROBLEM_LONG_CHAIN, (int32_t)length);
  return TLS_DONE;
}

int32_t tls_check_files(const tls_files *files, tls_failure *failure) {
  if (files->authorities.length > 0) {
    int32_t result = check_authorities(files->authorities, failure);
    if (result != TLS_DONE) return result;
  }
  if (files->certificate.length == 0) return TLS_DONE;
  mbedtls_x509_crt chain;
  mbedtls_pk_context key;
  mbedtls_x509_crt_init(&chain);
  mbedtls_pk_init(&key);
  int32_t result = ctls_load_identity(files, &chain, &key, failure);
  mbedtls_x509_crt_free(&chain);
  mbedtls_pk_free(&key);
  return result;
}
