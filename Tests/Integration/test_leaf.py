"""A host on a leaf node whose link to the hub is cut: who is on the leaf's side goes on, who is beyond
gets a clear answer, and what was kept meanwhile is there afterwards."""

import unittest

import nats
from edge_host import WAIT_SECONDS
from host_case import GATE, LOGS, SIREN, HostTestCase, door, manifest, subject
from jetstream import Stream
from link import Link
from nats_server import NATSServer

HUB = """\
server_name: hub
host: 127.0.0.1
port: $PORT
ping_interval: "2s"
ping_max: 4
jetstream { domain: hub, store_dir: $STORE }
leafnodes { host: 127.0.0.1, port: $LEAF_PORT, advertise: $UPLINK }
"""

LEAF = """\
server_name: leaf
host: 127.0.0.1
port: $PORT
ping_interval: "2s"
ping_max: 4
jetstream { domain: wh7, store_dir: $STORE }
leafnodes { reconnect: 1, remotes: [ { url: $REMOTE } ] }
"""


class LeafTests(HostTestCase):
    @classmethod
    def setUpClass(cls):
        LOGS.mkdir(parents=True, exist_ok=True)
        cls.hub = NATSServer(HUB, log=LOGS / "LeafTests.hub.log")
        cls.uplink = cls.enterClassContext(Link(cls.hub.leaf_port))
        address = f"127.0.0.1:{cls.uplink.port}"
        cls.hub.variables["UPLINK"] = f'"{address}"'
        cls.enterClassContext(cls.hub)
        cls.server = cls.enterClassContext(NATSServer(
            LEAF, {"REMOTE": f'"nats-leaf://{address}"'}, log=LOGS / "LeafTests.leaf.log"))

    def setUp(self):
        super().setUp()  # self.client is on the leaf
        self.beyond = self.connect(self.hub)

    def test_calls_go_on_at_the_leaf_and_return_to_the_hub(self):
        host = self.start_host(manifest(GATE, SIREN))
        for interrupt in (self.uplink.cut, self.uplink.freeze):
            self.wait_for_answer(self.beyond, host)
            self.client = self.connect(self.server)  # the server closes one that was idle so long
            interrupt()
            try:
                for active in (True, False):
                    self.assertIs(self.call("gpio.siren.set", {"active": active})["active"], active)
                # The hub says that nobody is there once it knows; until then nobody answers.
                host.wait_until(lambda: not self.is_active("siren") and self.is_known_to_be_away(),
                                "the hub does not notice")
            finally:
                self.uplink.heal()
        self.wait_for_answer(self.beyond, host)
        self.assertEqual(host.log.count("connected to"), 1)

    def is_known_to_be_away(self):
        try:
            self.beyond.request(subject("gpio.gate.get"), timeout=1)
        except nats.NoResponders:
            return True
        except nats.NoMessage:
            pass
        return False

    def test_edges_are_kept_in_the_domain_of_the_leaf(self):
        """Domains keep the streams of both sides apart. The leaf's keeps the edges while the uplink is
        cut, and the hub reads it by its domain afterwards."""
        kept = Stream(self.client, "EDGE")
        kept.create(["edge.*.*.gpio.*.edge"])
        self.addCleanup(self.delete_stream)
        host = self.start_host(manifest(door("200ms"), presence="1s"))
        host.wait_until(lambda: kept.state["messages"] >= 3, "no edges are kept")
        self.uplink.cut()
        try:
            before = kept.state["messages"]
            host.wait_until(lambda: kept.state["messages"] >= before + 5, "edges are not kept")
        finally:
            self.uplink.heal()
        remote = Stream(self.beyond, "EDGE", domain="wh7")
        host.wait_until(lambda: self.is_there(remote), "the leaf's stream is not seen at the hub",
                        2 * WAIT_SECONDS)
        host.stop()
        numbers = [body["line_seq"] for body in remote.bodies()]
        self.assertGreaterEqual(len(numbers), before + 5)
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def delete_stream(self):
        with nats.Client(self.server.port) as client:
            Stream(client, "EDGE").delete()

    @staticmethod
    def is_there(stream):
        try:
            return stream.state["messages"] > 0
        except nats.NATSError:
            return False


if __name__ == "__main__":
    unittest.main()
