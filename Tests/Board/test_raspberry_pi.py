"""A Raspberry Pi 3B with a real kernel: its 54 lines, what they are called, and edge-host on them. QEMU
emulates neither its network card nor its inputs: everything goes over the console, and only outputs are
looked at from outside."""

import re
import unittest
from contextlib import contextmanager

from programs import host_program
from controllers import BCM2835
from probe_case import ProbeCase

# Each output is found in another way. By line, what the manifest says of it:
OUTPUTS = {
    17: "line: GPIO17",  # the kernel's name
    16: "header: 36",
    20: "bcm: 20",
    2: "line: GPIO2",  # what later device trees call the line that this one calls SDA1
    3: "line: SCL1",  # and what this one calls it
    11: "line: GPIO11, chip: pinctrl-bcm2835",
    7: "line: SPI_CE1_N, chip: gpiochip0",
    26: "line: 26, chip: pinctrl-bcm2835",
    32: "line: TXD0",  # the kernel's name counts; elsewhere it is another name of GPIO14
    40: "line: PWM0_OUT",
}

# Lines that are nowhere, and what is said of them.
NOT_FOUND = {
    "no-name": ("line: GPIO99", 'no line is named "GPIO99"'),
    "no-chip": ("line: 4, chip: pinctrl-bcm2711",
                'no GPIO chip is named or labelled "pinctrl-bcm2711"; there are: '
                "gpiochip0 [pinctrl-bcm2835], gpiochip1 [raspberrypi-exp-gpio]"),
    "no-line": ("line: 54, chip: pinctrl-bcm2835",
                'line 54 is not on chip "gpiochip0", which has lines 0 to 53'),
}


def manifest(lines):
    return f"""\
host: {{name: pi, lattice: test}}
link: {{servers: ["nats://127.0.0.1:4222"]}}
capabilities:
  - builtin: gpio
    board: linux
    lines: [{", ".join(lines)}]
"""


class RaspberryPiKernelTests(ProbeCase, unittest.TestCase):
    """What the kernel and the emulation do, without edge-host."""

    machine = "raspi3b"

    def test_chips_and_lines(self):
        listing = self.board.run("cat /sys/kernel/debug/gpio")
        first, last = re.search(
            rf"gpiochip0: GPIOs (\d+)-(\d+), .*{BCM2835.label}:", listing).groups()
        self.assertEqual(int(last) - int(first) + 1, BCM2835.lines)
        self.assertRegex(listing, r"gpiochip1: .*raspberrypi-exp-gpio")
        # This device tree has the names of old; one line, 28, has none.
        names = {int(number) - int(first): name
                 for number, name in re.findall(r"gpio-(\d+) \((\S+) *\)", listing)}
        self.assertEqual([names[line] for line in (0, 2, 3, 4, 5, 7, 11, 14, 17, 27)],
                         ["ID_SDA", "SDA1", "SCL1", "GPIO_GCLK", "GPIO5", "SPI_CE1_N", "SPI_SCLK",
                          "TXD1", "GPIO17", "GPIO27"])
        self.assertNotIn(28, names)
        self.assertEqual((names[32], names[40]), ("TXD0", "PWM0_OUT"))

    def test_outputs_are_seen_outside(self):
        with self.probing("17,27,40", "output:5", "set:3", "get", "pause") as position:
            self.assertIn("levels 3", self.board.console_lines(position))
            for line, level in ((17, 1), (27, 1), (40, 0)):
                self.assertTrue(self.board.is_output(line))
                self.assertEqual(self.board.read_level(line), level)

    def test_line_taken_as_it_is_becomes_an_output(self):
        with self.probing(22, "as-is", "output:1", "get", "pause") as position:
            self.assertIn("levels 1", self.board.console_lines(position))
            self.assertTrue(self.board.is_output(22))
            self.assertEqual(self.board.read_level(22), 1)

    def test_released_output_becomes_an_input(self):
        # Unlike the PL061's, and unlike the Raspberry Pi's own kernel: no output outlives its holder.
        for how in ("closed", "killed"):
            with self.subTest(how=how), self.probing(23, "output:1", "pause") as position:
                self.assertTrue(self.board.is_output(23))
                if how == "closed":
                    self.resume(position)
            self.assertFalse(self.board.is_output(23))

    def test_expander_goes_and_comes(self):
        driver = "/sys/bus/platform/drivers/raspberrypi-exp-gpio"
        position = self.board.start("events", "uevent")
        for action in ("unbind", "bind"):
            self.board.run(f"echo soc:firmware:gpio >{driver}/{action}")
        for event in ("remove@", "add@"):
            self.board.wait_for(f"{event}/devices/platform/soc/soc:firmware/soc:firmware:gpio/gpiochip1",
                                after=position)
        self.board.signal("events", "KILL")


class RaspberryPiTests(ProbeCase, unittest.TestCase):
    """edge-host on the board."""

    machine = "raspi3b"
    log_prefix = "board"

    @classmethod
    def files(cls):
        lines = [f"{{name: out{line}, {place}, direction: output, start: active}}"
                 for line, place in OUTPUTS.items()]
        bad = [f"{{name: {name}, {place}, direction: output}}"
               for name, (place, _) in NOT_FOUND.items()]
        return {**super().files(), "/bin/edge-host": host_program("aarch64"),
                "/etc/outputs.yaml": manifest(lines), "/etc/bad.yaml": manifest(bad)}

    @contextmanager
    def host(self, name):
        """Runs edge-host with a manifest until it looks for a server in vain, and to the end of the
        context; the value is where on the console it begins."""
        position = self.board.start("edge-host", f"/bin/edge-host run --manifest /etc/{name}.yaml")
        try:
            self.board.wait_for("next try in", after=position)
            yield position
        finally:
            self.board.signal("edge-host", "TERM", check=False)
            self.board.wait_for_end("edge-host", after=position)

    def test_lines_are_found_however_they_are_called(self):
        with self.host("outputs"):
            listing = self.board.run("cat /sys/kernel/debug/gpio")
            held = re.findall(r"gpio-(\d+) \(\S+ *\|edge-host *\) out hi", listing)
            first = int(re.search(rf"GPIOs (\d+)-\d+, .*{BCM2835.label}", listing)[1])
            self.assertEqual(sorted(int(number) - first for number in held), sorted(OUTPUTS))
            for line, place in OUTPUTS.items():
                with self.subTest(place=place):
                    self.assertTrue(self.board.is_output(line))
                    self.assertEqual(self.board.read_level(line), 1)
        # At the stop they are made inactive and let go, which this driver makes inputs of.
        for line in OUTPUTS:
            self.assertEqual(self.board.read_level(line), 0)
            self.assertFalse(self.board.is_output(line))

    def test_line_that_is_not_there_is_told_with_what_is(self):
        with self.host("bad") as position:
            written = "\n".join(self.board.console_lines(position))
            for name, (_, reason) in NOT_FOUND.items():
                self.assertIn(f"line {name}: {reason}", written)


if __name__ == "__main__":
    unittest.main()
