"""A real nats-server on a port of its own, for as long as a test needs it."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from child import Child

START_SECONDS = 60


class NATSServer:
    """Runs while entered as a context, on this machine's loopback and a port the kernel chose."""

    def __init__(self, *options):
        self._options = options

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="nats-")
        folder = Path(self._temporary.name)
        self._process = None
        try:
            # Port -1 means any free one; the server then writes the ports it took into a file.
            self._process = Child(
                ["nats-server", "--addr", "127.0.0.1", "--port", "-1",
                 "--ports_file_dir", str(folder), "--log", str(folder / "log"), *self._options],
                stdin=subprocess.DEVNULL)
            self.port = self._wait_for_port(folder)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self._process.end()
        self._temporary.cleanup()

    def _wait_for_port(self, folder):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.is_running:
            for path in folder.glob("*.ports"):
                try:
                    return int(json.loads(path.read_text())["nats"][0].rpartition(":")[2])
                except json.JSONDecodeError:
                    pass  # still being written
            time.sleep(0.02)
        raise RuntimeError("nats-server did not start:\n" + (folder / "log").read_text())
