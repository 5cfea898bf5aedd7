"""Servers that break the protocol. The host neither ends nor spins nor fills its log, and joins the
first good server that takes the bad one's place."""

import itertools
import random
import re
import time
import unittest

import nats
from host_case import GATE, SIREN, HostTestCase, manifest, subject
from hostile_server import HostileServer, info
from nats_server import NATSServer

# How long a server misbehaves.
HOSTILE_SECONDS = 2
CPU_SHARE_MAX = 0.6
LOG_LINES_MAX = 60


class HostileServerTests(HostTestCase):
    def survive(self, script, until=None, log_says=None):
        """Lets the host meet the script, for as long as `until` says or some seconds, and then a good
        server on the same port."""
        with HostileServer(script) as hostile:
            host = self.launch_host(manifest(GATE, SIREN), server=hostile)
            host.wait_until(lambda: hostile.connections > 0, "the host does not come")
            before, began = host.cpu_seconds, time.monotonic()
            if log_says:
                host.wait_for_log(log_says)
            if until:
                host.wait_until(lambda: until(hostile), "it does not come to that")
            time.sleep(max(0, began + HOSTILE_SECONDS - time.monotonic()))
            used, took = host.cpu_seconds - before, time.monotonic() - began
        self.assertLess(used, CPU_SHARE_MAX * took)
        self.assertTrue(host.is_running, host.log)
        with NATSServer(port=hostile.port) as server:
            with nats.Client(server.port) as client:
                self.wait_for_answer(client, host)
        self.assert_log_is_bounded(host, LOG_LINES_MAX)
        self.assertEqual(host.stop(), 0)
        return host

    @staticmethod
    def wait_for_answer(client, host):
        def is_answered():
            try:
                return client.request(subject("gpio.gate.get")).json()
            except nats.NoResponders:
                return None

        host.wait_until(is_answered, "the host does not join the good server")

    def closes_after(self, data):
        """A server that sends this instead of a greeting, and closes."""
        self.survive(lambda peer: peer.send(data))

    # Before the handshake

    def test_closes_at_once(self):
        self.survive(lambda peer: None, until=lambda hostile: hostile.connections >= 3)

    def test_speaks_another_protocol(self):
        self.closes_after(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    def test_sends_noise(self):
        noise = random.Random(7)
        self.survive(lambda peer: peer.send(noise.randbytes(100_000)))

    def test_sends_a_line_without_end(self):
        def script(peer):
            for _ in range(2000):
                peer.send(b"x" * 1000)

        self.survive(script, log_says="control line longer than")

    def test_malformed_info(self):
        texts = itertools.cycle([
            b"INFO\r\n", b"INFO {\r\n", b"INFO []\r\n", b"INFO {\"headers\":1}\r\n",
            b"INFO {\"max_payload\":-1,\"headers\":true}\r\n",
            b"INFO {\"max_payload\":99999999999999999999999999,\"headers\":true}\r\n",
            b"INFO " + b"{\"a\":" * 2000 + b"\r\n", b"INFO {\"version\":\"\xff\xfe\"}\r\n"])
        self.survive(lambda peer: peer.send(next(texts)),
                     until=lambda hostile: hostile.connections >= 4)

    def test_requires_tls(self):
        self.survive(lambda peer: peer.send(info(tls_required=True)), log_says="requires TLS")

    def test_knows_no_headers(self):
        self.survive(lambda peer: peer.send(info(headers=False, version="2.1.9")),
                     log_says="2.1.9")

    def test_says_nothing(self):
        self.survive(lambda peer: peer.stay_silent(),
                     log_says="did not finish the handshake")

    def test_has_no_room_for_ever(self):
        def script(peer):
            peer.send(info())
            peer.send(b"-ERR 'maximum connections exceeded'\r\n")

        self.survive(script, log_says="maximum connections exceeded",
                     until=lambda hostile: hostile.connections >= 2)

    def test_refuses_our_credentials(self):
        """Which takes people to change: the host goes on asking, but in minutes."""
        def script(peer):
            peer.send(info())
            peer.send(b"-ERR 'Authorization Violation'\r\n")

        with HostileServer(script) as hostile:
            host = self.launch_host(manifest(GATE, SIREN), server=hostile)
            host.wait_for_log("Authorization Violation; next try in ")
            pause = re.search(r"Authorization Violation; next try in (\d+) ms", host.log)
            self.assertGreaterEqual(int(pause[1]), 30_000)
            self.assertEqual(host.stop(), 0)

    # After it

    def after_handshake(self, data, **more):
        def script(peer):
            peer.handshake()
            peer.send(data)
            peer.pause(0.2)

        self.survive(script, **more)

    def test_unknown_operation(self):
        self.after_handshake(b"BOO!\r\n", log_says="unknown protocol operation")

    def test_malformed_messages(self):
        texts = itertools.cycle([
            b"MSG\r\n", b"MSG a\r\n", b"MSG a 1\r\n", b"MSG a 1 -5\r\nhello\r\n",
            b"MSG a 1 5x\r\nhello\r\n", b"MSG a one 5\r\nhello\r\n", b"MSG a 1 b c d 5\r\nhello\r\n",
            b"HMSG a 1 9 5\r\nhello\r\n", b"HMSG a 1 -1 5\r\nhello\r\n",
            b"MSG a 99999999999 5\r\nhello\r\n", b"MSG a 1 5\r\nhello, world\r\n"])

        def script(peer):
            peer.handshake()
            peer.send(next(texts))
            peer.pause(0.2)

        self.survive(script, log_says="broke the protocol",
                     until=lambda hostile: hostile.connections >= 4)

    def test_messages_of_absurd_size(self):
        sizes = itertools.cycle([10 ** 6, 2 ** 31, 2 ** 32, 2 ** 63 - 1, 2 ** 63, 2 ** 64 - 1,
                                 2 ** 64, 10 ** 40])

        def script(peer):
            sids = peer.handshake()
            for sid in sids[:3]:
                peer.send(f"MSG a.b.c {sid} reply {next(sizes)}\r\n".encode() + b"x" * 10_000)
            peer.pause(0.2)

        self.survive(script, until=lambda hostile: hostile.connections >= 3)

    def test_half_a_message_and_then_nothing(self):
        def script(peer):
            sid = peer.handshake()[0]
            peer.send(f"MSG {subject('describe')} {sid} reply 100\r\nhalf".encode())
            peer.stay_silent()

        self.survive(script)

    def test_half_a_message_and_then_the_end(self):
        def script(peer):
            sid = peer.handshake()[0]
            peer.send(f"HMSG {subject('describe')} {sid} reply 50 100\r\nNATS/1.0\r\nha".encode())

        self.survive(script, log_says="closed the connection")

    def test_malformed_headers(self):
        blocks = [b"NATS/1.0\r\n\r\n", b"\r\n\r\n", b"NATS/9.9\r\nA: b\r\n\r\n", b"NATS/1.0 ",
                  b"NATS/1.0\r\nno colon\r\n\r\n", b"NATS/1.0\r\n: x\r\n\r\n", b"\xff" * 40,
                  b"NATS/1.0\r\nEdge-Deadline", b"NATS/1.0 99999999999999999999\r\n\r\n", b"N"]

        def script(peer):
            for sid in peer.handshake():
                for block in blocks:
                    head = f"HMSG {subject('gpio.siren.set')} {sid} r {len(block)} {len(block)}\r\n"
                    peer.send(head.encode() + block + b"\r\n")
            peer.pause(0.5)

        self.survive(script)

    def test_errors_without_end(self):
        def script(peer):
            peer.handshake()
            for _ in range(3000):
                peer.send(b"-ERR 'Permissions Violation for Subscription to \"a\"'\r\n")
                peer.pause(0.001)

        self.survive(script)

    def test_messages_for_nobody(self):
        def script(peer):
            peer.handshake()
            for _ in range(2000):
                peer.send(b"MSG somebody.else 4000000000 5\r\nhello\r\n" * 5)
                peer.pause(0.001)

        self.survive(script)

    def test_pings_without_reading(self):
        """The answers back up; the host must not keep them all, nor wait for ever busily."""
        def script(peer):
            peer.handshake()
            for _ in range(2000):
                peer.send(b"PING\r\n" * 50)
                peer.pause(0.001)

        self.survive(script)


if __name__ == "__main__":
    unittest.main()
