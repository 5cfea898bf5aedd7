"""One direction of an emulated link: how fast, how late and how unevenly it carries bytes.

In:  bytes and the time. Out: bytes that are due, and when to look again. Never: a socket or a clock.
"""

import random
from collections import deque
from dataclasses import dataclass

# What is read at once. With a rate, less: several connections share a slow link as packets do.
CHUNK_BYTES = 65_536
PACKET_BYTES = 512
# Bytes on their way on a link without a rate, where nothing else bounds them.
FLIGHT_BYTES_MAX = 1 << 20

FINISHED = "finished"  # the sender closed
RESET = "reset"  # the sender's end is gone


@dataclass(frozen=True)
class Conditions:
    """What one direction of a link is like.

    rate         bytes a second; 0 is no limit
    delay        seconds that a byte is on its way, once it was sent
    jitter       seconds; each packet is late by a random part of it, and never overtakes another
    buffer       bytes that wait at the sending end, as in a modem; when full, the sender has to wait
    stall_every  seconds between stalls, on average; 0 is none. To TCP a burst of losses is one
    stall_for    seconds that nothing is carried in a stall
    """
    rate: float = 0
    delay: float = 0
    jitter: float = 0
    buffer: int = 4096
    stall_every: float = 0
    stall_for: float = 0

    def __post_init__(self):
        for name in ("rate", "delay", "jitter", "stall_every", "stall_for"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is negative: {getattr(self, name)}")
        if self.buffer < PACKET_BYTES:
            raise ValueError(f"buffer is {self.buffer} bytes; at least {PACKET_BYTES} are needed")


class Lane:
    """What all connections share in one direction: its rate and its stalls."""

    def __init__(self, conditions, seed):
        self._random = random.Random(seed)
        self._free_at = 0.0  # when everything that waits at the sending end has been sent
        self.carried = 0  # bytes handed over to the receivers
        self.set(conditions, 0.0)

    def set(self, conditions, now):
        """New conditions; what is on its way arrives as it would have."""
        self.conditions = conditions
        self._free_at = min(self._free_at, now)
        self._next_stall = now + self._stall_interval()

    def room(self, now):
        """Bytes that may be taken in now."""
        if self.room_at(now) > now:
            return 0
        return PACKET_BYTES if self.conditions.rate else CHUNK_BYTES

    def room_at(self, now):
        """When there is room for a packet."""
        conditions = self.conditions
        if not conditions.rate:
            return now
        return max(now, self._free_at - (conditions.buffer - PACKET_BYTES) / conditions.rate)

    def arrival(self, size, now):
        """When `size` bytes that are taken in now have arrived."""
        conditions = self.conditions
        if conditions.stall_every and now >= self._next_stall:
            self._free_at = max(self._free_at, now) + conditions.stall_for
            self._next_stall = self._free_at + self._stall_interval()
        if conditions.rate or conditions.stall_every:
            self._free_at = max(self._free_at, now)
            if conditions.rate:
                self._free_at += size / conditions.rate
            now = self._free_at
        return now + conditions.delay + self._random.uniform(0, conditions.jitter)

    def _stall_interval(self):
        every = self.conditions.stall_every
        return self._random.expovariate(1 / every) if every else 0.0


class Flow:
    """One connection's bytes in one lane, in order, with its end."""

    def __init__(self, lane):
        self._lane = lane
        self._queue = deque()  # (when it arrives, bytes)
        self._size = 0
        self._last = 0.0
        self.end = None  # FINISHED or RESET once the sender is gone

    def room(self, now):
        """Bytes that may be taken in now; 0 also when the receiver lags too far behind."""
        if self.end or self._size >= self._size_max:
            return 0
        return self._lane.room(now)

    def put(self, data, now):
        self._last = max(self._last, self._lane.arrival(len(data), now))
        self._queue.append((self._last, data))
        self._size += len(data)

    def finish(self, end, now):
        """The sender is gone; what it sent still arrives, and then its end."""
        self._last = max(self._last, self._lane.arrival(0, now))
        self.end = end

    def due(self, now):
        """The oldest bytes, if they have arrived by now."""
        return self._queue[0][1] if self._queue and self._queue[0][0] <= now else None

    def taken(self, count):
        """The receiver took so many of the bytes that were due."""
        moment, data = self._queue.popleft()
        if count < len(data):
            self._queue.appendleft((moment, data[count:]))
        self._size -= count
        self._lane.carried += count

    def abandon(self):
        """The receiver is gone: nothing more reaches it."""
        self._queue.clear()
        self._size = 0
        self.end = RESET

    def has_ended(self, now):
        """Whether the receiver has everything and now learns of the end."""
        return bool(self.end) and not self._queue and self._last <= now

    def next_time(self, now):
        """When something changes by itself, or None."""
        moments = [self._queue[0][0]] if self._queue else [self._last] if self.end else []
        if not self.end and self._size < self._size_max:
            moments.append(self._lane.room_at(now))
        return min((moment for moment in moments if moment > now), default=None)

    @property
    def _size_max(self):
        conditions = self._lane.conditions
        if not conditions.rate:
            return FLIGHT_BYTES_MAX
        return int(conditions.buffer + conditions.rate * (conditions.delay + conditions.jitter))
