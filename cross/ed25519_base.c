// Multiples of Ed25519's base point by libsodium's multiplication of any point, which takes as long
// for every scalar. Its table for the base point makes that three times as fast and every program
// 30 kB larger; a host signs once for each connection.
#include "private/ed25519_ref10.h"

void ge25519_scalarmult_base(ge25519_p3 *product, const unsigned char *scalar) {
  // y = 4/5, the even x (RFC 8032, section 5.1).
  static const unsigned char base[32] = {
      0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
      0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
  ge25519_p3 point;
  ge25519_frombytes(&point, base);
  ge25519_scalarmult(product, scalar, &point);
}
