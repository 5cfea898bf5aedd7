"""A slow, late or uneven link between host and server, emulated: what is slow is not dead."""

import unittest

from host_case import GATE, HostTestCase, door, link, manifest, subject
from lane import Conditions
from link import Link

KBIT = 1000 / 8


class SlowLinkTests(HostTestCase):
    def launch(self, up, down, *lines, more="", **options):
        """The host behind a link with these conditions; returns both."""
        slow = self.enterContext(Link(self.server.port, up, down, seed=7))
        host = self.launch_host(manifest(*lines, more=link([slow.port], more), **options))
        return slow, host

    def assert_one_connection(self, host):
        self.assertEqual(host.log.count("connected to"), 1, host.log)
        self.assertNotIn("next try in", host.log)

    def test_host_joins_over_a_link_with_a_long_round_trip(self):
        """1.2 seconds; servers allow two for the handshake."""
        late = Conditions(delay=0.6)
        _, host = self.launch(late, late, GATE)
        self.wait_for_answer(self.client, host)
        self.assert_one_connection(host)

    def test_edges_arrive_in_order_over_a_link_with_stalls(self):
        """16 kbit/s, 800 ms there and back, now and then nothing for two seconds."""
        rough = Conditions(rate=16 * KBIT, delay=0.4, jitter=0.1, stall_every=5, stall_for=2)
        edges = self.client.subscribe(subject("gpio.dock-door.edge"))
        _, host = self.launch(rough, rough, door("500ms"), GATE, presence="5s")
        numbers = []
        while len(set(numbers)) < 12:
            edge = edges.next()
            self.client.publish(edge.reply)
            numbers.append(edge.json()["line_seq"])
        self.client.flush()
        self.assert_consecutive(list(dict.fromkeys(numbers)))
        self.wait_for_answer(self.client, host)
        self.assert_one_connection(host)

    def test_calls_that_fill_the_link_do_not_end_it(self):
        """Towards the host: what answers its PING waits behind some twenty seconds of calls."""
        narrow = Conditions(rate=50 * KBIT, buffer=32_768)
        _, host = self.launch(narrow, narrow, GATE, more="")
        self.wait_for_answer(self.client, host)
        # Too large to be answered with more than a refusal, so that the way back stays free.
        answers = self.client.subscribe("answers.*")
        for number in range(10):
            self.client.publish(subject("gpio.gate.get"), b"{" + b" " * 12_000, f"answers.{number}")
        self.assertEqual(len(answers.take(10)), 10)
        self.assert_one_connection(host)


if __name__ == "__main__":
    unittest.main()
