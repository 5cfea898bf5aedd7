"""The GPIO controllers of the emulated boards, seen from outside: what drives their inputs, what they
drive, and what the guest has asked them. Nothing here asks the guest."""

import re
import time

ANSWER_SECONDS = 60


class TraceLog:
    """What QEMU writes about a device, in order and without gaps: `-D FILE`, switched on by event."""

    def __init__(self, path):
        self._file = open(path, encoding="utf-8")
        self._rest = ""

    def close(self):
        self._file.close()

    def read(self):
        """The lines since the last call."""
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        return lines


class PL061:
    """Arm's PL061 (ARM DDI 0190B, section 3.3) as the "virt" machine has it. The data register appears
    once per mask: address bits 9 to 2 select the lines that are read."""

    label = "9030000.pl061"
    lines = 8
    driver = "/sys/bus/amba/drivers/pl061_gpio"
    traces = ("pl061_set_output",)

    _address = 0x0903_0000
    _direction = 0x400

    def __init__(self, monitor, pins, trace):
        self._monitor = monitor
        self._pins = pins
        self._trace = trace
        self._device = monitor.find_device("pl061")
        self._levels = []  # of all lines, in order: (line, level)
        self._reads = 0

    def set_inputs(self, changes):
        """Drives inputs, (line, level) after (line, level), as fast as QEMU takes them."""
        self._pins.set_wires(self._device, changes)

    def level(self, line):
        return self._pins.read_register(self._address + self._mask(line)) >> line & 1

    def is_output(self, line):
        return bool(self._pins.read_register(self._address + self._direction) >> line & 1)

    def levels_driven(self, line):
        """Every level that the board has put on the line since it was switched on, in order."""
        self._follow()
        return [level for number, level in self._levels if number == line]

    def drive_slowly(self, line, levels, pause=0):
        """Drives an input so that the guest sees each level: the next comes when its handler of the
        one before has read the line, and after a pause in seconds. Its interrupt must be for both
        edges."""
        self._monitor.execute("trace-event-set-state", name="pl061_read", enable=True)
        try:
            for level in levels:
                self._follow()
                self._reads = 0
                self.set_inputs([(line, level)])
                deadline = time.monotonic() + ANSWER_SECONDS
                while self._reads == 0:
                    self._follow(line)
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"the guest has not read line {line}")
                time.sleep(pause)
        finally:
            self._monitor.execute("trace-event-set-state", name="pl061_read", enable=False)

    def _follow(self, line=None):
        for text in self._trace.read():
            output = re.search(r"pl061_set_output .* (\d+) to (\d+)", text)
            if output:
                self._levels.append((int(output[1]), int(output[2])))
            elif line is not None and (access := re.search(r"pl061_read .* offset 0x([0-9a-f]+) ", text)):
                self._reads += int(access[1], 16) == self._mask(line)

    def _mask(self, line):
        return 1 << line << 2


class BCM2835:
    """The Raspberry Pi's (BCM2835 ARM Peripherals, chapter 6), as the "raspi3b" machine has it. QEMU
    emulates no input of it, and counts what reads as the level of an output."""

    label = "pinctrl-bcm2835"
    lines = 54
    traces = ()

    _address = 0x3F20_0000
    _level = 0x34
    _output_function = 1

    def __init__(self, monitor, pins, trace):
        self._pins = pins

    def level(self, line):
        return self._pins.read_register(self._address + self._level + line // 32 * 4) >> line % 32 & 1

    def is_output(self, line):
        functions = self._pins.read_register(self._address + line // 10 * 4)
        return functions >> line % 10 * 3 & 7 == self._output_function
