"""More to be said than a slow link carries, in either direction: it is not given up."""

import unittest

from host_case import GATE, subject
from lane import Conditions
from link_case import KBIT, LinkTestCase


class FullLinkTests(LinkTestCase):
    def test_calls_that_fill_the_link_do_not_end_it(self):
        """Towards the host: what answers its PING waits behind some twenty seconds of calls."""
        narrow = Conditions(rate=50 * KBIT, buffer=32_768)
        _, host = self.launch(narrow, narrow, GATE)
        self.wait_for_answer(self.client, host)
        # Too large to be answered with more than a refusal, so that the way back stays free.
        answers = self.client.subscribe("answers.*")
        for number in range(10):
            self.client.publish(subject("gpio.gate.get"), b"{" + b" " * 12_000, f"answers.{number}")
        self.assertEqual(len(answers.take(10)), 10)
        self.assert_one_connection(host)


if __name__ == "__main__":
    unittest.main()
