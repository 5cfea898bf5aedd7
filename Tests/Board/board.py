"""An emulated ARM board: a real Linux kernel with real GPIO, operated from a test.

    with Board("aarch64", files={"/bin/edge-host": Path("build/aarch64/edge-host")}) as board:
        board.set_input(1, 1)
        print(board.run("cat /sys/kernel/debug/gpio"))

The board reaches this machine's 127.0.0.1 as HOST_ADDRESS. Leaving the `with` ends it.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import initramfs
from child import Child
from console import PATIENCE_SECONDS, Console, ConsoleError
from controllers import BCM2835, PL061, TraceLog
from emulator import Monitor, PinProbe

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build"

# QEMU's user networking shows this machine's loopback to the guest under this address.
HOST_ADDRESS = "10.0.2.2"


@dataclass(frozen=True)
class Machine:
    """What QEMU is told about a board, and what its pins are."""
    architecture: str
    emulator: str
    arguments: tuple
    console: str  # the kernel's name of the serial line that is the console
    controller: type
    device_tree: str = ""  # QEMU makes one where none is named
    serial_before: tuple = ()  # the serial lines that come before the console
    has_network: bool = True


VIRT = ("-machine", "virt", "-m", "256")

MACHINES = {
    "aarch64": Machine("aarch64", "qemu-system-aarch64", (*VIRT, "-cpu", "cortex-a72"),
                       "ttyAMA0", PL061),
    "armv7": Machine("armv7", "qemu-system-arm", (*VIRT, "-cpu", "cortex-a15"), "ttyAMA0", PL061),
    "raspi3b": Machine("aarch64", "qemu-system-aarch64", ("-machine", "raspi3b"), "ttyS1", BCM2835,
                       device_tree="bcm2837-rpi-3-b.dtb", serial_before=("-serial", "null"),
                       has_network=False),
}


class Board:
    """A board that boots when entered as a context and is gone when left.

    name         one of MACHINES
    files        path in the guest -> text, bytes, or a Path of this machine
    init_script  shell text run at the end of boot, before the board is ready
    log_name     name of the console's log below build/board/log
    options      what else QEMU is told
    """

    def __init__(self, name, files=None, init_script="", log_name=None, options=()):
        self._name = name
        self._machine = MACHINES[name]
        self._files = files or {}
        self._init_script = init_script
        self._options = options
        logs = BUILD / "board" / "log"
        logs.mkdir(parents=True, exist_ok=True)
        self.log_path = logs / f"{log_name or name}.log"

    # Life

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="board-")
        self._process = self._monitor = self._pins = self._trace = self._console = None
        try:
            self._boot(Path(self._temporary.name))
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, *_):
        self._clean_up()

    def power_off(self, timeout=PATIENCE_SECONDS):
        """Shuts the kernel down and waits for the end of the board."""
        try:
            self.run("poweroff -f", timeout)
        except ConsoleError:
            pass  # the console closes before the command can report its end
        if not self._process.wait(timeout):
            raise ConsoleError(f"the board did not power off within {timeout} s")

    def pull_plug(self):
        """Ends the board at once, as a power failure does."""
        self._process.end(politely=False)

    @property
    def is_running(self):
        return self._process.is_running

    # Console

    @property
    def console_position(self):
        return self._console.position

    def console_lines(self, after=0):
        return self._console.lines(after)

    def wait_for(self, text, timeout=PATIENCE_SECONDS, after=0):
        return self._console.wait_for(text, timeout, after)

    def run(self, command, timeout=PATIENCE_SECONDS, check=True):
        return self._console.run(command, timeout, check)

    def start(self, name, command):
        """Starts a program with its arguments, its output on the console, and returns the console's
        position before it. When it ends, the console says so: see `wait_for_end`."""
        before = self.console_position
        pid_file = f"/run/{name}.pid"
        self.run(f"rm -f {pid_file}; "
                 f"({command} & echo $! >{pid_file}; wait $!; echo {name} ended with status $?) "
                 f">/dev/console 2>&1 & until [ -s {pid_file} ]; do sleep 0.1; done")
        return before

    def signal(self, name, signal_name, check=True):
        """Sends a signal, such as "TERM", to a program begun with `start`. With `check`, the
        program must still be there."""
        self.run(f"kill -s {signal_name} $(cat /run/{name}.pid)", check=check)

    def wait_for_end(self, name, timeout=PATIENCE_SECONDS, after=0):
        """Waits for the end of a program begun with `start`; returns its status as the shell
        gives it: 128 and the signal's number for one that was killed."""
        return int(self.wait_for(f"{name} ended with status", timeout, after).split()[-1])

    # Pins

    def set_input(self, line, level):
        """Drives an input line from outside, as a door's contact would."""
        self.controller.set_inputs([(line, level)])

    def read_level(self, line):
        """The level on a line, seen from outside; for an output, what the board drives."""
        return self.controller.level(line)

    def is_output(self, line):
        """Whether the board drives the line."""
        return self.controller.is_output(line)

    def remove_chip(self):
        """Takes the GPIO chip from the kernel, as a USB expander that is pulled out."""
        self.run(f"echo {self.controller.label} >{self.controller.driver}/unbind")

    def return_chip(self):
        """Gives the chip back; it may come under another number."""
        self.run(f"echo {self.controller.label} >{self.controller.driver}/bind")

    # Surroundings

    def set_link(self, is_up):
        """Cuts or restores the network with no TCP close, as a lost radio link does."""
        self._monitor.execute("set_link", name="n0", up=is_up)

    def freeze(self):
        """Stops the whole board, its processor and its clocks, until `thaw`."""
        self._monitor.execute("stop")

    def thaw(self):
        self._monitor.execute("cont")

    # Inside

    def _boot(self, folder):
        command = boot_command(self._name, folder, self._files, self._init_script)
        traces = [option for event in self._machine.controller.traces for option in ("-trace", event)]
        log = folder / "trace"
        log.touch()
        self._process = Child(
            [*command, *self._machine.serial_before, "-serial", "stdio", *traces, "-D", str(log),
             *self._options,
             "-qmp", f"unix:{folder}/qmp,server=on,wait=off",
             "-qtest", f"unix:{folder}/qtest,server=on,wait=off", "-qtest-log", "none"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._console = Console(self._process.stdout, self._process.stdin, self.log_path)
        is_running = lambda: self._process.is_running
        self._monitor = Monitor(folder / "qmp", is_running)
        self._pins = PinProbe(folder / "qtest", is_running)
        self._trace = TraceLog(log)
        self.controller = self._machine.controller(self._monitor, self._pins, self._trace)
        self.wait_for("board: ready")

    def _clean_up(self):
        if self._process is not None:
            self._process.end(politely=False)
        if self._console is not None:
            self._console.join()
            self._process.stdin.close()
            self._process.stdout.close()
        for control in (self._monitor, self._pins, self._trace):
            if control is not None:
                control.close()
        self._temporary.cleanup()


def boot_command(name, folder, files, init_script, kernel_arguments="quiet"):
    """The QEMU command line for a board, without its serial lines; writes the root file system
    into `folder`."""
    machine = MACHINES[name]
    kept = BUILD / "board" / machine.architecture
    if not (kept / "stamp").exists():
        raise FileNotFoundError(f"{kept} is not set up: run Tests/Board/setup")
    archive = folder / "initramfs"
    archive.write_bytes(initramfs.build(kept, HERE / "init", files, init_script))
    command = [
        machine.emulator, *machine.arguments,
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-kernel", str(kept / "kernel"), "-initrd", str(archive),
        "-append", f"console={machine.console},115200 panic=-1 {kernel_arguments}",
    ]
    if machine.device_tree:
        command += ["-dtb", str(kept / machine.device_tree)]
    if machine.has_network:
        command += ["-netdev", "user,id=n0", "-device", "virtio-net-device,netdev=n0"]
    return command
