"""Bytes on the wire for one edge event, headers of TCP/IP and acknowledgements included."""

import tempfile
import time
from pathlib import Path

import nats
from edge_host import EdgeHost
from idle import wire_bytes
from programs import FLOOR, NATSC, OURS, Samples

EDGE_AFTER_SECONDS = 6
# What a host says when it has connected is over by then.
QUIET_SECONDS = 4
ACKNOWLEDGED_SECONDS = 1
MANIFEST = f"""\
host: {{name: dock-7, lattice: wh7}}
link: {{servers: [nats://SERVER]}}
capabilities:
  - builtin: gpio
    board: simulated
    lines:
      - {{name: door, direction: input,
         script: {{steps: [{{after: {EDGE_AFTER_SECONDS}s, active: true}}]}}}}
"""


def measure(server):
    """The program itself, and then the others with the same subject and payload."""
    row = Samples()
    with nats.Client(server.port) as client:
        edges = client.subscribe("edge.wh7.dock-7.gpio.door.edge")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            manifest = Path(folder) / "manifest.yaml"
            manifest.write_text(MANIFEST.replace("SERVER", server.address))
            with EdgeHost("run", "--manifest", str(manifest)) as host:
                host.wait_for_log("connected to")
                time.sleep(QUIET_SECONDS)
                before = wire_bytes(host.pid)
                event = edges.next()
                time.sleep(ACKNOWLEDGED_SECONDS)
                row.add(OURS, wire_bytes(host.pid) - before)
    line = f"{event.subject} {event.payload.decode()}\n".encode()
    for program in (NATSC, FLOOR):
        child = program.start("say", server.port)
        try:
            time.sleep(QUIET_SECONDS)
            before = wire_bytes(child.pid)
            child.stdin.write(line)
            time.sleep(ACKNOWLEDGED_SECONDS)
            row.add(program, wire_bytes(child.pid) - before)
        finally:
            child.end(politely=False)
    return row, len(event.payload)
