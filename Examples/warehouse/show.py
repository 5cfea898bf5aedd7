"""A transcript that a newcomer can read: numbered steps, commands as one could type them, and what
they really print."""

import shlex
import signal
import sys
import textwrap
import time
from contextlib import ExitStack

from edge_host import WAIT_SECONDS, EdgeHost, run_command

WIDTH = 110


class ShowError(Exception):
    """A step did not go as it must."""


def require(condition, complaint):
    if not condition:
        raise ShowError(complaint)


class Show:
    """Prints the transcript; its commands ask `server` about `lattice` unless they say otherwise."""

    def __init__(self, server, lattice):
        self._server = server
        self._lattice = lattice
        self._steps = 0

    def step(self, text):
        self._steps += 1
        number = f"{self._steps}."
        self._print(textwrap.fill(text, 100, initial_indent=f"\n{number:3}",
                                  subsequent_indent="   "))

    def say(self, text):
        self._print(textwrap.fill(text, 100, initial_indent="   ", subsequent_indent="   "))

    def shell(self, line):
        self._print(f"   $ {line}")

    def lines(self, lines):
        """Output of a command, long lines folded."""
        for line in lines:
            folded = textwrap.wrap(
                line, WIDTH, initial_indent="     ", subsequent_indent=" " * 8,
                break_long_words=False, break_on_hyphens=False, drop_whitespace=False)
            self._print("\n".join(part.rstrip() for part in folded))

    def run(self, *arguments, status=0):
        """Runs an edge-host command, which must end with the status; returns what it printed."""
        self.shell(shlex.join(["edge-host", *arguments]))
        result = run_command(*arguments, server=self._server, lattice=self._lattice)
        self.lines((result.stdout + result.stderr).splitlines())
        require(result.returncode == status,
                f"edge-host {arguments[0]} ended with status {result.returncode}, not {status}")
        return result.stdout

    def watch(self, subject):
        """Starts `edge-host watch` in the background, as a context."""
        self.shell(f"{shlex.join(['edge-host', 'watch', subject])} &")
        return Watch(self, subject, self._server)

    def _print(self, text):
        print(text, flush=True)


class Watch:
    """A watch that goes on beside other commands; its lines are shown while it is waited for."""

    def __init__(self, show, subject, server):
        self._show = show
        self._subject = subject
        self._program = EdgeHost("watch", subject, server=server)
        self._shown = 0

    def __enter__(self):
        self._program.__enter__()
        return self

    def __exit__(self, *error):
        self._program.__exit__(*error)

    @property
    def seen(self):
        """All lines so far, shown or not."""
        return self._program.output_lines

    def show_until(self, condition):
        """Shows lines until one that satisfies the condition has come; returns those shown now."""
        first = self._shown
        deadline = time.monotonic() + WAIT_SECONDS
        while not any(map(condition, self.seen[first:self._shown])):
            require(self._program.is_running, f"watch ended: {self._program.log}")
            require(time.monotonic() < deadline, f"nothing came on {self._subject} in time")
            new = self.seen[self._shown:]
            self._show.lines(new)
            self._shown += len(new)
            if not new:
                time.sleep(0.05)
        return self.seen[first:self._shown]


def play(scene):
    """Runs `scene(stack)`; everything it enters into the stack is ended, however it goes. Exits with
    a message and status 1 when it fails, and as the shell expects on a signal."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        with ExitStack() as stack:
            scene(stack)
    except KeyboardInterrupt:
        print("\ninterrupted; everything that was started has been ended", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        print(f"\nerror: the show failed: {error}", file=sys.stderr)
        sys.exit(1)
