"""The local socket: the running host's lines from the board itself, without NATS."""

import itertools
import json
import os
import socket
import stat
import tempfile
import unittest
from pathlib import Path

from edge_host import WAIT_SECONDS, EdgeHost, run_command
from host_case import GATE, SIREN, HostTestCase, door, link, manifest
from local_peer import Peer
from ports import free_port

CONNECTIONS_MAX = 8
LINE_BYTES_MAX = 8192


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


class CommandTests(LocalCase):
    """edge-host gpio, through the host."""

    def gpio(self, action, *words, status=0):
        result = run_command("gpio", action, *words, "--socket", str(self.path))
        self.assertEqual(result.returncode, status, result)
        if status == 0:
            self.assertEqual(result.stderr, "")
        else:
            self.assertTrue(result.stderr.startswith("edge-host: "), result.stderr)
        return result.stdout if status == 0 else result.stderr

    def test_lines_are_set_and_read(self):
        self.start(GATE, SIREN)
        self.assertEqual(self.gpio("get", "gate", "siren"), '"gate"=inactive "siren"=inactive\n')
        self.assertEqual(self.gpio("set", "siren=on"), "")
        self.assertEqual(self.gpio("get", "siren", "gate", "--numeric"), "1 0\n")
        answer = json.loads(self.gpio("get", "siren", "--json"))
        self.assertEqual((answer["name"], answer["active"]), ("siren", True))
        self.assertEqual(self.gpio("names"), "gate\nsiren\n")

    def test_pulse_and_lease_end(self):
        host = self.start(SIREN)
        for words in (("pulse", "siren", "100ms"), ("set", "siren=1", "--lease", "100ms")):
            self.gpio(*words)
            host.wait_until(lambda: self.gpio("get", "siren", "--numeric") == "0\n",
                            f"{words} does not end")
        self.gpio("set", "siren=1")
        self.assertEqual(self.gpio("get", "siren", "--numeric"), "1\n")

    def test_edges_are_watched(self):
        self.start(door("100ms"), GATE)
        rows = self.gpio("watch", "dock-door", "-n", "3").splitlines()
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertRegex(row, r'^\d+\.\d{9}\t(rising|falling)\t"dock-door"$')
        events = [json.loads(row) for row in self.gpio("watch", "--json", "-n", "2").splitlines()]
        self.assertEqual({event["resource"] for event in events}, {"dock-door"})
        self.assertEqual(self.gpio("watch", "gate", "--timeout", "200ms"), "")

    def test_refusals(self):
        self.start(GATE, SIREN)
        for words, expected in ((("get", "siren", "window"), "404: no line is named 'window'"),
                                (("set", "gate=1"), "409: line \"gate\" is an input"),
                                (("watch", "window"), "404: no line or sensor is named 'window'"),
                                (("set", "siren=1", "--lease", "2d"), "400: \"lease_ms\"")):
            with self.subTest(words):
                self.assertIn(expected, self.gpio(*words, status=1))
        self.assertIn("--lease instead", self.gpio("set", "siren=1", "--hold", "1s", status=2))
        self.assertIn("--chip", self.gpio("get", "siren", "--active-low", status=2))

    def test_no_host(self):
        """A host that was named must be there; without one that was, the kernel has the lines."""
        self.assertIn(str(self.path), self.gpio("get", "siren", status=1))
        result = run_command("gpio", "get", "--chip", "gpiochip250", "0")
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("gpiochip250", result.stderr)

    def test_host_that_goes_ends_a_watch(self):
        host = self.start(GATE)
        with EdgeHost("gpio", "watch", "--socket", str(self.path)) as watch:
            peer = self.peer()
            levels = itertools.cycle((True, False))

            def tells():
                peer.ask(capability="gpio", resource="gate", operation="drive",
                         arguments={"active": next(levels)})
                return watch.output_lines

            watch.wait_until(tells, "the watch tells nothing")
            self.assertEqual(host.stop(), 0)
            self.assertEqual(watch.wait_for_end(), 1)
            self.assertIn("the host closed the connection", watch.log)


class BoardCommandTests(LocalCase):
    """Commands that look at this machine, which has no GPIO chips, or some that are left alone."""

    def test_scan_writes_a_manifest_once(self):
        path = self.folder / "found.yaml"
        result = run_command("gpio", "scan", "--manifest", str(path))
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(run_command("check", str(path)).returncode, 0)
        self.assertEqual(run_command("gpio", "scan").stdout, path.read_text())
        path.write_text("mine")
        result = run_command("gpio", "scan", "--manifest", str(path))
        self.assertEqual(result.returncode, 1, result)
        self.assertIn(f"{path}: File exists", result.stderr)
        self.assertEqual(path.read_text(), "mine")

    def test_listed_sensors_make_a_manifest(self):
        result = run_command("sensors", "list")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"(?m)^- \{name: memory, kind: host, metric: memory\} +# \d+\.0 B$")
        path = self.folder / "found.yaml"
        lines = "".join(f"  {line}\n" for line in result.stdout.splitlines())
        path.write_text(f"capabilities:\n- builtin: sensors\n  sensors:\n{lines}")
        self.assertEqual(run_command("check", str(path)).returncode, 0)
        documents = [json.loads(line) for line in run_command("sensors", "list", "--json").stdout.splitlines()]
        self.assertIn(("uptime", "host"), [(each["name"], each["kind"]) for each in documents])

    def test_list_of_a_chip_that_is_not_there(self):
        result = run_command("gpio", "list", "gpiochip250")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertTrue(result.stderr.startswith("edge-host: "), result.stderr)

    def test_outputs_that_are_not_there_are_not_safe(self):
        path = self.write_manifest(
            "capabilities:\n  - builtin: gpio\n    lines:\n"
            "      - {name: siren, line: NO-SUCH-LINE, direction: output}\n"
            "      - {name: fan, line: NOR-THIS, direction: output, safe: keep}\n")
        result = run_command("safe", "--manifest", str(path))
        self.assertEqual((result.returncode, result.stdout), (1, "fan: left as it is\n"))
        self.assertIn("NO-SUCH-LINE", result.stderr)
        documents = [json.loads(line) for line in
                     run_command("safe", "--manifest", str(path), "--json").stdout.splitlines()]
        self.assertEqual([(document["name"], document["done"]) for document in documents],
                         [("siren", False), ("fan", True)])

    def test_safe_reads_no_secrets(self):
        path = self.write_manifest(
            "link: {servers: [127.0.0.1:1], auth: {token: /nonexistent/token}}\n"
            "capabilities: []\n")
        self.assertEqual(run_command("safe", "--manifest", str(path)).returncode, 0)


if __name__ == "__main__":
    unittest.main()
