"""The emulated link itself: what the tests of slow and breaking links rest on."""

import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from lane import Conditions
from link import Link
from ports import free_port

SUPPORT = Path(__file__).resolve().parents[1] / "Support"
WAIT_SECONDS = 60


class LinkTests(unittest.TestCase):
    """A client and a server that take what the other sends, the link between them."""

    def setUp(self):
        self.listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.server_port = self.listener.getsockname()[1]

    def link(self, **conditions):
        return self.enterContext(Link(self.server_port, **conditions))

    def connect(self, link):
        client = self.enterContext(socket.create_connection(("127.0.0.1", link.port), WAIT_SECONDS))
        server = self.enterContext(self.listener.accept()[0])
        for end in (client, server):
            end.settimeout(WAIT_SECONDS)
        return client, server

    def receive(self, end, count):
        data = bytearray()
        while len(data) < count:
            received = end.recv(65_536)
            self.assertTrue(received, f"closed after {len(data)} of {count} bytes")
            data += received
        return bytes(data)

    def test_carries_both_ways_in_order(self):
        client, server = self.connect(self.link())
        data = bytes(range(256)) * 4000
        for sender, receiver in ((client, server), (server, client)):
            thread = threading.Thread(target=sender.sendall, args=(data,))
            thread.start()
            self.assertEqual(self.receive(receiver, len(data)), data)
            thread.join()

    def test_rate_and_delay_are_kept(self):
        """Never faster than it says; slower it may be, on a loaded machine."""
        client, server = self.connect(self.link(
            up=Conditions(rate=20_000, delay=0.2), down=Conditions(delay=0.3)))
        began = time.monotonic()
        client.sendall(b"x" * 20_000)
        self.receive(server, 20_000)
        self.assertGreaterEqual(time.monotonic() - began, 1.2)
        began = time.monotonic()
        server.sendall(b"y")
        self.receive(client, 1)
        self.assertGreaterEqual(time.monotonic() - began, 0.3)

    def test_jitter_and_stalls_keep_the_order(self):
        client, server = self.connect(self.link(
            up=Conditions(rate=100_000, jitter=0.05, stall_every=0.2, stall_for=0.1), seed=7))
        data = b"".join(b"%07d\n" % number for number in range(5000))
        threading.Thread(target=client.sendall, args=(data,), daemon=True).start()
        self.assertEqual(self.receive(server, len(data)), data)

    def test_connections_share_the_rate(self):
        link = self.link(up=Conditions(rate=20_000))
        pairs = [self.connect(link) for _ in range(2)]
        began = time.monotonic()
        for client, _ in pairs:
            client.sendall(b"x" * 5000)
        for _, server in pairs:
            self.receive(server, 5000)
        self.assertGreaterEqual(time.monotonic() - began, 0.5)

    def test_a_slow_link_pushes_back_on_the_sender(self):
        """What is queued on the way is bounded: the modem's buffer, the flight, the kernel's few
        kilobytes, and the sender's own socket."""
        link = self.link(up=Conditions(rate=2000, delay=0.5, buffer=4096))
        client, _ = self.connect(link)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.setblocking(False)
        sent, began = 0, time.monotonic()
        quiet_since = began
        while time.monotonic() - quiet_since < 0.3 and time.monotonic() - began < 2:
            try:
                sent += client.send(b"x" * 512)
                quiet_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        carried = 2000 * (time.monotonic() - began)
        self.assertLess(sent, 40_000 + carried)

    def test_frozen_link_closes_nothing_and_loses_nothing(self):
        link = self.link()
        client, server = self.connect(link)
        link.freeze()
        client.sendall(b"kept")
        server.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            server.recv(1)
        with socket.create_connection(("127.0.0.1", link.port), WAIT_SECONDS) as late:
            late.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                late.recv(1)
        server.settimeout(WAIT_SECONDS)
        link.heal()
        self.assertEqual(self.receive(server, 4), b"kept")

    def test_cut_ends_connections_and_refuses_new_ones(self):
        for reset in (False, True):
            with self.subTest(reset=reset):
                link = self.link()
                ends = self.connect(link)
                link.cut(reset)
                for end in ends:
                    if reset:
                        with self.assertRaises(ConnectionResetError):
                            end.recv(1)
                    else:
                        self.assertEqual(end.recv(1), b"")
                with self.assertRaises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", link.port), WAIT_SECONDS)
                link.heal()
                client, server = self.connect(link)
                client.sendall(b"again")
                self.assertEqual(self.receive(server, 5), b"again")

    def test_the_end_comes_after_what_was_sent(self):
        client, server = self.connect(self.link(down=Conditions(rate=50_000, delay=0.2)))
        server.sendall(b"last words")
        server.close()
        self.assertEqual(self.receive(client, 10), b"last words")
        self.assertEqual(client.recv(1), b"")

    def test_conditions_change(self):
        link = self.link(up=Conditions(rate=1_000_000))
        client, server = self.connect(link)
        client.sendall(b"x" * 10_000)
        self.receive(server, 10_000)
        link.shape(up=Conditions(rate=10_000))
        began = time.monotonic()
        client.sendall(b"x" * 5000)
        self.receive(server, 5000)
        self.assertGreaterEqual(time.monotonic() - began, 0.5)
        while link.carried != (15_000, 0):  # counted a moment after it was carried
            self.assertLess(time.monotonic(), began + WAIT_SECONDS)
            time.sleep(0.01)


class ThrottleTests(unittest.TestCase):
    def throttle(self, *arguments, **options):
        return subprocess.Popen([sys.executable, SUPPORT / "throttle", *map(str, arguments)],
                                text=True, **options)

    def test_command(self):
        port = free_port()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            target = f"127.0.0.1:{listener.getsockname()[1]}"
            with self.throttle(port, target, "--rate", "80kbit/1mbit", "--delay", "50ms",
                               stdin=subprocess.PIPE) as process:
                client = self.connect(port)
                server, _ = listener.accept()
                client.sendall(b"hello")
                self.assertEqual(server.recv(5, socket.MSG_WAITALL), b"hello")
                process.stdin.write("reset\n")
                process.stdin.flush()
                with self.assertRaises(ConnectionResetError):
                    client.recv(1)
                client.close()
                server.close()
                process.stdin.close()
                self.assertEqual(process.wait(WAIT_SECONDS), 0)

    def connect(self, port):
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), WAIT_SECONDS)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def test_values_that_mean_nothing_are_refused(self):
        for options in (["--rate", "16"], ["--rate", "1kbit/2kbit/3kbit"], ["--delay", "4kbit"],
                        ["--stall", "20s"], ["--buffer", "1B"]):
            with self.subTest(options), self.throttle(
                    free_port(), "127.0.0.1:1", *options, stdin=subprocess.DEVNULL,
                    stderr=subprocess.PIPE) as process:
                self.assertTrue(process.stderr.read())
                self.assertNotEqual(process.wait(WAIT_SECONDS), 0)


if __name__ == "__main__":
    unittest.main()
