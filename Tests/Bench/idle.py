"""What a client costs that does nothing: memory, threads, wake-ups and bytes on the wire."""

import re
import subprocess
import time
from pathlib import Path

from programs import ALL, ASAP, FULL, Samples

# IPv4 and TCP headers with timestamps, for each segment.
SEGMENT_BYTES = 52
# What a client does once after it has connected is over by then.
SETTLE_SECONDS = 5


def wire_bytes(pid):
    """Bytes of all TCP connections of a process so far, both ways, headers included."""
    listing = subprocess.run(["ss", "-tinpHO"], capture_output=True, text=True, check=True).stdout
    total = 0
    for line in listing.splitlines():
        if f"pid={pid}," not in line:
            continue
        counters = {name: int(value) for name, value in
                    re.findall(r"\b(bytes_sent|bytes_received|segs_in|segs_out):(\d+)", line)}
        total += counters.get("bytes_sent", 0) + counters.get("bytes_received", 0)
        total += (counters.get("segs_in", 0) + counters.get("segs_out", 0)) * SEGMENT_BYTES
    return total


def wakeups(pid):
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.M)[1])
               for status in Path(f"/proc/{pid}/task").glob("*/status"))


def memory(pid):
    """(RSS, PSS) in bytes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return tuple(int(re.search(rf"^{name}: +(\d+) kB", rollup, re.M)[1]) * 1024
                 for name in ("Rss", "Pss"))


class Idle:
    """Starts the programs, each with one subscription, lets them be, and reads the kernel's numbers
    at the end. `extra`: further processes, as (column, process id)."""

    def __init__(self, server_port, extra=()):
        self._children = []
        self.rows = {}
        self._pids = list(extra)
        for program in ALL:
            if program in (ASAP, FULL):
                continue
            child = program.start("idle", server_port)
            self._children.append(child)
            self._pids.append((program, child.pid))
        time.sleep(SETTLE_SECONDS)
        self._start = time.monotonic()
        self._before = {pid: (wakeups(pid), wire_bytes(pid)) for _, pid in self._pids}

    def finish(self, seconds_min):
        """Returns the seconds that were measured."""
        time.sleep(max(0, self._start + seconds_min - time.monotonic()))
        minutes = (time.monotonic() - self._start) / 60
        for program, pid in self._pids:
            rss, pss = memory(pid)
            woken, wired = self._before[pid]
            values = {
                "RSS": rss, "PSS": pss,
                "threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
                "wakeups": (wakeups(pid) - woken) / minutes,
                "bytes": (wire_bytes(pid) - wired) / minutes,
            }
            for name, value in values.items():
                self.rows.setdefault(f"idle {name}", Samples()).add(program, value)
        for child in self._children:
            child.end(politely=False)
        return minutes * 60
