"""More to be said than a slow link carries, in either direction: it is not given up, and what is urgent
does not wait."""

import time
import unittest

from host_case import GATE, chatter, subject
from lane import Conditions
from link_case import KBIT, LinkTestCase

# By then a PING waits in the modem for half of it: for longer than the host's patience.
BACKLOG_SECONDS = 40

# After so much the readings that wait have filled every buffer on the way.
FILLING_BYTES = 20_000
# The modem's 4 kB, the kernels' 9 kB, what the host has already handed over, and a margin.
OVERTAKEN_BYTES_MAX = 24_000


class FullLinkTests(LinkTestCase):
    def test_calls_that_fill_the_link_do_not_end_it(self):
        """Towards the host: what answers its PING waits behind some twenty seconds of calls."""
        narrow = Conditions(rate=50 * KBIT, buffer=32_768)
        _, host = self.launch(narrow, narrow, GATE, more=", detect: 5s")
        self.wait_for_answer(self.client, host)
        # Too large to be answered with more than a refusal, so that the way back stays free.
        answers = self.client.subscribe("answers.*")
        for number in range(10):
            self.client.publish(subject("gpio.gate.get"), b"{" + b" " * 12_000, f"answers.{number}")
        self.assertEqual(len(answers.take(10)), 10)
        self.assert_one_connection(host)

    def test_backlog_that_delays_the_answer_to_a_ping_does_not_end_the_link(self):
        """From the host: twice as many readings as the link carries, and a modem that buffers them all,
        so that an answer to a PING comes later and later. Nothing else needs to come back."""
        up = Conditions(rate=50 * KBIT, buffer=1_000_000)
        readings = self.client.subscribe(subject("sensors.sensor-0.reading"))
        _, host = self.launch(up, Conditions(), GATE, sensors=chatter(6), more=", detect: 5s")
        began = time.monotonic()
        while time.monotonic() < began + BACKLOG_SECONDS:
            readings.next()
        self.assert_one_connection(host)

    def test_answers_overtake_the_readings_that_fill_the_link(self):
        """Counted in bytes and not in time: between a call and its answer the link carries what the
        modem and the kernels hold, and not what waits in the host."""
        up = Conditions(rate=16 * KBIT)
        readings = self.client.subscribe(subject("sensors.*.reading"))
        slow, host = self.launch(up, Conditions(), GATE, sensors=chatter(12))
        host.wait_for_log("connected to")
        host.wait_until(lambda: slow.carried[0] > FILLING_BYTES, "the link does not fill")
        for _ in range(2):
            readings.take(1)
            before = slow.carried[0]
            self.assertEqual(self.call("gpio.gate.get")["name"], "gate")
            self.assertLess(slow.carried[0] - before, OVERTAKEN_BYTES_MAX)
        self.assert_one_connection(host)


if __name__ == "__main__":
    unittest.main()
