"""A real nats-server on ports of its own, for as long as somebody needs it."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from child import Child
from ports import free_port

START_SECONDS = 60

PLAIN = "host: 127.0.0.1\nport: $PORT\n"


class NATSServer:
    """Runs while entered as a context; `kill` and `start` between are a server's crash and return.

    configuration  text, or the Path of a file. nats-server itself replaces $PORT, $LEAF_PORT and
                   $STORE in it, and the names in `variables`.
    log            file that keeps what the server says, over all its starts
    """

    def __init__(self, configuration=PLAIN, variables=None, port=None, log=None):
        self._configuration = configuration
        self.variables = dict(variables or {})
        self.port = port or free_port()
        self.leaf_port = free_port()
        self._log = log
        self._process = None

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="nats-")
        self._folder = Path(self._temporary.name)
        self._log = self._log or self._folder / "log"
        self._log.unlink(missing_ok=True)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self._process.end()
        self._temporary.cleanup()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def log(self):
        return self._log.read_text() if self._log.exists() else ""

    def start(self):
        """Starts the server, again on the same ports and with the same store, and returns when it
        takes connections."""
        path = self._configuration
        if not isinstance(path, Path):
            path = self._folder / "configuration"
            path.write_text(self._configuration)
        # A value that begins with a digit is quoted in a configuration unless it is a number.
        environment = {**os.environ, "PORT": str(self.port), "LEAF_PORT": str(self.leaf_port),
                       "STORE": f'"{self._folder}"', **self.variables}
        with open(self._log, "ab") as output:
            self._process = Child(
                ["nats-server", "--config", str(path)],
                env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._wait_until_ready()

    def kill(self):
        """Ends the server as a crash does: its peers see their connections reset or closed."""
        self._process.end(politely=False)

    def pause(self):
        """Stops the process where it stands; its connections stay open and silent."""
        self._process.signal(signal.SIGSTOP)

    def resume(self):
        self._process.signal(signal.SIGCONT)

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.is_running:
            try:
                with socket.create_connection(("127.0.0.1", self.port), START_SECONDS) as probe:
                    if probe.recv(5) == b"INFO ":
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError("nats-server did not start:\n" + self.log)
