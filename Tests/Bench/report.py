"""The table and the figures, as text and as docs/benchmarks.md."""

import re

from figure import figure_table, machine, table
from programs import ALL, ASAP, FLOOR, FULL, NATSC, OURS

NONE = ""
NOT_NOTICED = "not noticed"


def rate(value):
    return f"{value / 1e6:.2f} M/s" if value >= 1e5 else f"{value / 1e3:.1f} k/s"


def cpu(value):
    return f"{value * 1e3:.2f} ms"


def size(value):
    return f"{value / 1e6:.2f} MB"


def plain(unit, digits=0):
    return lambda value: f"{value:.{digits}f}{unit}"


# How the values of a row are written, by the beginning of its name.
FORMATS = [
    ("publish", rate), ("receive", rate), ("request", plain(" µs")), ("CPU", cpu),
    ("allocations", plain("", 2)), ("idle RSS", size), ("idle PSS", size),
    ("idle threads", plain("")), ("idle wakeups", plain("", 1)), ("idle bytes", plain("")),
    ("bytes", plain("")), ("time", plain(" s", 2)),
]

# What the rows are called in the table where the name alone does not say it.
NAMES = {
    "CPU": "{}, processor time for 10,000", "allocations": "{}, allocations for one",
    "idle wakeups": "idle, wake-ups a minute", "idle bytes": "idle, bytes on the wire a minute",
}


def title(row):
    if row in NAMES:
        return NAMES[row]
    for prefix in ("CPU", "allocations"):
        if row.startswith(prefix + " "):
            return NAMES[prefix].format(row.removeprefix(prefix + " "))
    return re.sub(r"^idle ", "idle, ", row)


def cell(row, samples, program):
    values = samples.of(program)
    if not values:
        return NONE
    if None in values:
        return NOT_NOTICED
    write = next(write for prefix, write in FORMATS if row.startswith(prefix))
    text = write(samples.median(program))
    if len(values) > 1:
        text += f" ({write(min(values)).split()[0]}-{write(max(values)).split()[0]})"
    return text


def results(rows):
    columns = [*ALL, *dict.fromkeys(program for samples in rows.values()
                                    for program in samples.programs if program not in ALL)]
    return table(["", *(program.name for program in columns)],
                 [[title(row), *(cell(row, samples, program) for program in columns)]
                  for row, samples in rows.items()])


def document(rows, figures, rounds, idle_seconds):
    return f"""# Benchmarks

What `make bench` measured, on {machine()}, over the loopback. It writes this page.

{results(rows)}

The programs take turns in each of {rounds} rounds; a cell is the median, with the least and the most.
Client and server share the machine, so compare what stands in one row, not with other machines.

- **{OURS.name}** is our client as boards have it: Embedded Swift, static, optimised for size, with the
  limits that it ships with. **{FULL.name}** is the same source built with `swift build -c release`.
- **{NATSC.name}** is Debian's libnats with its defaults, which collect 32 kB, or what comes in a
  millisecond; **{ASAP.name}** is the same with `natsOptions_SetSendAsap`.
- **{FLOOR.name}** sends bytes that were made before and looks at nothing: the floor.
- The server is nats-server 2.9. It is slower than the clients at small messages; hence the rows with a
  server that only reads, and the source of all received messages is one that only sends.
- Requester and responder are two processes of the same program.
- The urgent message meets a link of 16 kbit/s and 200 ms of round-trip time, onto which 64 sensors put
  twice what it carries, for 15 s before.
- Bytes on the wire count 52 for the headers of each segment, and acknowledgements.
- Idle was measured for {idle_seconds:.0f} s. **edge-host run** is the program itself
  with a simulated line and `link: {{profile: lte}}`.

## Figures

{figure_table(figures)}
"""
