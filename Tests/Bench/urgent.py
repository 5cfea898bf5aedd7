"""How long an urgent message takes while readings fill a slow link."""

import time

import link
import nats
from breaking import Watched
from lane import Conditions
from programs import NATSC, OURS, Samples

# 16 kbit/s, and a modem that keeps a second of it.
RATE = 2000
LINK = Conditions(rate=RATE, delay=0.1, buffer=2000)
ROUND_TRIP_SECONDS = 2 * LINK.delay
# Twice what the link carries: 100 bytes and some forty of framing, 28 times a second.
READING_BYTES = 100
READINGS_PER_SECOND = 28
SECONDS_MAX = 120
# Two times what the kernel and a write may hold.
GOAL_SECONDS = 2 * 4096 / RATE + ROUND_TRIP_SECONDS


# The proxy's own buffers are no part of the link: as small as the kernel lets them be.
link.RECEIVE_BUFFER_BYTES = 2048


def measure(server):
    row = Samples()
    for program in (OURS, NATSC):
        with nats.Client(server.port) as client, link.Link(server.port, up=LINK, down=LINK) as slow:
            urgent = client.subscribe("bench.urgent")
            child = program.start("urgent", slow.port, READING_BYTES, READINGS_PER_SECOND)
            watched = Watched(child)
            try:
                start = time.monotonic()
                sent = start + watched.first("urgent", start, SECONDS_MAX)
                urgent.next(SECONDS_MAX)
                row.add(program, time.monotonic() - sent)
            finally:
                watched.end()
    return row
