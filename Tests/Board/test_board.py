"""edge-host on an emulated board: its pins driven and read from outside, its messages over a real
nats-server. Needs build/ARCHITECTURE/edge-host from the cross build."""

import time
import unittest
from contextlib import contextmanager

import nats
from board import BUILD, CHIP_LABEL, HOST_ADDRESS, Board
from console import ConsoleError
from nats_server import NATSServer

MANIFEST_PATH = "/etc/edge-host.yaml"
HOST_COMMAND = f"/bin/edge-host run --manifest {MANIFEST_PATH}"

DOOR = 1
SIREN = 2

# The door is found by its chip's label and the siren by its chip's name, as both occur in practice.
MANIFEST = """\
host: {{name: {name}, lattice: test}}
link:
  servers: [nats://{address}:{port}]
capabilities:
  - builtin: gpio
    board: linux
    lines:
      - {{name: dock-door, chip: {chip}, line: {door}, direction: input, debounce: 1ms}}
      - {{name: siren, chip: gpiochip0, line: {siren}, direction: output, safe: inactive}}
"""


class BoardTests:
    """One board and one server for all tests, one run of edge-host for each."""

    @classmethod
    def setUpClass(cls):
        host = BUILD / cls.architecture / "edge-host"
        if not host.exists():
            raise FileNotFoundError(f"{host} is missing: build it with `make cross`")
        cls.name = f"board-{cls.architecture}"
        cls.server = cls.enterClassContext(NATSServer())
        manifest = MANIFEST.format(name=cls.name, address=HOST_ADDRESS, port=cls.server.port,
                                   chip=CHIP_LABEL, door=DOOR, siren=SIREN)
        cls.board = cls.enterClassContext(
            Board(cls.architecture, {"/bin/edge-host": host, MANIFEST_PATH: manifest},
                  log_name=f"board-{cls.architecture}"))

    def setUp(self):
        self.client = self.enterContext(nats.Client(self.server.port))
        self.addCleanup(self.board.set_input, DOOR, 0)

    @contextmanager
    def host(self):
        """Runs edge-host for the length of the context, which begins when it has said that it is
        there; the value is the subscription to its status."""
        status = self.client.subscribe(self.subject("status"))
        position = self.board.start("edge-host", HOST_COMMAND)
        try:
            self.presence = self.wait_for_presence(status, position)
            yield status
        finally:
            self.board.signal("edge-host", "TERM", check=False)
            try:
                self.exit_status = self.board.wait_for_end("edge-host", after=position)
            except ConsoleError:
                self.board.signal("edge-host", "KILL")  # or the next test finds the lines taken
                raise

    def wait_for_presence(self, status, position):
        deadline = time.monotonic() + nats.WAIT_SECONDS
        while True:
            try:
                return status.next(timeout=1).json()
            except nats.NoMessage:
                written = "\n".join(self.board.console_lines(position))
                if "edge-host ended" in written or time.monotonic() > deadline:
                    self.fail(f"edge-host did not announce itself; on the console:\n{written}")

    def subject(self, rest):
        return f"edge.test.{self.name}.{rest}"

    def set_siren(self, active):
        return self.client.request(self.subject("gpio.siren.set"), {"active": active}).json()

    def get_door(self):
        return self.client.request(self.subject("gpio.dock-door.get")).json()

    def subscribe_to_door(self):
        return self.client.subscribe(self.subject("gpio.dock-door.edge"))

    # What the board and its peers see

    def test_says_that_it_is_there(self):
        with self.host():
            self.assertIsInstance(self.presence, dict)
        self.assertEqual(self.exit_status, 0)

    def test_output_is_set_by_a_request(self):
        with self.host():
            for active, level in ((True, 1), (False, 0), (True, 1)):
                answer = self.set_siren(active)
                self.assertIs(answer["active"], active)
                self.assertEqual(answer["level"], level)
                self.assertEqual(self.board.read_level(SIREN), level)
                self.assertTrue(self.board.is_output(SIREN))
                self.assertRegex(self.board.run("cat /sys/kernel/debug/gpio"),
                                 r"edge-host.*\) out " + ("hi" if active else "lo"))

    def test_edges_are_published_in_order(self):
        with self.host():
            edges = self.subscribe_to_door()
            received = []
            for level in (1, 0, 1, 0):
                self.board.set_input(DOOR, level)
                received.append(edges.next().json())
            self.check_edges(received)

    def test_input_is_read_by_a_request(self):
        with self.host():
            edges = self.subscribe_to_door()
            self.assertIs(self.get_door()["active"], False)
            for level in (1, 0):
                self.board.set_input(DOOR, level)
                edges.next()  # the level counts once it has been debounced
                answer = self.get_door()
                self.assertIs(answer["active"], level == 1)
                self.assertEqual(answer["level"], level)

    def test_input_that_is_active_before_the_start_is_known(self):
        self.board.set_input(DOOR, 1)
        with self.host():
            self.assertIs(self.get_door()["active"], True)

    def test_edges_made_while_the_link_is_cut_arrive_in_order(self):
        with self.host():
            edges = self.subscribe_to_door()
            self.board.set_link(False)
            try:
                for level in (1, 0, 1, 0):
                    self.board.set_input(DOOR, level)
                    # The kernel's debounce needs its millisecond of the guest's time.
                    self.board.run("sleep 0.2")
            finally:
                self.board.set_link(True)
            self.check_edges([edges.next().json() for _ in range(4)])
            self.assertIs(self.set_siren(True)["active"], True)

    def test_stop_makes_outputs_safe_and_says_goodbye(self):
        with self.host() as status:
            self.set_siren(True)
            self.assertEqual(self.board.read_level(SIREN), 1)
            self.client.flush()
            status.waiting.clear()
        self.assertEqual(self.exit_status, 0)
        self.assertEqual(self.board.read_level(SIREN), 0)
        self.assertIsInstance(status.next().json(), dict)

    def check_edges(self, edges):
        """The door opened and closed twice; `edges` are the messages."""
        self.assertEqual([edge["edge"] for edge in edges],
                         ["rising", "falling", "rising", "falling"])
        self.assertEqual([edge["active"] for edge in edges], [True, False, True, False])
        for edge in edges:
            self.assertEqual(edge["name"], "dock-door")
            self.assertIn("time", edge)
        for field in ("line_seq", "seq", "monotonic_ns"):
            values = [edge[field] for edge in edges]
            self.assertEqual(values, sorted(set(values)), field)
        first = edges[0]["line_seq"]
        self.assertEqual([edge["line_seq"] for edge in edges],
                         [first, first + 1, first + 2, first + 3])


class AArch64BoardTests(BoardTests, unittest.TestCase):
    architecture = "aarch64"


class ARMv7BoardTests(BoardTests, unittest.TestCase):
    architecture = "armv7"


if __name__ == "__main__":
    unittest.main()
