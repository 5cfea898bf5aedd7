"""A network link that can be slow, late, uneven, cut or silent: a TCP proxy operated from a test, or
by hand with Tests/Support/throttle."""

import select
import socket
import struct
import threading
import time

from lane import CHUNK_BYTES, FINISHED, RESET, Conditions, Flow, Lane
from ports import free_port

CONNECT_SECONDS = 5
# On a slow link the kernel's buffers are to hold little: what waits, waits at the sender, and in the
# lane's own buffer, whose size is stated. With other values than these, windows open in steps that
# are smaller than what the sender's kernel waits to send: it then counts the time towards
# TCP_USER_TIMEOUT although bytes get through (Linux, tcp_ack_probe).
RECEIVE_BUFFER_BYTES = 4096
SEGMENT_BYTES = 1400  # the loopback's own segments of 64 kB would not fit

PERFECT = Conditions()


class Link:
    """Carries TCP connections from `port` on the loopback to `target`, a port there or (host, port).

    up, down   the Conditions towards the target and back; all connections share them
    seed       of jitter and stalls

    cut()      ends every connection on both sides (FIN, or RST with `reset`) and refuses new ones: a
               router that is gone
    freeze()   carries nothing and closes nothing, and takes no new connection: a lost radio link,
               where each side believes that the other is there
    heal()     carries again; after a freeze also what waited, as TCP does when a route returns
    shape()    changes the conditions

    The peers' kernels acknowledge what this process has read, not what the other side has: what is
    queued here looks delivered to the sender, as with any proxy. `Conditions.buffer` bounds that,
    together with what is on its way during `delay`; on a link that begins with a rate, the kernel
    adds at most 8 kB. When the buffer is full the sender meets a closed window, where a modem would
    lose packets. The opening of a connection is not delayed.

    All of it happens in one thread of its own, which ends with the context.
    """

    def __init__(self, target, up=PERFECT, down=PERFECT, port=None, seed=0):
        self.port = port or free_port()
        self._target = target if isinstance(target, tuple) else ("127.0.0.1", target)
        self._up = Lane(up, seed)
        self._down = Lane(down, seed + 1)
        self._pairs = []
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
        self._command(self._enter, "end")
        self._thread.join()
        self._close_pairs()
        if self._listener is not None:
            self._listener.close()
        self._wake.close()
        self._waker.close()

    def cut(self, reset=False):
        self._command(self._enter, "cut", reset)

    def freeze(self):
        self._command(self._enter, "frozen")

    def heal(self):
        self._command(self._enter, "open")

    def shape(self, up=PERFECT, down=PERFECT):
        now = time.monotonic()
        self._command(self._up.set, up, now)
        self._command(self._down.set, down, now)

    @property
    def connections(self):
        """How many connections are carried."""
        return len(self._pairs)

    @property
    def carried(self):
        """Bytes carried so far: (towards the target, back)."""
        return self._up.carried, self._down.carried

    # Commands are taken by the thread, so that it alone touches the sockets.

    def _command(self, *command):
        """Returns when the thread has done it."""
        with self._lock:
            self._commands.append(command)
            self._waker.send(b"!")
            self._lock.wait_for(lambda: not self._commands)

    def _take_commands(self):
        self._wake.recv(CHUNK_BYTES)
        with self._lock:
            for function, *arguments in self._commands:
                function(*arguments)
            self._commands.clear()
            self._lock.notify_all()

    def _enter(self, state, reset=False):
        if state == "cut":
            self._close_pairs(reset)
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
        if self._up.conditions.rate:
            make_small(self._listener)  # accepted sockets inherit it
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(16)

    # The thread

    def _run(self):
        while self._state != "end":
            now = time.monotonic()
            readers, writers, wake_at = {self._wake: None}, {}, []
            if self._state == "open":
                self._pairs = [pair for pair in self._pairs if not pair.is_over(now)]
                readers[self._listener] = None
                for pair in self._pairs:
                    for way in pair.ways:
                        if way.flow.room(now):
                            readers[way.source] = way
                        if way.flow.due(now):
                            writers[way.target] = way
                        wake_at.append(way.flow.next_time(now))
            next_time = min((at for at in wake_at if at is not None), default=None)
            timeout = None if next_time is None else max(0, next_time - now)
            readable, writable, _ = select.select(readers, writers, [], timeout)
            now = time.monotonic()
            if self._wake in readable:
                self._take_commands()
                continue  # what was ready may be closed
            for ready in readable:
                if ready is self._listener:
                    self._accept()
                else:
                    readers[ready].read(now)
            for ready in writable:
                writers[ready].write()

    def _accept(self):
        near, _ = self._listener.accept()
        far = socket.socket(socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET)
        if self._down.conditions.rate:
            make_small(far)
        try:
            far.settimeout(CONNECT_SECONDS)
            far.connect(self._target)
        except OSError:
            near.close()
            far.close()
            return
        self._pairs.append(Pair(near, far, self._up, self._down))

    def _close_pairs(self, reset=False):
        for pair in self._pairs:
            pair.close(reset)
        self._pairs = []


class Pair:
    """The two connections that are one for the peers."""

    def __init__(self, near, far, up, down):
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ways = (Way(near, far, Flow(up)), Way(far, near, Flow(down)))

    def is_over(self, now):
        """Hands on an end that has arrived. True once nothing more can be carried."""
        for way in self.ways:
            if way.flow.end == RESET and way.flow.has_ended(now):
                self.close(reset=True)
                return True
        if all([way.is_finished(now) for way in self.ways]):  # each one, for what it does
            self.close()
            return True
        return False

    def close(self, reset=False):
        for way in self.ways:
            if reset:
                way.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            way.source.close()


class Way:
    """One direction of a pair."""

    def __init__(self, source, target, flow):
        self.source = source
        self.target = target
        self.flow = flow
        self._is_finished = False

    def read(self, now):
        room = self.flow.room(now)
        if not room:  # another connection has just taken it
            return
        try:
            data = self.source.recv(room)
        except BlockingIOError:
            return
        except OSError:
            self.flow.finish(RESET, now)
            return
        if data:
            self.flow.put(data, now)
        else:
            self.flow.finish(FINISHED, now)

    def write(self):
        # Together what is due together: on a fast link this is the whole cost.
        while (data := self.flow.due(time.monotonic())) is not None:
            try:
                count = self.target.send(data)
            except BlockingIOError:
                return
            except OSError:
                self.flow.abandon()
                return
            self.flow.taken(count)

    def is_finished(self, now):
        """Hands on the sender's end once everything before it was."""
        if not self._is_finished and self.flow.has_ended(now):
            self._is_finished = True
            try:
                self.target.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it is gone by itself
        return self._is_finished


def make_small(end):
    """Has the kernel take in little more than is read; before the connection is opened."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
