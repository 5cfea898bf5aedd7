"""What edge-host relies on in the kernel's GPIO character device and in the emulated controller.

Driven from outside the board and asked of the kernel by kernel-probe.c, without edge-host: when a
board test fails, these say whether the ground under it moved.
"""

import re
import time
import unittest
from contextlib import contextmanager

from board import CHIP_LABEL, HOST_ADDRESS, PL061_LINES, Board
from nats_server import NATSServer
from programs import compile_for_board

CHIP = "/dev/gpiochip0"
PROBE = "/bin/kernel-probe"

# Longer than any stall of a loaded machine between two calls of a test, in the guest's time.
LONG_DEBOUNCE_US = 30_000_000


class KernelTests:
    """One board for all tests; each uses lines of its own, or leaves them as it found them."""

    @classmethod
    def setUpClass(cls):
        cls.board = cls.enterClassContext(
            Board(cls.architecture, {PROBE: compile_for_board("kernel-probe.c", cls.architecture)},
                  log_name=f"kernel-{cls.architecture}"))

    @contextmanager
    def probe(self, action, line, argument, announcement, name):
        """Runs kernel-probe for the length of the context; the value is where on the console its
        output begins. It is killed, as a crash would end it."""
        position = self.board.start(name, f"{PROBE} {action} {CHIP} {line} {argument}")
        self.board.wait_for(announcement, after=position)
        try:
            yield position
        finally:
            before_end = self.board.console_position
            self.board.signal(name, "KILL")
            self.board.wait_for_end(name, after=before_end)

    def watching(self, line, debounce_us=0, name="probe"):
        return self.probe("watch", line, debounce_us, "watching", name)

    def holding(self, line, level):
        return self.probe("hold", line, level, "holding", "probe")

    def next_edges(self, count, position):
        """The (direction, seqno, line_seqno, timestamp_ns) of edges, as the kernel told them."""
        edges = []
        for number in range(1, count + 1):
            line = self.board.wait_for(f" seqno {number} ", after=position)
            direction, seqno, line_seqno, at = re.search(
                r"edge (\w+) seqno (\d+) line_seqno (\d+) timestamp_ns (\d+)", line).groups()
            edges.append((direction, int(seqno), int(line_seqno), int(at)))
        return edges

    def test_board_has_one_chip_found_by_its_label(self):
        listing = self.board.run("cat /sys/kernel/debug/gpio")
        self.assertRegex(listing, rf"^gpiochip0: GPIOs \d+-\d+, .*{CHIP_LABEL}")
        first, last = re.search(r"GPIOs (\d+)-(\d+)", listing).groups()
        self.assertEqual(int(last) - int(first) + 1, PL061_LINES)

    def test_clock_is_right(self):
        # A clock that was never set is decades off; an hour allows for a guest that was stalled.
        self.assertAlmostEqual(int(self.board.run("date +%s")), time.time(), delta=3600)

    def test_network_reaches_this_machine(self):
        with NATSServer() as server:
            self.assertIn('INFO {"server_id"', self.greeting(server.port))

    def test_network_is_cut_and_restored(self):
        with NATSServer() as server:
            self.board.set_link(False)
            try:
                self.assertEqual(self.greeting(server.port, attempts=1), "")
            finally:
                self.board.set_link(True)
            self.assertIn('INFO {"server_id"', self.greeting(server.port))

    def greeting(self, port, attempts=30):
        """What a server says first. The link takes a moment to come up, hence the attempts."""
        return self.board.run(
            f"n=0; while [ $n -lt {attempts} ]; do n=$((n + 1)); "
            f"nc -w 3 {HOST_ADDRESS} {port} 2>/dev/null | head -n 1 | grep . && break; sleep 1; done; true")

    def test_edges_arrive_in_order_with_sequence_and_time(self):
        with self.watching(1) as position:
            # Each waits for the one before: the controller remembers one interrupt per line.
            for number, level in enumerate((1, 0, 1, 0), start=1):
                self.board.set_input(1, level)
                edges = self.next_edges(number, position)
        self.assertEqual([edge[0] for edge in edges], ["rising", "falling", "rising", "falling"])
        self.assertEqual([edge[1] for edge in edges], [1, 2, 3, 4])
        self.assertEqual([edge[2] for edge in edges], [1, 2, 3, 4])
        times = [edge[3] for edge in edges]
        self.assertEqual(times, sorted(set(times)))
        uptime_ns = float(self.board.run("cut -d ' ' -f 1 /proc/uptime")) * 1e9
        self.assertLess(times[-1], uptime_ns + 1e9)  # the monotonic clock, not the date

    def test_pulse_shorter_than_an_interrupt_is_one_edge_to_the_level_it_left(self):
        with self.watching(1) as position:
            self.board.freeze()
            self.board.set_input(1, 1)
            self.board.set_input(1, 0)
            self.board.thaw()
            # "Falling" on a line that was low as far as anybody knew, and no gap in the sequence.
            self.assertEqual(self.next_edges(1, position)[0][:3], ("falling", 1, 1))

    def test_debounce_in_the_kernel_swallows_what_does_not_last(self):
        with self.watching(4, 1000, "quick") as position:
            self.board.set_input(4, 1)
            self.assertEqual(self.next_edges(1, position)[0][:3], ("rising", 1, 1))
            self.board.set_input(4, 0)
            self.assertEqual(self.next_edges(2, position)[1][:3], ("falling", 2, 2))
        with self.watching(4, LONG_DEBOUNCE_US, "slow"), self.watching(7, 0, "quick") as position:
            self.board.set_input(4, 1)
            self.board.set_input(4, 0)
            self.board.set_input(7, 1)
            self.next_edges(1, position)
            edges = [line for line in self.board.console_lines(position) if "edge" in line]
            self.assertEqual(len(edges), 1, edges)

    def test_line_in_use_is_busy(self):
        with self.watching(1):
            answer = self.board.run(f"{PROBE} read {CHIP} 1 as-is", check=False)
            self.assertIn("Resource busy", answer)

    def test_bias_the_controller_lacks_is_accepted_without_effect(self):
        for bias in ("as-is", "up", "down", "off"):
            with self.subTest(bias=bias):
                self.assertEqual(self.board.run(f"{PROBE} read {CHIP} 6 {bias}"), "0")

    def test_output_is_seen_outside_and_in_debugfs(self):
        with self.holding(2, 1):
            self.assertTrue(self.board.is_output(2))
            self.assertEqual(self.board.read_level(2), 1)
            self.assertRegex(self.board.run("cat /sys/kernel/debug/gpio"),
                             r"kernel-probe +\) out hi")

    def test_output_outlives_a_killed_process(self):
        with self.holding(5, 1):
            pass
        self.assertNotIn("kernel-probe", self.board.run("cat /sys/kernel/debug/gpio"))
        self.assertTrue(self.board.is_output(5))
        self.assertEqual(self.board.read_level(5), 1)


class AArch64KernelTests(KernelTests, unittest.TestCase):
    architecture = "aarch64"


class ARMv7KernelTests(KernelTests, unittest.TestCase):
    architecture = "armv7"


if __name__ == "__main__":
    unittest.main()
