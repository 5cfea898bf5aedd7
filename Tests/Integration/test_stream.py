"""A stream at the hub stores each of a board's edges once and in order, whatever happens to the links
and servers between."""

import time
import unittest

import nats
from edge_host import WAIT_SECONDS
from host_case import LOGS, HostTestCase, door, manifest
from jetstream import Stream
from warehouse import Warehouse

# The host waits so long for an acknowledgement before it sends again.
ACKNOWLEDGEMENT_SECONDS = 5


def timestamp():
    """The present time as the host writes it, so that times compare as texts."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09}Z"


class StreamTests(HostTestCase):
    @classmethod
    def setUpClass(cls):
        LOGS.mkdir(parents=True, exist_ok=True)
        cls.warehouse = cls.enterClassContext(Warehouse(logs=LOGS))
        # The host joins the leaf.
        cls.server = cls.warehouse.leaf

    def setUp(self):
        super().setUp()
        self.hub = self.connect(self.warehouse.hub)
        self.stream = Stream(self.hub, "EDGE")
        self.stream.create(["edge.*.*.gpio.*.edge"])
        self.addCleanup(self.delete_stream)
        self.host = self.launch_host(manifest(door("250ms"), presence="1s"))
        self.host.wait_for_log("connected to")
        self.wait_for_edges(4)

    def delete_stream(self):
        with nats.Client(self.warehouse.hub.port) as client:
            Stream(client, "EDGE").delete()

    def reconnect(self):
        """Takes up with the hub after it was gone."""
        self.hub = self.connect(self.warehouse.hub)
        self.stream = Stream(self.hub, "EDGE")

    def wait_for_edges(self, count):
        """Returns once so many more are stored."""
        before = self.stream.state["messages"]
        self.host.wait_until(lambda: self.stream.state["messages"] >= before + count,
                             f"the stream does not get {count} more edges", 2 * WAIT_SECONDS)

    def wait_for_edge_after(self, moment):
        """Returns once an edge of after that moment is stored, and all before it."""
        def is_complete():
            bodies = self.stream.bodies()
            last = max(bodies, key=lambda body: body["line_seq"], default=None)
            return last and last["time"] > moment and last["line_seq"] <= len(bodies)

        self.host.wait_until(is_complete, f"the stream gets not all edges up to {moment}",
                             2 * WAIT_SECONDS)

    def assert_complete(self, from_moment, to_moment):
        """Every edge since the start is stored once, those that are new in order, and some happened
        between, which say that they are late."""
        bodies = self.stream.bodies()
        numbers = [body["line_seq"] for body in bodies]
        # What is told while the stream is read may overtake one that is late.
        self.assertEqual(sorted(numbers), list(range(1, len(bodies) + 1)))
        news = [body["line_seq"] for body in bodies if "age_ms" not in body]
        self.assertEqual(news, sorted(news))
        between = [body for body in bodies if from_moment <= body["time"] <= to_moment]
        self.assertGreater(len(between), 2)
        self.assertGreater(len([body for body in between if "age_ms" in body]), 1)

    def interrupt(self, seconds, begin, end):
        began = timestamp()
        begin()
        time.sleep(seconds)
        ended = timestamp()
        end()
        return began, ended

    def test_edges_survive_a_cut_link(self):
        uplink = self.warehouse.uplink
        period = self.interrupt(2, uplink.cut, uplink.heal)
        self.wait_for_edge_after(period[1])
        self.assert_complete(*period)

    def test_edges_survive_a_link_that_is_cut_again_and_again(self):
        uplink = self.warehouse.uplink
        periods = []
        for _ in range(4):
            periods.append(self.interrupt(1, uplink.cut, uplink.heal))
            time.sleep(1.5)
        self.wait_for_edge_after(timestamp())
        self.assert_complete(*periods[0])

    def test_edges_survive_a_silent_link(self):
        """The leaf believes that the hub is there: what it was given may arrive late, or never."""
        uplink = self.warehouse.uplink
        for seconds in (2, ACKNOWLEDGEMENT_SECONDS + 3):
            period = self.interrupt(seconds, uplink.freeze, uplink.heal)
            self.wait_for_edge_after(period[1])
            self.assert_complete(*period)

    def test_edges_survive_the_crash_of_the_hub(self):
        hub = self.warehouse.hub
        period = self.interrupt(2, hub.kill, hub.start)
        self.reconnect()
        self.wait_for_edge_after(period[1])
        self.assert_complete(*period)

    def test_edges_survive_the_crash_of_the_leaf(self):
        leaf = self.warehouse.leaf
        period = self.interrupt(2, leaf.kill, leaf.start)
        self.wait_for_edge_after(period[1])
        self.assert_complete(*period)

    def test_edges_wait_for_a_stream_that_is_full(self):
        """A stream that answers with an error keeps nothing."""
        self.stream.update(["edge.*.*.gpio.*.edge"], max_msgs=self.stream.state["messages"],
                           discard="new")
        began = timestamp()
        time.sleep(2)
        self.stream.update(["edge.*.*.gpio.*.edge"], max_msgs=-1, discard="old")
        ended = timestamp()
        self.wait_for_edge_after(ended)
        self.assert_complete(began, ended)


if __name__ == "__main__":
    unittest.main()
