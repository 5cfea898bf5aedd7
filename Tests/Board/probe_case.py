"""What the tests of the kernel share: a board with kernel-probe, and runs of it."""

from contextlib import contextmanager

from board import MACHINES, Board
from programs import compile_for_board

CHIP = "/dev/gpiochip0"
PROBE = "/bin/kernel-probe"


class ProbeCase:
    """One board for all tests. A test case derives from this and names its `machine`."""

    log_prefix = "kernel"

    @classmethod
    def setUpClass(cls):
        cls.board = cls.enterClassContext(
            Board(cls.machine, cls.files(), log_name=f"{cls.log_prefix}-{cls.machine}"))

    @classmethod
    def files(cls):
        """What the board has, as `Board` takes it."""
        return {PROBE: compile_for_board("kernel-probe.c", MACHINES[cls.machine].architecture)}

    def probe(self, lines, *steps):
        """Runs kernel-probe to its end; the value is what it printed."""
        return self.board.run(f"{PROBE} {CHIP} {lines} {' '.join(steps)}", check=False)

    @contextmanager
    def probing(self, lines, *steps, until="paused", name="probe"):
        """Runs kernel-probe for the length of the context; the value is where on the console its
        output begins. It is killed, as a crash would end it, unless it has ended."""
        position = self.board.start(name, f"{PROBE} {CHIP} {lines} {' '.join(steps)}")
        self.board.wait_for(until, after=position)
        try:
            yield position
        finally:
            self.board.signal(name, "KILL", check=False)
            self.board.wait_for_end(name, after=position)

    def resume(self, position, name="probe"):
        """Lets a probe that has paused go on, and returns what it printed until its end."""
        paused = self.board.console_position
        self.board.signal(name, "USR1")
        self.board.wait_for_end(name, after=position)
        return self.board.console_lines(paused)
