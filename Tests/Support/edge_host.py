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

# What is written before the program's arguments: a program, perhaps behind an emulator. Files are
# named from the project's top folder.
COMMAND = [str(ROOT / word) if (ROOT / word).is_file() else word
           for word in shlex.split(os.environ.get("EDGE_HOST", ".build/debug/edge-host"))]
IS_EMULATED = "qemu" in COMMAND[0]

# How long something that must happen may take on a machine that is busy with other things.
WAIT_SECONDS = 60


def environment(server=None, lattice=None):
    """The environment of a command, with the variables an operator would set and no others."""
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith("LATTICE_")}
    if server:
        variables["LATTICE_HOST"] = server
    if lattice:
        variables["LATTICE_NAMESPACE"] = lattice
    return variables


def run_command(*arguments, server=None, lattice=None, timeout=WAIT_SECONDS):
    """Runs edge-host with arguments to its end; returns the subprocess.CompletedProcess."""
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, env=environment(server, lattice),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout)


class EdgeHost:
    """`edge-host ARGUMENTS` in the background, ended with the context.

    log        file that keeps its standard error
    prefix     what starts it elsewhere, such as in another network
    variables  of its environment
    """

    def __init__(self, *arguments, server=None, log=None, prefix=(), variables=None):
        self._prefix = prefix
        self._variables = variables or {}
        self._arguments = arguments
        self._server = server
        self._log = log

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="edge-host-")
        folder = Path(self._temporary.name)
        self._log = self._log or folder / "log"
        self._output = folder / "output"
        with open(self._log, "wb") as log, open(self._output, "wb") as output:
            self._process = Child(
                [*self._prefix, *COMMAND, *self._arguments], cwd=ROOT,
                env={**environment(self._server), **self._variables},
                stdin=subprocess.DEVNULL, stdout=output, stderr=log)
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
    def output_lines(self):
        """The whole lines of its standard output so far."""
        return self._output.read_text(errors="replace").split("\n")[:-1]

    def wait_until(self, condition, complaint, timeout=WAIT_SECONDS):
        """Returns the first value of `condition()` that is true; the program must run until then."""
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > deadline or not self.is_running:
                state = "runs" if self.is_running else f"ended with status {self._process.status}"
                raise AssertionError(f"{complaint}; edge-host {state}:\n{self.log}")
            time.sleep(0.02)
        return value

    def wait_for_log(self, text, timeout=WAIT_SECONDS):
        self.wait_until(lambda: text in self.log, f"no \"{text}\" in the log", timeout)

    def terminate(self):
        self._process.signal(signal.SIGTERM)

    def kill(self):
        """Ends it as a crash does: it has no chance to do anything more."""
        self._process.signal(signal.SIGKILL)

    def hang_up(self):
        self._process.signal(signal.SIGHUP)

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
