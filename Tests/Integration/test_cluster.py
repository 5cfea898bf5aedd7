"""Several servers that know each other: one of them dies, or another one comes."""

import unittest

import nats
from cluster_case import ClusterTestCase
from host_case import GATE, door, subject


class MemberTests(ClusterTestCase):
    def test_host_goes_on_when_a_member_is_killed(self):
        host = self.launch(GATE, door("200ms"))
        for _ in range(2):
            killed = self.server_of(host, self.ports)
            other = self.servers[(killed + 1) % 3]
            with nats.Client(other.port) as client:
                self.wait_for_answer(client, host)
                edges = client.subscribe(subject("gpio.dock-door.edge"))
                taken = self.acknowledge(client, edges, 5)
                self.servers[killed].kill()
                taken += self.acknowledge(client, edges, 10)
                self.wait_for_answer(client, host)
            self.assert_in_order(taken, sent_again=1)
            self.servers[killed].start()
        self.assertEqual(host.stop(), 0)

    @staticmethod
    def acknowledge(client, edges, count):
        """Takes so many events, says that they are kept, and returns them."""
        taken = []
        while len({edge["line_seq"] for edge in taken}) < count:
            edge = edges.next()
            client.publish(edge.reply)
            taken.append(edge.json())
        client.flush()
        return taken


class InfoTests(ClusterTestCase):
    """INFO comes again: after the first PING from newer servers, and from all of them when the
    cluster changes. A second CONNECT would cost the host its subscriptions."""

    trace = "true"

    def test_later_info_is_not_answered(self):
        self.servers[2].kill()
        host = self.launch(GATE, ports=[self.servers[0].port])
        self.wait_for_answer(self.client, host)
        for _ in range(2):
            before = self.client.infos
            self.servers[2].start()
            host.wait_until(lambda: self.infos_at_client() > before, "there is no INFO")
            self.wait_for_answer(self.connect(self.servers[2]), host)
            self.servers[2].kill()
        self.wait_for_answer(self.client, host)
        self.assertEqual(host.log.count("connected to"), 1)
        connects = [line for line in self.servers[0].log.splitlines()
                    if "<<- [CONNECT" in line and "dock-7" in line]
        self.assertEqual(len(connects), 1, connects)

    def infos_at_client(self):
        """The server sends INFO to all its clients, so that the test's own shows that it came."""
        self.client.flush()
        return self.client.infos


if __name__ == "__main__":
    unittest.main()
