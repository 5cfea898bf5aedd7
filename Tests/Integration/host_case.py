"""What the integration tests share: a NATS server, a client beside it, and the host under test with a
simulated board."""

import os
import tempfile
import unittest
from pathlib import Path

import nats
from edge_host import COMMAND, ROOT, WAIT_SECONDS, EdgeHost
from nats_server import PLAIN, NATSServer

LOGS = (ROOT / "build" / "integration" / Path(COMMAND[-1]).parent.name
        / Path(os.environ.get("NATS_SERVER", "installed")).name)

HOST = "dock-7"
LATTICE = "wh7"

# Lines and sensors as a manifest has them. The gate never moves.
GATE = "{name: gate, direction: input}"
SIREN = "{name: siren, direction: output, safe: inactive}"
BRAKE = "{name: brake, direction: output, safe: active}"
COLD_ROOM = ("{name: cold-room, kind: simulated, unit: Cel, every: 300ms, "
             "script: {values: [-18.5, -18, -17.5]}}")


def door(period="300ms", report="durable"):
    """A door that goes on moving."""
    return (f"{{name: dock-door, direction: input, report: {report}, script: {{repeat: true, "
            f"steps: [{{after: {period}, active: true}}, {{after: {period}, active: false}}]}}}}")


def chatter(sensors):
    """Sensors that say more than a slow link carries: 2 kB a second each."""
    return [f"{{name: sensor-{number}, kind: simulated, unit: Cel, every: 100ms}}"
            for number in range(sensors)]


def manifest(*lines, sensors=(), presence="30s", more="", socket="none"):
    """A manifest's text; the server is the one that the environment names."""
    def items(texts):
        return "".join(f"      - {text}\n" for text in texts) or "      []\n"

    return (f"host: {{name: {HOST}, lattice: {LATTICE}, presence: {presence}, "
            f"socket: {socket}}}\n"
            "labels: {site: wh7, floor: 2}\n"
            f"{more}"
            "capabilities:\n"
            "  - builtin: gpio\n    board: simulated\n    lines:\n" + items(lines) +
            "  - builtin: sensors\n    sensors:\n" + items(sensors))


def link(servers, more=""):
    """The manifest's link to ports of the loopback, in order of preference."""
    addresses = ", ".join(f"127.0.0.1:{port}" for port in servers)
    return f"link: {{servers: [{addresses}]{more}}}\n"


def subject(rest, host=HOST):
    return f"edge.{LATTICE}.{host}.{rest}"


class HostTestCase(unittest.TestCase):
    """One server for all tests of a class; a client and a host for each test."""

    @classmethod
    def setUpClass(cls):
        LOGS.mkdir(parents=True, exist_ok=True)
        cls.server = cls.enterClassContext(NATSServer(log=LOGS / f"{cls.__name__}.server.log"))

    def setUp(self):
        self.client = self.connect(self.server)

    def connect(self, server, **more):
        return self.enterContext(nats.Client(server.port, **more))

    def write_manifest(self, text):
        """A manifest's path, in a folder of its own."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="edge-host-")))
        path = folder / "manifest.yaml"
        path.write_text(text)
        return path

    def launch_host(self, text, server=None):
        """Starts the host and does not wait for anything."""
        path = self.write_manifest(text)
        log = LOGS / f"{self.id().partition('.')[2]}.log"
        server = server or self.server
        return self.enterContext(
            EdgeHost("run", "--manifest", str(path), server=server.address, log=log))

    def start_host(self, text):
        """Starts the host and returns when it has announced itself. `presence` is what it said,
        `status` the subscription to what it says next."""
        self.status = self.client.subscribe(subject("status"))
        host = self.launch_host(text)
        host.wait_for_log("connected to")
        self.presence = self.status.next().json()
        return host

    # Requests

    def call(self, rest, body=None, headers=None):
        """The answer to a request that must be granted."""
        message = self.client.request(subject(rest), body, headers=headers)
        self.assertIsNone(message.header("Nats-Service-Error"), message)
        return message.json()

    def refusal(self, rest, body=None, headers=None):
        """The answer to a request that must be refused: its code and its reason, which header and
        body agree on."""
        message = self.client.request(subject(rest), body, headers=headers)
        code = message.header("Nats-Service-Error-Code")
        self.assertIsNotNone(code, f"{rest} {body} was granted: {message}")
        answer = message.json()
        self.assertEqual(answer["code"], int(code))
        self.assertEqual(answer["reason"], message.header("Nats-Service-Error"))
        self.assertEqual(answer["name"], rest.split(".")[-2])
        return int(code), answer["reason"]

    def is_active(self, line):
        return self.call(f"gpio.{line}.get")["active"]

    def wait_for_answer(self, client, host, rest="gpio.gate.get"):
        """Returns once the host answers a client; meanwhile it may be anywhere."""
        def is_answered():
            try:
                return client.request(subject(rest), timeout=5).json()
            except (nats.NoResponders, nats.NoMessage):
                return None

        return host.wait_until(is_answered, f"{rest} is not answered", 2 * WAIT_SECONDS)

    def wait_until_active(self, line, active, host):
        host.wait_until(lambda: self.is_active(line) is active, f"{line} is not {active}")

    def assert_consecutive(self, numbers):
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    def assert_in_order(self, edges, sent_again=0):
        """New edges ascend, and so do those of the backlog, which say their age. What was new when the link
        broke may be sent again before the backlog, as often as `sent_again`."""
        first = {edge["line_seq"]: edge for edge in reversed(edges)}
        for lane in (False, True):
            numbers = [number for number in dict.fromkeys(edge["line_seq"] for edge in edges)
                       if ("age_ms" in first[number]) is lane]
            breaks = sum(left > right for left, right in zip(numbers, numbers[1:]))
            self.assertLessEqual(breaks, sent_again if lane else 0, numbers)

    def assert_log_is_bounded(self, host, lines_max):
        """However often something happened, the host did not write of it every time."""
        lines = host.log.splitlines()
        self.assertLess(len(lines), lines_max, "its log begins:\n" + "\n".join(lines[:lines_max]))


class OwnServersTestCase(HostTestCase):
    """Servers are those that each test starts with `serve`."""

    @classmethod
    def setUpClass(cls):
        LOGS.mkdir(parents=True, exist_ok=True)

    def setUp(self):
        pass

    def serve(self, configuration=""):
        name = self.id().rpartition(".")[2]
        return self.enterContext(
            NATSServer(PLAIN + configuration, log=LOGS / f"{name}.server.log"))
