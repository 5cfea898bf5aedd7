"""A network link that can be cut: a TCP proxy between two servers, operated from a test."""

import select
import socket
import threading

from ports import free_port

CHUNK_BYTES = 65_536
# A side that takes no bytes for so long has its connection closed.
STUCK_SECONDS = 30


class Link:
    """Carries TCP connections from `port` on the loopback to `target`, a port there too.

    cut()     closes every connection on both sides and refuses new ones: a router that is gone
    freeze()  carries nothing and closes nothing, and takes no new connection: a lost radio link,
              where each side believes that the other is there
    heal()    carries again; after a freeze also what waited, as TCP does when a route returns

    All of it happens in one thread of its own, which ends with the context.
    """

    def __init__(self, target):
        self.port = free_port()
        self._target = target
        self._pairs = {}
        self._state = "open"
        self._commands = []
        self._lock = threading.Condition()

    def __enter__(self):
        self._listen()
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._command("end")
        self._thread.join()
        self._close_pairs()
        if self._listener is not None:
            self._listener.close()
        self._wake.close()
        self._waker.close()

    def cut(self):
        self._command("cut")

    def freeze(self):
        self._command("frozen")

    def heal(self):
        self._command("open")

    @property
    def connections(self):
        """How many connections are carried."""
        return len(self._pairs) // 2

    # Commands are taken by the thread, so that it alone touches the sockets.

    def _command(self, state):
        """Returns when the thread has done it."""
        with self._lock:
            self._commands.append(state)
            self._waker.send(b"!")
            self._lock.wait_for(lambda: not self._commands)

    def _take_commands(self):
        self._wake.recv(CHUNK_BYTES)
        with self._lock:
            for state in self._commands:
                self._enter(state)
            self._commands.clear()
            self._lock.notify_all()

    def _enter(self, state):
        if state == "cut":
            self._close_pairs()
        # A closed listener refuses. One that accepts nothing has the kernel open the connection,
        # on which then nothing is ever heard.
        if state == "cut" and self._listener is not None:
            self._listener.close()
            self._listener = None
        elif state == "open" and self._listener is None:
            self._listen()
        self._state = state

    def _listen(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(16)

    # The thread

    def _run(self):
        while self._state != "end":
            watched = [self._wake]
            if self._state == "open":
                watched += [self._listener, *self._pairs]
            for ready in select.select(watched, [], [])[0]:
                if ready is self._wake:
                    self._take_commands()
                    break  # what was ready may be closed
                if ready is self._listener:
                    self._accept()
                elif ready in self._pairs:
                    self._carry(ready)

    def _accept(self):
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.settimeout(STUCK_SECONDS)
        self._pairs[near] = far
        self._pairs[far] = near

    def _carry(self, source):
        target = self._pairs[source]
        try:
            data = source.recv(CHUNK_BYTES)
            if data:
                target.sendall(data)
                return
        except OSError:
            pass
        for end in (source, target):
            del self._pairs[end]
            end.close()

    def _close_pairs(self):
        for end in self._pairs:
            end.close()
        self._pairs.clear()
