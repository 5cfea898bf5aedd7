"""What edge-host relies on in the kernel's GPIO character device and in the emulated controller.

Driven from outside the board and asked of the kernel by kernel-probe.c, without edge-host: when a
board test fails, these say whether the ground under it moved.
"""

import re
import time
import unittest

from board import HOST_ADDRESS
from controllers import PL061
from nats_server import NATSServer
from probe_case import PROBE, ProbeCase

# Longer than any stall of a loaded machine between two calls of a test, in the guest's time.
LONG_DEBOUNCE_US = 30_000_000


class KernelTests(ProbeCase):
    """One board for all tests; each uses lines of its own, or leaves them as it found them."""

    def watching(self, line, debounce_us=0, name="probe"):
        return self.probing(line, f"edges:{debounce_us}", "watch", until="watching", name=name)

    def holding(self, lines, levels):
        return self.probing(lines, f"output:{levels}", "pause")

    def release(self, lines):
        """Leaves lines as they were at power-on: inputs that are low."""
        self.probe(lines, "input")
        for line in lines.split(","):
            self.board.set_input(int(line), 0)

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
        self.assertRegex(listing, rf"^gpiochip0: GPIOs \d+-\d+, .*{PL061.label}")
        first, last = re.search(r"GPIOs (\d+)-(\d+)", listing).groups()
        self.assertEqual(int(last) - int(first) + 1, PL061.lines)

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
            self.assertIn("Resource busy", self.probe(1, "input", "get"))

    def test_bias_the_controller_lacks_is_accepted_without_effect(self):
        for bias in ("input", "input:up", "input:down", "input:off"):
            with self.subTest(bias=bias):
                self.assertEqual(self.probe(6, bias, "get"), "levels 0")

    def test_output_is_seen_outside_and_in_debugfs(self):
        with self.holding(2, 1):
            self.assertTrue(self.board.is_output(2))
            self.assertEqual(self.board.read_level(2), 1)
            self.assertRegex(self.board.run("cat /sys/kernel/debug/gpio"),
                             r"kernel-probe +\) out hi")

    # What becomes of an output

    def test_output_outlives_a_killed_process(self):
        with self.holding(5, 1):
            pass
        self.assertNotIn("kernel-probe", self.board.run("cat /sys/kernel/debug/gpio"))
        self.assertTrue(self.board.is_output(5))
        self.assertEqual(self.board.read_level(5), 1)
        self.release("5")

    def test_output_outlives_a_descriptor_that_is_closed(self):
        self.probe(5, "output:1")
        self.assertTrue(self.board.is_output(5))
        self.assertEqual(self.board.read_level(5), 1)
        self.release("5")
        self.assertFalse(self.board.is_output(5))

    def test_output_is_taken_with_its_level_and_no_other_comes_before(self):
        for level in (1, 0):
            self.probe(5, f"output:{level}")
            before = self.board.controller.levels_driven(5)
            # By another, at the same level: nothing is to be seen on the wire.
            for taken in ("output", "as-is"):
                with self.probing(5, f"{taken}:{level}", "pause"):
                    self.assertEqual(self.board.controller.levels_driven(5), before)
            # At the other level: one change.
            self.probe(5, f"output:{1 - level}")
            self.assertEqual(self.board.controller.levels_driven(5), [*before, 1 - level])
        self.release("5")
        before = self.board.controller.levels_driven(5)
        # From an input that is low: to low no change, to high one.
        self.probe(5, "output:0")
        self.assertEqual(self.board.controller.levels_driven(5), before)
        self.release("5")
        self.probe(5, "output:1")
        self.assertEqual(self.board.controller.levels_driven(5), [*before, 1])
        self.release("5")

    def test_line_taken_as_it_is_becomes_an_output_without_being_let_go(self):
        for level in (1, 0):
            with self.subTest(level=level):
                self.probe(5, f"output:{level}")
                before = self.board.controller.levels_driven(5)
                with self.probing(5, "as-is", "get", "pause", f"output:{level}", "info", "pause") as at:
                    self.assertIn(f"levels {level}", self.board.console_lines(at))
                    self.assertTrue(self.board.is_output(5))
                    paused = self.board.console_position
                    self.board.signal("probe", "USR1")
                    self.board.wait_for("paused", after=paused)
                    self.assertTrue(self.board.is_output(5))
                    self.assertIn("Resource busy", self.probe(5, "as-is"))
                self.assertEqual(self.board.controller.levels_driven(5), before)
        self.release("5")

    # Requests of several lines

    def test_lines_of_one_request_are_set_and_read_together(self):
        with self.probing("2,5,6", "output:5", "get", "set:2", "get", "pause") as position:
            lines = self.board.console_lines(position)
            self.assertEqual([line for line in lines if "levels" in line], ["levels 5", "levels 2"])
            self.assertEqual([self.board.read_level(line) for line in (2, 5, 6)], [0, 1, 0])
        self.release("2,5,6")

    def test_sequence_counts_over_the_request_and_for_each_line(self):
        with self.probing("1,4", "edges", "watch", until="watching") as position:
            for number, (line, level) in enumerate(((1, 1), (4, 1), (1, 0), (4, 0)), start=1):
                self.board.set_input(line, level)
                edges = self.next_edges(number, position)
        self.assertEqual([edge[1:3] for edge in edges], [(1, 1), (2, 1), (3, 2), (4, 2)])

    # Inputs

    def test_debounce_is_read_back_as_it_was_asked_for(self):
        for microseconds in (1, 1234, LONG_DEBOUNCE_US):
            answer = self.probe("1,4", f"edges:{microseconds}", "info")
            self.assertEqual(answer.count(f"debounce_us {microseconds}"), 2, answer)
        self.assertIn("debounce_us 0", self.probe(1, "edges", "info"))

    def test_event_buffer_keeps_what_was_asked_for_and_its_overflow_is_counted(self):
        # The kernel gives the next power of two. Without a wish: 16 for each line.
        for asked, kept in ((40, 64), (0, 16)):
            driven = kept + 37
            with self.subTest(asked=asked), \
                    self.probing(1, f"edges:0:{asked}", "pause", "drain") as position:
                self.drive(1, driven)
                edges = re.findall(r"edge (\w+) seqno (\d+) line_seqno (\d+)",
                                   "\n".join(self.resume(position)))
                # The oldest are gone, and the sequence says how many.
                numbers = [int(edge[2]) for edge in edges]
                self.assertEqual(numbers, list(range(driven - kept + 1, driven + 1)))
                self.assertEqual([int(edge[1]) for edge in edges], numbers)
            self.board.set_input(1, 0)

    def drive(self, line, edges):
        """That many edges, none of which comes before the kernel has seen the one before."""
        self.board.controller.drive_slowly(line, [1 - number % 2 for number in range(edges)])

    def test_edges_faster_than_the_handler_are_one_without_a_gap(self):
        edges = 1000
        with self.probing(1, "edges:0:2048", "pause", "drain") as position:
            self.board.controller.set_inputs([(1, 1 - number % 2) for number in range(edges)])
            self.board.set_input(1, 1)
            self.board.run("sleep 0.1")  # the last of them is handled
            printed = "\n".join(self.resume(position))
        numbers = [int(number) for number in re.findall(r" line_seqno (\d+)", printed)]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertLess(len(numbers), edges)
        self.board.set_input(1, 0)


class ChipTests(ProbeCase):
    """A chip that goes and comes. On a board of its own: a chip that comes back has another number for
    as long as anybody holds the old one."""

    log_prefix = "chip"

    def test_chip_that_goes_and_comes(self):
        events = self.board.start("events", "uevent")
        chips = self.chips()
        position = self.board.start("probe", f"{PROBE} {chips[0]} 1 edges poll:-1 get pause")
        polling = self.board.start("quiet", f"{PROBE} {chips[0]} 2 input pause get poll:0")
        self.board.wait_for("paused", after=polling)

        self.board.remove_chip()
        self.board.wait_for("remove@", after=events)
        self.assertEqual(self.chips(), [])
        self.assert_event("remove", events)
        # Whoever asks is told.
        self.board.signal("quiet", "USR1")
        self.assertEqual(self.board.wait_for_end("quiet", after=polling), 1)
        self.board.wait_for("get values: No such device", after=polling)
        self.board.wait_for("poll err hup", after=polling)
        # Whoever waits is not: this kernel wakes nobody. Hence the events.
        self.assertNotIn("probe ended", "\n".join(self.board.console_lines(position)))

        returning = self.board.console_position
        self.board.return_chip()
        self.assert_event("add", returning)
        # Its number is taken as long as the old one is held.
        self.assertNotIn(chips[0], self.chips())
        self.assertRegex(self.board.run("cat /sys/kernel/debug/gpio"), PL061.label)
        self.assertEqual(
            self.board.run(f"{PROBE} {self.chips()[0]} 1 input get"), "levels 0")

    def chips(self):
        return self.board.run("ls /dev/gpiochip* 2>/dev/null; true").split()

    def assert_event(self, action, position):
        """The kernel has told of a device for the chip, to whoever listens."""
        self.board.wait_for(f"DEVNAME=gpiochip", after=position)
        lines = self.board.console_lines(position)
        end = next(index for index, line in enumerate(lines) if "DEVNAME=gpiochip" in line)
        event = lines[max(index for index in range(end) if "@/" in lines[index]):end]
        self.assertIn(f"ACTION={action}", event)
        self.assertIn("SUBSYSTEM=gpio", event)


class AArch64KernelTests(KernelTests, unittest.TestCase):
    machine = "aarch64"


class ARMv7KernelTests(KernelTests, unittest.TestCase):
    machine = "armv7"


class AArch64ChipTests(ChipTests, unittest.TestCase):
    machine = "aarch64"


class ARMv7ChipTests(ChipTests, unittest.TestCase):
    machine = "armv7"


if __name__ == "__main__":
    unittest.main()
