"""A server that does not let the host in: it asks ever more seldom, and never gives up."""

import re
import unittest

from edge_host import WAIT_SECONDS
from host_case import GATE, LOGS, HostTestCase, manifest
from nats_server import PLAIN, NATSServer

CLOSED = PLAIN + "authorization { token: secret }\n"

# A host that finds no server tries again after at most so long; one that is refused waits longer.
ORDINARY_DELAY_MAX_MS = 30_000
REFUSALS_MAX = 20


class RefusedTests(HostTestCase):
    @classmethod
    def setUpClass(cls):
        LOGS.mkdir(parents=True, exist_ok=True)
        cls.server = cls.enterClassContext(NATSServer(CLOSED, log=LOGS / "RefusedTests.server.log"))

    def setUp(self):
        pass  # no client gets in

    def test_refused_host_asks_seldom_and_joins_once_it_may(self):
        host = self.launch_host(manifest(GATE))
        host.wait_for_log("Authorization Violation")
        delay_ms = host.wait_until(lambda: self.long_delay(host), "it goes on asking often",
                                   4 * WAIT_SECONDS)
        self.assert_log_is_bounded(host, 2 * REFUSALS_MAX)
        self.server.reload(PLAIN)
        self.server.wait_for_log("Reloaded server configuration")
        host.wait_until(lambda: "connected to" in host.log, "it does not come back",
                        delay_ms / 1000 + WAIT_SECONDS)
        self.wait_for_answer(self.connect(self.server), host)

    @staticmethod
    def long_delay(host):
        """The milliseconds that the host last said it waits, if that is long."""
        delays = [int(text) for text in re.findall(r"next try in (\d+) ms", host.log)]
        return delays and delays[-1] > ORDINARY_DELAY_MAX_MS and delays[-1]


if __name__ == "__main__":
    unittest.main()
