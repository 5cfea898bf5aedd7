"""Inputs of edge-host on an emulated board, driven from outside: every edge is told, or counted as lost,
whatever becomes of the host, the link or the chip meanwhile."""

import unittest

from board_case import BoardCase
from programs import compile_for_board

CHIP = "chip: 9030000.pl061"
METER, DOOR, LATCH = 0, 1, 4

# The kernel keeps as many of the door's edges.
BUFFER = 64


class InputTests(BoardCase):
    log_prefix = "inputs"

    @classmethod
    def manifests(cls):
        def door(buffer):
            return f"{{name: door, {CHIP}, line: {DOOR}, direction: input, report: durable, buffer: {buffer}}}"
        return {"roomy": [door(1024)], "edge-host": [
            door(BUFFER),
            f"{{name: meter, {CHIP}, line: {METER}, kind: counter, edges: both, every: 1s, buffer: 1024}}",
            f"{{name: latch, {CHIP}, line: {LATCH}, direction: input, report: latest}}"]}

    @classmethod
    def more_files(cls):
        return {"/bin/kernel-probe": compile_for_board("kernel-probe.c", cls.architecture)}

    def setUp(self):
        super().setUp()
        for line in (METER, DOOR, LATCH):
            self.board.set_input(line, 0)

    def drive(self, line, edges):
        """Edges that the kernel sees each for itself, from low."""
        self.board.controller.drive_slowly(line, [1 - number % 2 for number in range(edges)])

    def events(self, line, kind="edge"):
        return self.client.subscribe(self.subject(f"gpio.{line}.{kind}"))

    def take(self, subscription, count):
        """The next events, by their first delivery; each is acknowledged. An event that was lost to
        the kernel's buffer counts with the one that tells of it."""
        events, told = [], 0
        seen = set()
        while told < count:
            message = subscription.next()
            event = message.json()
            if message.reply:
                self.client.publish(message.reply)
            if event["seq"] in seen:
                continue
            seen.add(event["seq"])
            events.append(event)
            told += 1 + event.get("lost", 0)
        self.client.flush()
        self.assertEqual(told, count)
        return events

    def assert_alternate(self, events):
        self.assertEqual([event["active"] for event in events],
                         [number % 2 == 0 for number in range(len(events))])

    # None lost

    def test_ten_thousand_edges_are_counted_and_none_beside_them_is_lost(self):
        with self.host():
            door = self.events("door")
            before = self.call("meter", "get")["count"]
            for number in range(10):
                self.drive(METER, 1000)
                self.board.set_input(DOOR, 1 - number % 2)
            edges = self.take(door, 10)
            meter = self.call("meter", "get")
        self.assertEqual(meter["count"] - before, 10_000)
        self.assertNotIn("lost", meter)
        self.assert_alternate(edges)
        self.assertEqual([edge["line_seq"] for edge in edges], list(range(1, 11)))

    def test_ten_thousand_edges_are_all_told(self):
        # Fewer at once than the kernel keeps, so that there is no way to lose any.
        with self.host("roomy"):
            door = self.events("door")
            edges = []
            for _ in range(20):
                self.drive(DOOR, 500)
                edges += self.take(door, 500)
        # A slow board may tell some late: then newer ones go first.
        edges.sort(key=lambda edge: edge["line_seq"])
        self.assertEqual([edge["line_seq"] for edge in edges], list(range(1, 10_001)))
        self.assert_alternate(edges)

    # Some lost

    def test_edges_that_a_stalled_host_missed_are_counted(self):
        missed = 37
        with self.host():
            door = self.events("door")
            states = self.events("door", "state")
            self.drive(DOOR, 1)
            self.take(door, 1)
            states.waiting.clear()
            self.board.signal("edge-host", "STOP")
            self.board.set_input(DOOR, 0)
            self.drive(DOOR, BUFFER + missed - 1)
            self.board.signal("edge-host", "CONT")
            edges = self.take(door, BUFFER + missed)
            self.assertEqual(len(edges), BUFFER)
            self.assertEqual([edge.get("lost", 0) for edge in edges], [missed] + [0] * (BUFFER - 1))
            # After a loss the present value is told.
            level = self.board.controller.level(DOOR)
            self.assertIs(states.next().json()["active"], level == 1)
            self.assertEqual(self.call("door", "get")["lost"], missed)

    def test_edges_too_fast_for_the_kernel_leave_the_right_value(self):
        with self.host():
            changes = [(LATCH, 1 - number % 2) for number in range(1000)]
            self.board.controller.set_inputs([*changes, (LATCH, 1)])
            self.board.run("sleep 0.2")
            self.assertIs(self.call("latch", "get")["active"], True)

    # The link

    def test_edges_while_the_link_is_cut(self):
        with self.host():
            door, latch = self.events("door"), self.events("latch", "state")
            self.board.set_link(False)
            try:
                self.drive(DOOR, 20)
                self.drive(LATCH, 21)
                # Long enough for the host to notice; the durable ones have been sent into the void.
                self.board.wait_for("next try in", after=self.started)
                self.drive(DOOR, 20)
            finally:
                self.board.set_link(True)
            edges = self.take(door, 40)
            self.assertEqual(sorted(edge["line_seq"] for edge in edges), list(range(1, 41)))
            self.assertIs(latch.next().json()["active"], True)

    # Somebody else has the line, or nobody

    def test_line_in_use_is_bad_until_it_is_free(self):
        position = self.board.start(
            "probe", f"/bin/kernel-probe /dev/gpiochip* {LATCH} input pause")
        self.board.wait_for("paused", after=position)
        with self.host():
            answer = self.call("latch", "get")
            self.assertEqual(answer["code"], 503)
            self.assertIn("kernel-probe", answer["reason"])
            self.assertIn("count", self.call("meter", "get"))
            self.board.signal("probe", "TERM")
            self.board.wait_for("line latch: is back", after=position)
            self.assertIs(self.call("latch", "get")["active"], False)
            edges = self.events("latch")
            self.drive(LATCH, 1)
            self.assertIs(edges.next().json()["active"], True)

    def test_chip_that_goes_and_comes(self):
        with self.host():
            position = self.board.console_position
            self.board.remove_chip()
            self.board.wait_for("line door: ", after=position)
            self.assertEqual(self.call("door", "get")["code"], 503)
            returning = self.board.console_position
            self.board.return_chip()
            self.board.wait_for("line door: is back", after=returning)
            edges = self.events("door")
            self.board.set_input(DOOR, 1)
            self.take(edges, 1)


class AArch64InputTests(InputTests, unittest.TestCase):
    architecture = "aarch64"


class ARMv7InputTests(InputTests, unittest.TestCase):
    architecture = "armv7"


if __name__ == "__main__":
    unittest.main()
