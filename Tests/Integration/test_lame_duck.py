"""A server that asks its clients to go elsewhere, and servers that only other servers name."""

import time
import unittest

import nats
from cluster_case import ClusterTestCase
from edge_host import WAIT_SECONDS
from host_case import GATE, subject
from lane import Conditions
from link import Link

CALL_PERIOD_SECONDS = 0.05


class Caller:
    """Calls again and again without waiting for answers, and keeps which calls were answered."""

    def __init__(self, client, rest):
        self._client = client
        self._subject = subject(rest)
        self._answers = client.subscribe("answers.*")
        self.calls = 0
        self.answered = set()
        self.doubled = []
        self.failed = []

    def call(self):
        self._client.publish(self._subject, reply=f"answers.{self.calls}")
        self.calls += 1
        self._take(CALL_PERIOD_SECONDS)

    def call_while(self, condition, timeout=WAIT_SECONDS):
        deadline = time.monotonic() + timeout
        while condition() and time.monotonic() < deadline:
            self.call()

    @property
    def missing(self):
        return sorted(set(range(self.calls)) - self.answered)

    def wait_for_all(self, timeout=10):
        deadline = time.monotonic() + timeout
        while self.missing and time.monotonic() < deadline:
            self._take(0.1)

    def _take(self, seconds):
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                answer = self._answers.next(remaining)
            except nats.NoMessage:
                return
            number = int(answer.subject.rpartition(".")[2])
            if answer.headers.startswith(b"NATS/1.0 503"):
                self.failed.append(number)
            else:
                if number in self.answered:
                    self.doubled.append(number)
                self.answered.add(number)


class LameDuckTests(ClusterTestCase):
    def test_no_call_is_lost_or_doubled_when_a_server_asks_its_clients_to_go(self):
        """Over links so long that several calls are on their way at any moment."""
        slow = Conditions(delay=0.1)
        links = [self.enterContext(Link(server.port, slow, slow)) for server in self.servers]
        ports = [each.port for each in links]
        host = self.launch(GATE, ports=ports)
        leaving = self.server_of(host, ports)
        stays = self.servers[(leaving + 1) % 3]
        caller = Caller(self.connect(stays), "gpio.gate.get")
        self.wait_for_answer(self.connect(stays), host)
        for _ in range(20):
            caller.call()
        self.servers[leaving].enter_lame_duck_mode()
        # It ends when the last of its clients has gone.
        caller.call_while(lambda: self.servers[leaving].is_running)
        self.assertFalse(self.servers[leaving].is_running)
        caller.call_while(lambda: "moved to" not in host.log)
        for _ in range(40):
            caller.call()
        caller.wait_for_all()
        self.assertNotEqual(self.server_of(host, ports, self.ports), leaving, host.log)
        self.assertNotIn("next try in", host.log)
        self.assertEqual((caller.missing, caller.failed), ([], []), host.log)
        # For a while both servers deliver each call.
        self.assertEqual(caller.doubled, [], host.log)


class DiscoveryTests(ClusterTestCase):
    def test_servers_that_the_manifest_does_not_name_are_learnt(self):
        host = self.launch(GATE, ports=[self.servers[0].port])
        client = self.connect(self.servers[1])
        self.wait_for_answer(client, host)
        self.servers[0].kill()
        self.wait_for_answer(client, host)
        self.assertTrue(host.is_running)


if __name__ == "__main__":
    unittest.main()
