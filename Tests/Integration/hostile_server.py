"""A server that does not keep to the protocol, scripted by a test."""

import json
import socket
import threading

from ports import free_port

INFO = {"server_id": "HOSTILE", "server_name": "hostile", "version": "2.10.0", "proto": 1,
        "host": "127.0.0.1", "port": 4222, "headers": True, "max_payload": 1_048_576}


def info(**changes):
    return b"INFO " + json.dumps({**INFO, **changes}).encode() + b"\r\n"


class Peer:
    """One connection of a client, as the script sees it."""

    def __init__(self, connection, is_over):
        self._socket = connection
        self._is_over = is_over
        self._input = b""

    def send(self, data):
        self._socket.sendall(data)

    def close(self):
        self._socket.close()

    def handshake(self, **changes):
        """Does what a good server does until the client is connected; returns the ids of its
        subscriptions."""
        self.send(info(**changes))
        while b"PING\r\n" not in self._input:
            received = self._socket.recv(65_536)
            if not received:
                raise ConnectionError
            self._input += received
        self.send(b"PONG\r\n")
        return [line.split()[-1].decode() for line in self._input.split(b"\r\n")
                if line.startswith(b"SUB ")]

    def pause(self, seconds):
        """Waits, and ends the script when the test is over."""
        if self._is_over.wait(seconds):
            raise ConnectionError

    def stay_silent(self):
        while True:
            self.pause(60)


class HostileServer:
    """Runs `script(peer)` for each connection, one after the other, while entered as a context. When
    the script returns the connection is closed, unless it has closed it itself."""

    def __init__(self, script):
        self._script = script
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._is_over = threading.Event()
        self._connections = 0

    def __enter__(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(16)
        self._thread = threading.Thread(target=self._run, name="hostile server", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    @property
    def connections(self):
        """How many connections have been begun."""
        return self._connections

    def _run(self):
        while not self._is_over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections += 1
            # A script that does not read must still notice that its peer is gone.
            connection.settimeout(30)
            with connection:
                try:
                    self._script(Peer(connection, self._is_over))
                except OSError:
                    pass
