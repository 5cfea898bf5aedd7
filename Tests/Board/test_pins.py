"""edge-host's commands for pins on a board: the kernel's lines without a host, through its socket, and
outputs that become safe after it was killed."""

import json
import unittest

from board import Board
from console import ConsoleError
from controllers import PL061
from programs import host_program

DOOR = 1
SIREN = 2
FAN = 4
MANIFEST_PATH = "/etc/pins.yaml"
MANIFEST = """\
host: {name: board, lattice: test}
link: {servers: ["10.0.2.2:9"]}
capabilities:
  - builtin: gpio
    lines:
      - {name: door, chip: gpiochip0, line: 1, direction: input}
      - {name: siren, chip: gpiochip0, line: 2, direction: output}
      - {name: fan, chip: gpiochip0, line: 4, direction: output, safe: active}
"""


class PinsCase:
    @classmethod
    def setUpClass(cls):
        cls.board = cls.enterClassContext(
            Board(cls.architecture,
                  {"/bin/edge-host": host_program(cls.architecture),
                   MANIFEST_PATH: MANIFEST}, log_name=f"pins-{cls.architecture}"))
        cls.board.run("mkdir -p /run/edge-host")

    def run_gpio(self, words, status=0):
        """What a command says, on standard output and standard error together."""
        said = self.board.run(f"edge-host {words} 2>&1; echo status=$?").strip()
        text, _, ended = said.rpartition("status=")
        self.assertEqual(int(ended), status, said)
        return text.strip()

    def assert_levels(self, siren, fan):
        self.assertEqual((self.board.read_level(SIREN), self.board.read_level(FAN)), (siren, fan))

    def test_chips_and_lines_are_listed(self):
        rows = self.run_gpio("gpio list").splitlines()
        self.assertEqual((rows[0], len(rows)), ("gpiochip0 - 8 lines:", 9))
        self.assertRegex(rows[1 + DOOR].replace("\t", " ").strip(), r"^line +1: unnamed +input")
        chip = json.loads(self.run_gpio(f"gpio list {PL061.label} --json"))
        self.assertEqual((chip["chip"], len(chip["lines"])), ("gpiochip0", 8))

    def test_found_manifest_is_good(self):
        self.run_gpio("gpio scan --manifest /tmp/found.yaml")
        self.assertIn("ok", self.run_gpio("check /tmp/found.yaml"))
        self.assertIn("nothing was written", self.run_gpio("gpio scan --manifest /tmp/found.yaml", 1))

    def test_lines_without_a_host(self):
        self.board.set_input(DOOR, 1)
        self.assertEqual(self.run_gpio(f"gpio get -c 0 {DOOR}"), f'"{DOOR}"=active')
        self.assertEqual(self.run_gpio(f"gpio get -c {PL061.label} -l --numeric {DOOR}"), "0")
        self.board.set_input(DOOR, 0)
        self.run_gpio(f"gpio set -c 0 {SIREN}=on --hold 100ms")
        self.assertEqual(self.board.read_level(SIREN), 1)
        # To read it does not make it an input.
        self.assertEqual(self.run_gpio(f"gpio get -c 0 {SIREN}"), f'"{SIREN}"=active')
        self.assertEqual(self.board.read_level(SIREN), 1)
        self.run_gpio(f"gpio pulse -c 0 {SIREN} 100ms")
        self.assertEqual(self.board.read_level(SIREN), 0)
        self.assertIn("lines 0 to 7", self.run_gpio("gpio get -c 0 8", 1))
        self.assertIn("gpiochip0", self.run_gpio("gpio get -c 7 0", 1))

    def test_outputs_are_safe_after_the_host_was_killed(self):
        position = self.board.start("edge-host", f"/bin/edge-host run --manifest {MANIFEST_PATH}")
        try:
            self.board.run("until edge-host gpio get door > /dev/null 2>&1; do sleep 0.1; done")
            self.run_gpio("gpio set siren=on fan=off")
            self.assert_levels(siren=1, fan=0)
            self.assertIn('in use by "edge-host"', self.run_gpio(f"gpio get -c 0 {SIREN}", 1))
            # Both are tried, and each is reported.
            said = self.run_gpio(f"safe --manifest {MANIFEST_PATH}", 1)
            self.assertEqual(said.count('in use by "edge-host"'), 2, said)
            self.assert_levels(siren=1, fan=0)
        finally:
            self.board.signal("edge-host", "KILL")
            try:
                self.board.wait_for_end("edge-host", after=position)
            except ConsoleError as error:
                self.fail(error)
        self.assert_levels(siren=1, fan=0)
        said = self.run_gpio(f"safe --manifest {MANIFEST_PATH}")
        self.assertEqual(said.split(), ["siren:", "inactive", "fan:", "active"])
        self.assert_levels(siren=0, fan=1)


class AArch64PinsTests(PinsCase, unittest.TestCase):
    architecture = "aarch64"


class ARMv7PinsTests(PinsCase, unittest.TestCase):
    architecture = "armv7"


if __name__ == "__main__":
    unittest.main()
