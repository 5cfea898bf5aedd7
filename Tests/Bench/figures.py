"""What is to be reached, and whether it is."""

import urgent
from figure import Figure
from programs import FLOOR, NATSC, OURS

# The cable between two network namespaces adds no round-trip time to speak of.
HEAL_SECONDS_MAX = 1.0


def figures(rows, host):
    found = []
    for where in ("to nats-server", "to a server that only reads"):
        for size in (16, 256):
            row = rows[f"publish {size} B {where}"]
            found.append(Figure(f"publish {size} B {where}, of nats.c's rate",
                                row.ratio(OURS, NATSC), 1, at_least=True))
    found.append(Figure("request p50, of the bare socket's",
                        rows["request p50"].ratio(OURS, FLOOR), 1.25))
    for what in ("publish", "receive", "request"):
        found.append(Figure(f"allocations, {what}", rows[f"allocations {what}"].median(OURS), 0))
    found.append(Figure("idle RSS, of nats.c's", rows["idle RSS"].ratio(OURS, NATSC), 0.25))
    found.append(Figure("idle wake-ups a minute, the program",
                        rows["idle wakeups"].median(host), 6))
    found.append(Figure("idle bytes a minute, the program", rows["idle bytes"].median(host), 400))
    healed = rows["time from its return to a message"].of(OURS)[0]
    found.append(Figure("from the route's return to a message", healed, HEAL_SECONDS_MAX,
                        unit=" s"))
    found.append(Figure("an urgent message on a full link of 16 kbit/s",
                        rows["time an urgent message takes"].of(OURS)[0], urgent.GOAL_SECONDS,
                        unit=" s"))
    return found
