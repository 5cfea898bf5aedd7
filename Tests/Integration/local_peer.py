"""A program on the board that speaks with the host through its local socket."""

import json
import socket

from edge_host import WAIT_SECONDS


class Peer:
    """A connection to the socket that speaks in lines of JSON."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(WAIT_SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._lines.close()
        self._socket.close()

    def send(self, content):
        self._socket.sendall(content)

    def tell(self, **request):
        self.send(json.dumps(request).encode() + b"\n")

    def hear(self):
        """The next object; None when the host has closed the connection."""
        line = self._lines.readline()
        return json.loads(line) if line else None

    def ask(self, **request):
        self.tell(**request)
        return self.hear()

    def end(self):
        self._socket.shutdown(socket.SHUT_WR)
