"""A real nats-server on ports of its own, for as long as somebody needs it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from child import SEARCH_PATH, Child
from ports import free_port

START_SECONDS = 60

# The server that runs: a command, the path of one, or one of RELEASES.
RELEASES = ("bookworm", "trixie", "sid")
FETCHED = Path(__file__).resolve().parents[2] / "build" / "nats-server"

PLAIN = "host: 127.0.0.1\nport: $PORT\n"


def program(name=None):
    """The command of a server: `name`, or what the environment's NATS_SERVER names, or the installed
    one. A Debian release stands for the server that Tests/Support/nats_servers fetched from it."""
    name = name or os.environ.get("NATS_SERVER") or "nats-server"
    return str(FETCHED / name / "nats-server") if name in RELEASES else name


def version(name=None):
    """What the server says that it is, such as "v2.10.27"."""
    path = shutil.which(program(name), path=SEARCH_PATH)
    if path is None:
        raise FileNotFoundError(f"no {program(name)}: see Tests/Support/nats_servers")
    output = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return output.split()[-1]


class NATSServer:
    """Runs while entered as a context; `kill` and `start` between are a server's crash and return.

    configuration  text, or the Path of a file. nats-server itself replaces $PORT, $LEAF_PORT,
                   $ROUTE_PORT and $STORE in it, and the names in `variables`.
    log            file that keeps what the server says, over all its starts
    """

    def __init__(self, configuration=PLAIN, variables=None, port=None, log=None):
        self.configuration = configuration
        self.variables = dict(variables or {})
        self.port = port or free_port()
        self.leaf_port = free_port()
        self.route_port = free_port()
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
        path = self.configuration
        if not isinstance(path, Path):
            path = self._written_configuration()
        # A value that begins with a digit is quoted in a configuration unless it is a number.
        environment = {**os.environ, "PORT": str(self.port), "LEAF_PORT": str(self.leaf_port),
                       "ROUTE_PORT": str(self.route_port), "STORE": f'"{self._folder}"', **self.variables}
        with open(self._log, "ab") as output:
            self._process = Child(
                [program(), "--config", str(path)],
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

    def enter_lame_duck_mode(self):
        """Asks its clients to go elsewhere; it closes what is left after its grace period and ends."""
        self._process.signal(signal.SIGUSR2)

    def reload(self, configuration):
        """Takes a new configuration, in text, without a restart. The server writes what changed, or
        why it refused, to its log."""
        self.configuration = configuration
        self._written_configuration()
        self._process.signal(signal.SIGHUP)

    @property
    def is_running(self):
        return self._process.is_running

    def wait_for_log(self, text, timeout=START_SECONDS):
        deadline = time.monotonic() + timeout
        while text not in self.log:
            if time.monotonic() > deadline:
                raise AssertionError(f"nats-server does not log \"{text}\":\n{self.log}")
            time.sleep(0.02)

    def _written_configuration(self):
        path = self._folder / "configuration"
        path.write_text(self.configuration)
        return path

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
