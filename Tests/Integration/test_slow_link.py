"""A slow, late or uneven link between host and server, emulated: what is slow is not dead."""

import unittest

from host_case import GATE, door, subject
from lane import Conditions
from link_case import KBIT, LinkTestCase


class SlowLinkTests(LinkTestCase):
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
        taken = []
        while len({edge["line_seq"] for edge in taken}) < 8:
            edge = edges.next()
            self.client.publish(edge.reply)
            taken.append(edge.json())
        self.client.flush()
        self.assert_in_order(taken)
        self.wait_for_answer(self.client, host)
        self.assert_one_connection(host)


if __name__ == "__main__":
    unittest.main()
