"""A small NATS client for tests, written from the protocol's description and deliberately not from
edge-host's own code, so that the two check each other.

One thread, no background reading: bytes are taken in while something is waited for.
"""

import itertools
import json
import socket
import time
from collections import deque
from dataclasses import dataclass

WAIT_SECONDS = 60


class NATSError(Exception):
    pass


class NoMessage(NATSError):
    """Nothing came in the time allowed."""


class NoResponders(NATSError):
    """The server knows nobody who would answer."""


@dataclass(frozen=True)
class Message:
    subject: str
    reply: str
    headers: bytes
    payload: bytes

    def json(self):
        return json.loads(self.payload)

    def header(self, name):
        """The value of a header, or None."""
        for line in self.headers.decode().split("\r\n")[1:]:
            key, separator, value = line.partition(":")
            if separator and key == name:
                return value.strip()
        return None


class Subscription:
    """The messages of one subject, oldest first."""

    def __init__(self, client, subject, identifier):
        self.subject = subject
        self._client = client
        self._identifier = identifier
        self.waiting = deque()

    def next(self, timeout=WAIT_SECONDS):
        deadline = time.monotonic() + timeout
        while not self.waiting:
            self._client.read_operation(deadline, f"no message on {self.subject}")
        return self.waiting.popleft()

    def take(self, count, timeout=WAIT_SECONDS):
        """The next `count` messages."""
        deadline = time.monotonic() + timeout
        return [self.next(deadline - time.monotonic()) for _ in range(count)]

    def next_where(self, condition, timeout=WAIT_SECONDS):
        """The first message whose JSON satisfies the condition; those before it are dropped."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.next(deadline - time.monotonic())
            if condition(message.json()):
                return message

    def cancel(self):
        self._client.unsubscribe(self._identifier)


class Client:
    """A connection. `more` are fields of CONNECT, such as user and pass."""

    def __init__(self, port, host="127.0.0.1", **more):
        self._socket = socket.create_connection((host, port), WAIT_SECONDS)
        self._input = bytearray()
        self._subscriptions = {}
        self._ids = itertools.count(1)
        self.infos = 0  # how many times the server has described itself
        options = {"verbose": False, "pedantic": True, "headers": True, "no_responders": True,
                   "name": "test", "lang": "python", "version": "0", "protocol": 1,
                   **more}
        self._send(f"CONNECT {json.dumps(options)}\r\n".encode())
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def subscribe(self, subject):
        identifier = str(next(self._ids))
        subscription = Subscription(self, subject, identifier)
        self._subscriptions[identifier] = subscription
        self._send(f"SUB {subject} {identifier}\r\n".encode())
        self.flush()  # from here on the server knows of it
        return subscription

    def unsubscribe(self, identifier):
        del self._subscriptions[identifier]
        self._send(f"UNSUB {identifier}\r\n".encode())

    def publish(self, subject, payload=b"", reply="", headers=None):
        if not headers:
            self._send(f"PUB {subject} {reply} {len(payload)}\r\n".encode() + payload + b"\r\n")
            return
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        block = f"NATS/1.0\r\n{lines}\r\n".encode()
        sizes = f"{len(block)} {len(block) + len(payload)}"
        self._send(f"HPUB {subject} {reply} {sizes}\r\n".encode() + block + payload + b"\r\n")

    def request(self, subject, body=None, timeout=WAIT_SECONDS, headers=None):
        """Publishes a body and returns the first answer. Bytes go as they are, None is no bytes,
        and everything else is written as JSON."""
        inbox = self.subscribe(f"_INBOX.{time.monotonic_ns()}.{next(self._ids)}")
        if body is None:
            body = b""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.publish(subject, payload, inbox.subject, headers)
        answer = inbox.next(timeout)
        inbox.cancel()
        if answer.headers.startswith(b"NATS/1.0 503"):
            raise NoResponders(f"nobody serves {subject}")
        return answer

    def flush(self):
        """Returns when the server has processed everything sent before."""
        self._send(b"PING\r\n")
        deadline = time.monotonic() + WAIT_SECONDS
        while self.read_operation(deadline, "no answer to PING") != b"PONG":
            pass

    def read_operation(self, deadline, complaint):
        """Handles one operation from the server and returns its name. Raises NoMessage with the
        complaint when none comes before the deadline."""
        line = self._read_line(deadline, complaint)
        name, *fields = line.split()
        if name in (b"MSG", b"HMSG"):
            with_headers = name == b"HMSG"
            header_size = int(fields[-2]) if with_headers else 0
            size = int(fields[-1])
            body = self._read_bytes(size + 2, deadline, complaint)
            subject, identifier, *reply = [
                field.decode() for field in fields[:-2 if with_headers else -1]]
            message = Message(subject, reply[0] if reply else "",
                              body[:header_size], body[header_size:size])
            if identifier in self._subscriptions:
                self._subscriptions[identifier].waiting.append(message)
        elif name == b"PING":
            self._send(b"PONG\r\n")
        elif name == b"INFO":
            self.infos += 1
        elif name == b"-ERR":
            raise NATSError(line.decode())
        return name

    def _read_line(self, deadline, complaint):
        while b"\r\n" not in self._input:
            self._receive(deadline, complaint)
        line, _, rest = self._input.partition(b"\r\n")
        self._input = bytearray(rest)
        return bytes(line)

    def _read_bytes(self, count, deadline, complaint):
        while len(self._input) < count:
            self._receive(deadline, complaint)
        taken = bytes(self._input[:count])
        del self._input[:count]
        return taken

    def _receive(self, deadline, complaint):
        remaining = deadline - time.monotonic()
        try:
            if remaining <= 0:
                raise TimeoutError
            self._socket.settimeout(remaining)
            received = self._socket.recv(65536)
        except TimeoutError:
            raise NoMessage(complaint) from None
        if not received:
            raise NATSError("the server closed the connection")
        self._input += received

    def _send(self, data):
        self._socket.settimeout(WAIT_SECONDS)
        self._socket.sendall(data)
