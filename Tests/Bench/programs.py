"""The programs that are measured: each speaks to a NATS server through another client, and they all
take the same arguments (MODE PORT SIZE COUNT) and print what they measured as `name value` lines."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

from child import Child

BUILD = ROOT / "build" / "bench"
RUN_SECONDS_MAX = 120


class Program:
    """One column of the table."""

    def __init__(self, name, file, *options):
        self.name = name
        self._file = str(BUILD / file)
        self._options = options

    def command(self, mode, port, size=16, count=1):
        return [self._file, mode, str(port), str(size), str(count), *self._options]

    def measure(self, mode, port, size=16, count=1, counting=False):
        """Runs to the end; returns what it printed. `counting`: the calls of the allocator, too."""
        environment = dict(os.environ)
        if counting:
            environment["LD_PRELOAD"] = str(BUILD / "allocations.so")
        done = subprocess.run(self.command(mode, port, size, count), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, timeout=RUN_SECONDS_MAX,
                              env=environment, check=True)
        return read_results(done.stdout.splitlines())

    def start(self, mode, port, size=16, count=1):
        """Runs it in the background; returns once it says that it is ready."""
        child = Child(self.command(mode, port, size, count), stdin=subprocess.PIPE,
                      stdout=subprocess.PIPE, bufsize=0)
        line = child.stdout.readline()
        if line != b"ready\n":
            raise RuntimeError(f"{self.name} {mode}: not ready but {line!r}")
        return child


OURS = Program("edge-host", "embedded")
FULL = Program("full Swift", "full")
NATSC = Program("nats.c", "natsc")
ASAP = Program("nats.c at once", "natsc", "asap")
FLOOR = Program("bare socket", "floor")
# Those that are compared run next to each other.
ALL = [OURS, NATSC, FLOOR, FULL, ASAP]


class NullServer:
    """The server that only takes, or only sends COUNT messages of SIZE to whoever subscribes."""

    def __init__(self, *arguments):
        self._arguments = [str(argument) for argument in arguments]

    def __enter__(self):
        self._child = Child([str(BUILD / "null"), *self._arguments], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, bufsize=0)
        self.port = int(read_results([self._child.stdout.readline().decode()])["port"])
        return self

    def __exit__(self, *_):
        self._child.end(politely=False)


def read_results(lines):
    results = {}
    for line in lines:
        name, _, value = line.strip().partition(" ")
        if value:
            results[name] = float(value)
    return results


class Samples:
    """What one row holds: for each program the values of every round."""

    def __init__(self):
        self._values = {}

    def add(self, program, value):
        self._values.setdefault(program, []).append(value)

    def of(self, program):
        return self._values.get(program, [])

    @property
    def programs(self):
        return list(self._values)

    def median(self, program):
        return statistics.median(self.of(program))

    def ratio(self, program, other):
        """The median of the rounds' ratios: what both had to share in a round counts for neither."""
        return statistics.median(ours / theirs
                                 for ours, theirs in zip(self.of(program), self.of(other)))
