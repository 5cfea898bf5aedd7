"""The serial console of a board: its log, line by line, and a shell inside it."""

import itertools
import re
import threading
import time

# Emulated in software on a busy machine, a board may need a thousand times what a real one does.
PATIENCE_SECONDS = 120

# A terminal in canonical mode takes no longer line (Linux, N_TTY_BUF_SIZE).
MAXIMUM_COMMAND_BYTES = 4095


class ConsoleError(Exception):
    """What was waited for did not come. The message ends with the last lines of the console."""


class CommandFailed(Exception):
    """A command inside the board ended with a status other than 0."""


class Console:
    """Reads a board's console until it closes, keeping every line and a copy in a file.

    One thread reads, so that the board never waits for the test; any thread may wait for lines.
    """

    def __init__(self, reader, writer, log_path):
        self._reader = reader
        self._writer = writer
        self._log_path = log_path
        self._lines = []
        self._closed = False
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def position(self):
        """The number of lines so far: where to wait from, to see only what comes after now."""
        with self._changed:
            return len(self._lines)

    def lines(self, after=0):
        """What was written from a position on."""
        with self._changed:
            return self._lines[after:]

    def wait_for(self, text, timeout=PATIENCE_SECONDS, after=0):
        """The first line, from position `after` on, that contains `text`."""
        return self._wait(lambda line: line if text in line else None, text, timeout, after)

    def run(self, command, timeout=PATIENCE_SECONDS, check=True):
        """Runs a shell command inside the board and returns its output, errors included.

        With `check`, a status other than 0 is raised as CommandFailed. A process left in the
        background must not keep the command's output open.
        """
        identifier = next(self._ids)
        request = f"{identifier} {command}\n".encode()
        if len(request) > MAXIMUM_COMMAND_BYTES or b"\n" in request[:-1]:
            raise ValueError(f"not one line of at most {MAXIMUM_COMMAND_BYTES} bytes: {command}")
        after = self.position
        self._writer.write(request)
        self._writer.flush()

        end = re.compile(rf"@{identifier}=(\d+)$")
        status = int(self._wait(end.search, f"the end of `{command}`", timeout, after)[1])
        # Other writers may share a line with the command, and its last line may lack an end.
        start = f"@{identifier}|"
        output = [end.sub("", line.partition(start)[2])
                  for line in self.lines(after) if start in line]
        text = "\n".join(output)
        if check and status != 0:
            raise CommandFailed(f"`{command}` ended with status {status}:\n{text}")
        return text

    def join(self):
        """Returns when everything the board wrote has been read; the board must have ended."""
        self._thread.join()

    def _wait(self, match, what, timeout, after):
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for index in range(after, len(self._lines)):
                    found = match(self._lines[index])
                    if found is not None:
                        return found
                after = max(after, len(self._lines))
                remaining = deadline - time.monotonic()
                if self._closed or remaining <= 0:
                    how = "the board ended" if self._closed else f"{timeout} s passed"
                    tail = "\n".join(self._lines[-30:])
                    raise ConsoleError(
                        f"{how} without {what!r}; all of it is in {self._log_path}\n{tail}")
                self._changed.wait(remaining)

    def _read(self):
        with open(self._log_path, "wb", buffering=0) as log:
            for line in self._reader:
                log.write(line)
                with self._changed:
                    self._lines.append(line.decode(errors="replace").rstrip("\r\n"))
                    self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
