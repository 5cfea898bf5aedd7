"""A link on which nothing is heard any more and no side closes: the host notices by itself."""

import unittest

from host_case import GATE, HostTestCase, chatter, link, manifest
from lane import Conditions
from link import Link

# The host is told to notice within 5 seconds. Official clients need two to six minutes, the kernel a
# quarter of an hour.
NOTICED_WITHIN_SECONDS = 60


class HalfOpenTests(HostTestCase):
    def test_idle_host_notices(self):
        self.assert_is_noticed(GATE)

    def test_host_that_writes_all_the_time_notices(self):
        self.assert_is_noticed(GATE, sensors=chatter(5))

    def assert_is_noticed(self, *lines, **options):
        # With a rate, so that the kernel on the way takes in little: what it acknowledges is progress.
        fast = Conditions(rate=1_000_000)
        carrier = self.enterContext(Link(self.server.port, fast, fast))
        host = self.launch_host(
            manifest(*lines, more=link([carrier.port], ", detect: 5s"), **options))
        self.wait_for_answer(self.client, host)
        carrier.freeze()
        host.wait_for_log("next try in", NOTICED_WITHIN_SECONDS)
        carrier.heal()
        self.wait_for_answer(self.client, host)


if __name__ == "__main__":
    unittest.main()
