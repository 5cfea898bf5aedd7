"""Users of a NATS server that prove who they are with keys: nkeys, and the JWTs of an operator, an
account and a user, as `nsc` makes them. Seeds are random, and of no use outside of a test.

Source: nats-io/nkeys, README; ADR-14 of nats-architecture-and-design.
"""

import base64
import json
import os
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OPERATOR, ACCOUNT, USER = 14 << 3, 0, 20 << 3
SEED = 18 << 3


def crc16(data):
    """CRC-16/XMODEM."""
    total = 0
    for byte in data:
        total ^= byte << 8
        for _ in range(8):
            total = (total << 1 ^ 0x1021 if total & 0x8000 else total << 1) & 0xFFFF
    return total


def nkey_text(data):
    return base64.b32encode(data + crc16(data).to_bytes(2, "little")).decode().rstrip("=")


def base64_url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    """A key pair of one of the three kinds. `seed` and `public` are what tools show."""

    def __init__(self, kind):
        raw = os.urandom(32)
        self._private = Ed25519PrivateKey.from_private_bytes(raw)
        public = self._private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.seed = nkey_text(bytes([SEED | kind >> 5, (kind & 31) << 3]) + raw)
        self.public = nkey_text(bytes([kind]) + public)

    def sign(self, data):
        return base64_url(self._private.sign(data))


def jwt(issuer, subject, kind, claims, lifetime_seconds=None):
    """A token by which `issuer` says what `subject` may do."""
    now = int(time.time())
    body = {"jti": base64_url(os.urandom(16)), "iat": now, "iss": issuer.public,
            "name": f"test {kind}", "sub": subject.public,
            "nats": {**claims, "type": kind, "version": 2}}
    if lifetime_seconds is not None:
        body["exp"] = now + lifetime_seconds
    text = ".".join(base64_url(json.dumps(part).encode())
                    for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, body))
    return f"{text}.{issuer.sign(text.encode())}"


class Authority:
    """An operator with one account. `configuration` is what a server needs to know of them."""

    def __init__(self):
        operator = Key(OPERATOR)
        self._account = Key(ACCOUNT)
        limits = dict.fromkeys(
            ["subs", "data", "payload", "imports", "exports", "conn", "leaf"], -1)
        account = jwt(operator, self._account, "account",
                      {"limits": {**limits, "wildcards": True}})
        self.configuration = (
            f"operator: {jwt(operator, operator, 'operator', {})}\n"
            "resolver: MEMORY\n"
            f"resolver_preload: {{{self._account.public}: {account}}}\n")

    def user(self, lifetime_seconds=None):
        """The `.creds` file of a new user who may do everything."""
        key = Key(USER)
        token = jwt(self._account, key, "user",
                    {"pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1},
                    lifetime_seconds)
        return (f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
                "************************* IMPORTANT *************************\n"
                f"-----BEGIN USER NKEY SEED-----\n{key.seed}\n------END USER NKEY SEED------\n")
