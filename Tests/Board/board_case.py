"""What the tests of edge-host on a board share: the board with a door and a siren, a real nats-server,
and a run of the host for each test. Needs build/ARCHITECTURE/edge-host from the cross build."""

import time
from contextlib import contextmanager

import nats
from board import HOST_ADDRESS, Board
from console import ConsoleError
from controllers import PL061
from nats_server import NATSServer
from programs import host_program

DOOR = 1
SIREN = 2

MANIFEST = """\
host: {{name: {name}, lattice: test}}
link: {{servers: ["nats://{address}:{port}"]}}
journal: {{size: 0B, memory: 256kB}}
capabilities:
  - builtin: gpio
    board: linux
    lines:
      - {lines}
"""


class BoardCase:
    """One board and one server for all tests, one run of edge-host for each. A test case derives from
    this and names its `architecture`."""

    report = "latest"  # how the door's edges are delivered
    log_prefix = "board"
    board_options = ()  # what else QEMU is told
    manifest_name = "edge-host"  # of those in `manifests`, the one that `host` runs unless told

    @classmethod
    def setUpClass(cls):
        cls.name = f"board-{cls.architecture}"
        cls.server = cls.enterClassContext(NATSServer())
        files = {"/bin/edge-host": host_program(cls.architecture)}
        for name, lines in cls.manifests().items():
            files[f"/etc/{name}.yaml"] = MANIFEST.format(
                name=cls.name, address=HOST_ADDRESS, port=cls.reachable_port(),
                lines="\n      - ".join(lines))
        cls.board = cls.enterClassContext(
            Board(cls.architecture, {**files, **cls.more_files()},
                  log_name=f"{cls.log_prefix}-{cls.architecture}", options=cls.board_options))

    @classmethod
    def manifests(cls):
        """The lines of each manifest, as YAML, by the name of its file in the board's /etc."""
        # The door is found by its chip's label and the siren by its chip's name, as both occur.
        return {"edge-host": [
            f"{{name: dock-door, chip: {PL061.label}, line: {DOOR}, direction: input, "
            f"debounce: 1ms, report: {cls.report}}}",
            f"{{name: siren, chip: gpiochip0, line: {SIREN}, direction: output, safe: inactive}}"]}

    @classmethod
    def reachable_port(cls):
        """The port of this machine's loopback by which the board reaches the server."""
        return cls.server.port

    @classmethod
    def more_files(cls):
        """What the board has besides edge-host and its manifest, as `Board` takes it."""
        return {}

    def setUp(self):
        self.client = self.enterContext(nats.Client(self.server.port))
        self.addCleanup(self.board.set_input, DOOR, 0)

    @contextmanager
    def host(self, manifest=None):
        """Runs edge-host for the length of the context, which begins when it has said that it is
        there; the value is the subscription to its status. `started` is where on the console it
        begins."""
        status = self.client.subscribe(self.subject("status"))
        path = f"/etc/{manifest or self.manifest_name}.yaml"
        position = self.started = self.board.start("edge-host", f"/bin/edge-host run --manifest {path}")
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

    def call(self, line, operation, **arguments):
        """The answer to a request of one line."""
        return self.client.request(self.subject(f"gpio.{line}.{operation}"), arguments).json()

    def set_siren(self, active):
        return self.call("siren", "set", active=active)

    def get_door(self):
        return self.call("dock-door", "get")

    def subscribe_to_door(self):
        return self.client.subscribe(self.subject("gpio.dock-door.edge"))

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
