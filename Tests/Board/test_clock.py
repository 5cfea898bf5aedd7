"""edge-host on a board without a clock of its own: it starts in 1970, and its clock is set late, again, and
back. The kernel's own clock, its report that it was set, and its word on whether it is kept right are real."""

import unittest
from datetime import datetime

from board_case import DOOR, SIREN, BoardCase
from programs import compile_for_board

TODAY = 1_793_692_483  # 2026-11-03T07:54:43Z
DAY = 86_400
LONG_AGO = 1_000_000  # the kernel lets nobody set it to before it was started
MESSAGE_ID = "Nats-Msg-Id"


def seconds(text):
    """Seconds since 1970 of a time as the host writes it."""
    return datetime.fromisoformat(text[:26] + "+00:00").timestamp()


def boot_seconds(body):
    return body["monotonic_ns"] / 1e9


class ClockTests(BoardCase, unittest.TestCase):
    architecture = "aarch64"
    report = "durable"
    log_prefix = "clock"
    board_options = ("-rtc", "base=1970-01-01")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.year_at_boot = int(cls.board.run("date +%Y"))

    @classmethod
    def more_files(cls):
        return {"/bin/setclock": compile_for_board("setclock.c", cls.architecture)}

    def setUp(self):
        super().setUp()
        self.set_clock(LONG_AGO, "unsynchronised")
        self.messages = self.client.subscribe(self.subject(">"))
        self.level = 0

    def set_clock(self, time, state="synchronised"):
        self.board.run(f"setclock {time} {state}")

    def move_door(self):
        self.level = 1 - self.level
        self.board.set_input(DOOR, self.level)

    def next_fact(self, kind):
        """The next fact of a kind, as (number, body). Each is acknowledged, and none comes twice."""
        while True:
            message = self.messages.next()
            identifier = message.header(MESSAGE_ID)
            if identifier is None:
                continue
            self.client.publish(message.reply)
            self.client.flush()
            if message.subject.split(".")[-1] == kind:
                return int(identifier.rpartition("-")[2]), message.json()

    def offset(self):
        """From the board's monotonic clock to its time of day: not less than the first, not more than the
        second."""
        before, date, after = self.board.run(
            "cut -d ' ' -f 1 /proc/uptime; date +%s; cut -d ' ' -f 1 /proc/uptime").split()
        return int(date) - float(after) - 0.02, int(date) + 1 - float(before) + 0.02

    def assert_right(self, time, instant):
        low, high = self.offset()
        self.assertGreaterEqual(time, low + instant)
        self.assertLessEqual(time, high + instant)

    def test_facts_that_leave_before_the_clock_is_set_can_be_corrected(self):
        self.assertEqual(self.year_at_boot, 1970)
        with self.host():
            self.assertEqual(self.presence["time_quality"], "unknown")
            self.move_door()
            _, edge = self.next_fact("edge")
            self.assertEqual(edge["time_quality"], "unknown")
            self.assertEqual(edge["time"][:4], "1970")
            self.assertEqual(edge["boot"],
                             self.board.run("cat /proc/sys/kernel/random/boot_id"))
            self.set_clock(TODAY)
            _, clock = self.next_fact("clock")
            self.assertEqual((clock["time_quality"], clock["boot"]), ("synced", edge["boot"]))
            self.assertGreater(clock["step_ms"], (TODAY - 2 * LONG_AGO) * 1000)
            # As docs/services.md says.
            corrected = seconds(clock["time"]) - boot_seconds(clock) + boot_seconds(edge)
            self.assert_right(corrected, boot_seconds(edge))
            self.move_door()
            _, edge = self.next_fact("edge")
            self.assertEqual(edge["time_quality"], "synced")
            self.assertNotIn("boot", edge)
            self.assert_right(seconds(edge["time"]), boot_seconds(edge))
            # Also when it was started, which was in 1970.
            self.assertEqual(self.client.request("$SRV.STATS").json()["started"][:4], "2026")

    def test_a_clock_that_is_right_only_later_is_noticed(self):
        with self.host():
            self.set_clock(TODAY, "unsynchronised")
            _, clock = self.next_fact("clock")
            self.assertEqual(clock["time_quality"], "unknown")
            self.set_clock("-")
            _, clock = self.next_fact("clock")
            self.assertEqual((clock["time_quality"], clock["step_ms"]), ("synced", 0))

    def test_facts_that_wait_until_the_clock_is_set_get_their_time(self):
        with self.host():
            self.board.set_link(False)
            self.move_door()
            self.board.run("sleep 0.2")  # the kernel's debounce
            self.set_clock(TODAY)
            self.board.set_link(True)
            _, edge = self.next_fact("edge")
            self.assertEqual(edge["time_quality"], "corrected")
            self.assert_right(seconds(edge["time"]), boot_seconds(edge))

    def test_a_clock_that_jumps_reorders_repeats_and_loses_nothing(self):
        times = [TODAY, TODAY + 30 * DAY, TODAY - 7200, LONG_AGO, TODAY + DAY]
        with self.host():
            numbers, edges, steps = [], [], []
            for time in times:
                self.move_door()
                self.board.run("sleep 0.2")
                self.set_clock(time)
                for kind, bodies in (("edge", edges), ("clock", steps)):
                    number, body = self.next_fact(kind)
                    numbers.append(number)
                    bodies.append(body)
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertEqual([edge["line_seq"] for edge in edges], list(range(1, len(times) + 1)))
            instants = [edge["monotonic_ns"] for edge in edges]
            self.assertEqual(instants, sorted(instants))
            self.assertEqual([step["step_ms"] > 0 for step in steps],
                             [True, True, False, False, True])

    def test_a_lease_ends_when_it_should_whatever_the_clock_does(self):
        with self.host():
            changes = self.client.subscribe(self.subject("gpio.siren.change"))
            for time in (TODAY + DAY, LONG_AGO):  # years ahead, and years back
                self.call("siren", "set", active=True, lease_ms=3000)
                self.set_clock(time)
                began, ended = (change.json() for change in changes.take(2))
                self.assertEqual((began["cause"], ended["cause"]), ("command", "lease"))
                self.assertGreaterEqual(ended["monotonic_ns"] - began["monotonic_ns"],
                                        3_000_000_000)
                self.assertEqual(self.board.read_level(SIREN), 0)


if __name__ == "__main__":
    unittest.main()
