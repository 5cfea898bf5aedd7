"""Outputs of edge-host on an emulated board: what they are at start, at stop, after a crash, and what
the board forbids. Every level that a wire ever had is known from outside."""

import unittest

from board_case import BoardCase
from controllers import PL061
from programs import compile_for_board

CHIP = "chip: 9030000.pl061"
LAMP, SIREN, HEATER, UP, DOWN, KEPT = 0, 2, 4, 5, 6, 7


class OutputTests(BoardCase):
    log_prefix = "outputs"

    @classmethod
    def manifests(cls):
        def output(name, line, more):
            return f"{{name: {name}, {CHIP}, line: {line}, direction: output, {more}}}"
        return {
            "edge-host": [
                output("lamp", LAMP, "start: active, safe: active"),
                output("siren", SIREN, "safe: inactive"),
                output("heater", HEATER, "max_on: 1s"),
                output("up", UP, "start: inactive"),
                output("down", DOWN, "start: inactive") + """
    interlocks:
      - {name: gate, lines: [up, down], dead_time: 100ms}"""],
            "kept": [output("kept", KEPT, "start: keep, safe: keep")],
            "header": [output("siren", SIREN, "safe: inactive"),
                       "{name: pi-bcm, bcm: 17, direction: output}",
                       "{name: pi-header, header: 12, direction: output}"],
        }

    @classmethod
    def more_files(cls):
        return {"/bin/kernel-probe": compile_for_board("kernel-probe.c", cls.architecture)}

    def changes(self, line):
        return self.client.subscribe(self.subject(f"gpio.{line}.change"))

    def levels(self, line):
        return self.board.controller.levels_driven(line)

    def assert_refused(self, answer, guard):
        self.assertEqual(answer.get("code"), 409, answer)
        self.assertEqual(answer.get("guard"), guard, answer)

    # Start and stop

    def test_start_and_stop_put_outputs_where_the_manifest_says(self):
        with self.host():
            before = self.levels(SIREN)
            self.assertEqual(self.board.read_level(LAMP), 1)
            self.assertEqual(self.board.read_level(SIREN), 0)
            self.assertTrue(self.board.is_output(SIREN))
            self.call("lamp", "set", active=False)
            self.call("siren", "set", active=True)
            self.assertEqual([self.board.read_level(LAMP), self.board.read_level(SIREN)], [0, 1])
        self.assertEqual([self.board.read_level(LAMP), self.board.read_level(SIREN)], [1, 0])
        self.assertEqual(self.levels(SIREN), [*before, 1, 0])

    def test_output_that_is_to_be_kept_does_not_move_at_a_restart(self):
        for level in (1, 0):
            with self.host("kept"):
                self.call("kept", "set", active=level == 1)
            before = self.levels(KEPT)
            self.assertEqual(before[-1], level)
            with self.host("kept"):
                answer = self.call("kept", "get")
                self.assertEqual((answer["active"], answer["level"]), (level == 1, level))
                self.assertTrue(self.board.is_output(KEPT))
                self.crash()
            with self.host("kept"):
                self.assertIs(self.call("kept", "get")["active"], level == 1)
            self.assertTrue(self.board.is_output(KEPT))
            self.assertEqual(self.levels(KEPT), before)

    # A crash

    def crash(self):
        position = self.board.console_position
        self.board.signal("edge-host", "KILL")
        self.assertEqual(self.board.wait_for_end("edge-host", after=position), 128 + 9)

    def test_outputs_are_made_safe_after_a_crash(self):
        with self.host():
            self.call("siren", "set", active=True)
            self.call("up", "set", active=True)
            self.call("lamp", "set", active=False)
            self.crash()
        # Nobody holds them, and they are as they were.
        self.assertEqual([self.board.read_level(line) for line in (SIREN, UP, LAMP)], [1, 1, 0])
        self.board.run("edge-host safe --manifest /etc/edge-host.yaml")
        self.assertEqual([self.board.read_level(line) for line in (SIREN, UP, LAMP)], [0, 0, 1])
        # The kernel's own opinion, of lines that are taken as they are.
        position = self.board.start(
            "probe", f"/bin/kernel-probe /dev/gpiochip0 {SIREN},{UP},{LAMP} as-is pause")
        self.board.wait_for("paused", after=position)
        listing = self.board.run("cat /sys/kernel/debug/gpio")
        self.board.signal("probe", "KILL")
        self.board.wait_for_end("probe", after=position)
        self.assertEqual(listing.count("kernel-probe        ) out lo"), 2, listing)
        self.assertEqual(listing.count("kernel-probe        ) out hi"), 1, listing)

    # Guards

    def test_output_does_not_stay_on_longer_than_it_may(self):
        with self.host():
            changes = self.changes("heater")
            before = self.levels(HEATER)
            self.call("heater", "set", active=True)
            self.assertIs(changes.next().json()["active"], True)
            ended = changes.next().json()
            self.assertEqual((ended["active"], ended["cause"]), (False, "max_on"))
            self.assertEqual(self.levels(HEATER), [*before, 1, 0])

    def test_interlocked_outputs_are_never_on_together(self):
        with self.host():
            self.call("up", "set", active=True)
            before = self.levels(DOWN)
            self.assert_refused(self.call("down", "set", active=True), "interlock")
            self.assertEqual(self.levels(DOWN), before)
            self.call("up", "set", active=False)
            self.board.run("sleep 0.2")
            self.assertIs(self.call("down", "set", active=True)["active"], True)

    def test_lease_that_nobody_renews_ends_in_the_safe_state(self):
        with self.host():
            changes = self.changes("siren")
            self.call("siren", "set", active=True, lease_ms=500)
            self.assertIs(changes.next().json()["active"], True)
            ended = changes.next().json()
            self.assertEqual((ended["active"], ended["cause"]), (False, "lease"))
            self.assertEqual(self.board.read_level(SIREN), 0)

    # Places that this board lacks

    def test_raspberry_pis_header_is_not_looked_for_elsewhere(self):
        with self.host("header"):
            self.assertIs(self.call("siren", "set", active=True)["active"], True)
            for name in ("pi-bcm", "pi-header"):
                answer = self.call(name, "set", active=True)
                self.assertEqual(answer["code"], 503, answer)
                self.assertIn("no GPIO chip has a Raspberry Pi's header", answer["reason"])
                self.assertIn(PL061.label, answer["reason"])


class AArch64OutputTests(OutputTests, unittest.TestCase):
    architecture = "aarch64"


class ARMv7OutputTests(OutputTests, unittest.TestCase):
    architecture = "armv7"


if __name__ == "__main__":
    unittest.main()
