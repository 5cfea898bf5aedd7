"""The local socket: the running host's lines from the board itself, without NATS."""

import json
import os
import socket
import stat
import tempfile
import unittest
from pathlib import Path

from edge_host import WAIT_SECONDS, EdgeHost, run_command
from host_case import GATE, SIREN, HostTestCase, door, link, manifest
from ports import free_port

CONNECTIONS_MAX = 8
LINE_BYTES_MAX = 8192


class Peer:
    """A connection to the socket that speaks in lines of JSON."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(WAIT_SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._lines.close()
        self._socket.close()

    def send(self, content):
        self._socket.sendall(content)

    def tell(self, **request):
        self.send(json.dumps(request).encode() + b"\n")

    def hear(self):
        """The next object; None when the host has closed the connection."""
        line = self._lines.readline()
        return json.loads(line) if line else None

    def ask(self, **request):
        self.tell(**request)
        return self.hear()

    def end(self):
        self._socket.shutdown(socket.SHUT_WR)


class LocalCase(HostTestCase):
    """A host that no server answers: the socket needs none."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="edge-host-")))
        self.path = self.folder / "socket"

    def start(self, *lines):
        text = manifest(*lines, socket=self.path, more=link([free_port()]))
        path = self.write_manifest(text)
        host = self.enterContext(EdgeHost("run", "--manifest", str(path)))
        host.wait_until(self.is_open, "there is no socket")
        return host

    def is_open(self):
        try:
            with Peer(self.path):
                return True
        except OSError:
            return False

    def peer(self):
        return self.enterContext(Peer(self.path))

    def set_siren(self, peer, active):
        return peer.ask(id=1, capability="gpio", resource="siren", operation="set",
                        arguments={"active": active})


class SocketTests(LocalCase):
    def test_lines_are_set_and_read(self):
        self.start(GATE, SIREN)
        peer = self.peer()
        self.assertIs(self.set_siren(peer, True)["result"]["active"], True)
        answer = peer.ask(id="a", capability="gpio", resource="siren", operation="get")
        self.assertEqual((answer["id"], answer["result"]["level"]), ("a", 1))
        refusal = peer.ask(id=2, capability="gpio", resource="gate", operation="set",
                           arguments={"active": True})
        self.assertEqual((refusal["id"], refusal["error"]["code"]), (2, 409))
        self.assertIn("gate", refusal["error"]["reason"])
        description = peer.ask(describe=True)["result"]
        self.assertEqual([resource["name"] for resource in description["capabilities"][0]["resources"]],
                         ["gate", "siren"])

    def test_who_has_ended_is_still_answered(self):
        self.start(SIREN)
        peer = self.peer()
        for number in range(20):
            peer.tell(id=number, capability="gpio", resource="siren", operation="get")
        peer.end()
        self.assertEqual([peer.hear()["id"] for _ in range(20)], list(range(20)))
        self.assertIsNone(peer.hear())

    def test_events_are_told(self):
        self.start(door("200ms"), GATE)
        peer = self.peer()
        self.assertEqual(peer.ask(id=5, watch=["dock-door"]),
                         {"id": 5, "result": {"watching": ["dock-door"]}})
        events = [peer.hear() for _ in range(4)]
        self.assertEqual({event["watch"] for event in events}, {5})
        self.assert_consecutive([event["body"]["line_seq"] for event in events])

    def test_only_its_group_may_connect(self):
        self.start(SIREN)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o660)

    def test_ninth_connection_is_refused(self):
        host = self.start(SIREN)
        peers = []
        for _ in range(CONNECTIONS_MAX):
            peers.append(self.peer())
            self.assertIn("result", self.set_siren(peers[-1], False))
        extra = self.peer()
        self.assertEqual(extra.hear()["error"]["code"], 503)
        self.assertIsNone(extra.hear())
        self.assertIn("result", self.set_siren(peers[0], True))
        peers[1].close()

        def is_let_in():
            with Peer(self.path) as peer:
                try:
                    return "result" in (self.set_siren(peer, False) or {})
                except OSError:
                    return False

        host.wait_until(is_let_in, "the place that is free is not given")

    def test_watcher_that_does_not_read_is_cut_off(self):
        """What the kernel keeps for it is some 200 kB, so the edges must be many."""
        host = self.start(*(door("1ms").replace("dock-door", f"door-{number}")
                            for number in range(8)), SIREN)
        slow = self.peer()
        self.assertIn("result", slow.ask(watch=[]))
        other = self.peer()
        self.assertIn("result", other.ask(id=1, watch=["door-0"]))
        # The other one reads on, and is told on.
        host.wait_until(lambda: other.hear() and "does not read" in host.log, "it is not cut off")
        for _ in range(10):
            self.assertEqual(other.hear()["resource"], "door-0")
        self.assertIn("result", self.set_siren(self.peer(), True))
        self.assertIn(f"uid-{os.getuid()} (local)", host.log)

    def test_hostile_bytes(self):
        host = self.start(SIREN)
        for content, code in ((b"\x00\xff\xfe\n", 400), (b"{" * 5000 + b"\n", 400),
                              (b"GET / HTTP/1.1\r\n\r\n", 400),
                              (b'{"id":1,"id":2}\n', 400), (b"[]\n", 400),
                              (b'{"watch":["\xc0\x80"]}\n', 400),
                              (b'{"capability":"gpio","resource":"x","operation":"fly"}\n', 404)):
            with self.subTest(content[:20]):
                peer = self.peer()
                peer.send(content)
                self.assertEqual(peer.hear()["error"]["code"], code)
                self.assertIn("result", self.set_siren(peer, True))
                peer.close()
        peer = self.peer()
        peer.send(b"x" * (LINE_BYTES_MAX + 1))
        self.assertEqual(peer.hear()["error"]["code"], 413)
        self.assertIsNone(peer.hear())
        self.assert_log_is_bounded(host, 40)

    def test_request_in_pieces(self):
        self.start(SIREN)
        peer = self.peer()
        for byte in b'{"id":9,"describe":true}\n':
            peer.send(bytes([byte]))
        self.assertEqual(peer.hear()["id"], 9)

    def test_stale_socket_is_replaced_and_a_live_one_is_not(self):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(self.path))
        host = self.start(SIREN)
        text = manifest(SIREN, socket=self.path, more=link([free_port()]))
        with EdgeHost("run", "--manifest", str(self.write_manifest(text))) as second:
            second.wait_for_log("another host listens at")
            self.assertIn("result", self.set_siren(self.peer(), True))
            self.assertEqual(second.stop(), 0)
        self.assertIn("result", self.set_siren(self.peer(), False))
        self.assertEqual(host.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_other_files_are_left_alone(self):
        self.path.write_text("mine")
        text = manifest(SIREN, socket=self.path, more=link([free_port()]))
        with EdgeHost("run", "--manifest", str(self.write_manifest(text))) as host:
            host.wait_for_log(f"no local socket: {self.path}")
            self.assertEqual(host.stop(), 0)
        self.assertEqual(self.path.read_text(), "mine")


if __name__ == "__main__":
    unittest.main()
