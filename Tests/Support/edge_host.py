"""The program under test: edge-host, as a host that runs for a while and as a command that ends."""

import os
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from child import Child

ROOT = Path(__file__).resolve().parents[2]

# What is written before the program's arguments: a program, perhaps behind an emulator.
COMMAND = shlex.split(os.environ.get("EDGE_HOST", ".build/debug/edge-host"))
IS_EMULATED = "qemu" in COMMAND[0]

# How long something that must happen may take on a machine that is busy with other things.
WAIT_SECONDS = 60


def environment(server=None):
    """The environment of a command for which LATTICE_HOST names the server, as for an operator."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LATTICE_")}
    return {**kept, "LATTICE_HOST": server} if server else kept


def run_command(*arguments, server=None, timeout=WAIT_SECONDS, **options):
    """Runs edge-host with arguments to its end; returns the subprocess.CompletedProcess."""
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, env=environment(server),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, **options)


class EdgeHost:
    """`edge-host ARGUMENTS` in the background, ended with the context.

    log  file for its standard error; output goes there too unless `output` names another
    """

    def __init__(self, *arguments, server=None, log=None, output=None):
        self._arguments = arguments
        self._server = server
        self._log = log
        self._output = output

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="edge-host-")
        folder = Path(self._temporary.name)
        self._log = self._log or folder / "log"
        with open(self._log, "wb") as log, open(self._output or folder / "output", "wb") as output:
            self._process = Child(
                [*COMMAND, *self._arguments], cwd=ROOT, env=environment(self._server),
                stdin=subprocess.DEVNULL, stdout=output if self._output else log, stderr=log)
        return self

    def __exit__(self, *_):
        self._process.end(politely=False)
        self._temporary.cleanup()

    @property
    def pid(self):
        return self._process.pid

    @property
    def is_running(self):
        return self._process.is_running

    @property
    def log(self):
        return self._log.read_text(errors="replace")

    @property
    def output(self):
        return self._output.read_text(errors="replace")

    def wait_for_log(self, text, timeout=WAIT_SECONDS):
        deadline = time.monotonic() + timeout
        while text not in self.log:
            if time.monotonic() > deadline or not self.is_running:
                state = "runs" if self.is_running else f"ended with status {self._process.status}"
                raise AssertionError(f"no \"{text}\" from edge-host, which {state}:\n{self.log}")
            time.sleep(0.02)

    def terminate(self):
        self._process.signal(signal.SIGTERM)

    def wait_for_end(self, timeout=WAIT_SECONDS):
        """The exit status, once it has ended."""
        if not self._process.wait(timeout):
            raise AssertionError(f"edge-host did not end within {timeout} s:\n{self.log}")
        return self._process.status

    def stop(self):
        """Ends it as systemd does; returns the exit status."""
        self.terminate()
        return self.wait_for_end()

    @property
    def threads(self):
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    @property
    def cpu_seconds(self):
        """Processor time it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
