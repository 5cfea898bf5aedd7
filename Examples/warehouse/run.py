#!/usr/bin/env python3
"""Shows what edge-host is for: a board in a warehouse, operated from a hub far away over a link that
breaks. `make run` builds the program and runs this."""

import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

import nats
from edge_host import COMMAND, EdgeHost
from jetstream import Stream
from show import Show, play, require
from warehouse import Warehouse

MANIFEST = "Examples/warehouse/dock-7.yaml"
LATTICE = "wh7"
DOOR_EDGES = "edge.wh7.dock-7.gpio.dock-door.edge"
STATUS = "edge.wh7.dock-7.status"
CUT_SECONDS = 8
# The door moves every two seconds.
MISSED_MIN = 3


def timestamp():
    """The present time as edge-host writes it, so that times compare as texts."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09}Z"


def edge_time(line):
    return line.split()[0]


def edge_number(line):
    return int(re.search(r"line_seq=(\d+)", line)[1])


def require_consecutive(numbers, place):
    require(numbers == list(range(numbers[0], numbers[0] + len(numbers))),
            f"{place} has the edges {numbers}: one is missing, doubled or out of order")


def scene(stack):
    require(Path(COMMAND[-1]).is_file(), f"no {COMMAND[-1]}: build it with `swift build`")
    servers = stack.enter_context(Warehouse())
    hub, leaf = servers.hub.address, servers.leaf.address
    stream = Stream(stack.enter_context(nats.Client(servers.hub.port)), "EDGE")
    stream.create(["edge.*.*.gpio.*.edge"])
    show = Show(hub, LATTICE)

    print(f"""A warehouse, its loading dock 7, and a hub far away, all on this machine:

   caller ----- hub ----- a link that can be cut ----- leaf ----- dock-7

   caller  you: edge-host's commands for operators
   hub     a NATS server at {hub}; its stream EDGE keeps every edge.*.*.gpio.*.edge
   leaf    the warehouse's own NATS server at {leaf}, joined to the hub as a leaf node
   dock-7  edge-host on a simulated board, joined to the leaf: a door switch that moves every
           two seconds, a siren on a relay, a temperature sensor in the cold room

To type along in another terminal while this runs:
   $ export PATH=$PATH:{Path(COMMAND[-1]).resolve().parent}
   $ export LATTICE_HOST={hub} LATTICE_NAMESPACE={LATTICE}""")

    show.step("The board in the warehouse starts and joins the leaf.")
    show.shell(f"LATTICE_HOST={leaf} edge-host run --manifest {MANIFEST} &")
    host = stack.enter_context(EdgeHost("run", "--manifest", MANIFEST, server=leaf))
    host.wait_for_log("connected to")
    show.lines(host.log.splitlines())

    show.step("The caller at the hub sees the host, and what it can be asked for by name.")
    show.run("hosts")
    show.run("call", "dock-7", "describe")

    show.step("The caller reads the door switch, and how cold the cold room is.")
    show.run("call", "dock-7", "gpio", "get", "name=dock-door")
    show.run("call", "dock-7", "sensors", "get", "name=cold-room")

    show.step("The caller turns the siren's relay on, and reads it back.")
    show.run("call", "dock-7", "gpio", "set", "name=siren", "active=true")
    answer = show.run("call", "dock-7", "gpio", "get", "name=siren")
    require(re.search(r"active +true", answer), "the relay is not on")

    show.step("The door moves: each edge arrives at the caller with the board's own time.")
    edges = stack.enter_context(show.watch(DOOR_EDGES))
    edges.show_until(lambda line: "falling" in line)

    cut_and_heal(show, servers, edges, stream)

    show.step("The host is stopped: its outputs take their safe state, and it says goodbye.")
    statuses = stack.enter_context(show.watch(STATUS))
    statuses.show_until(lambda line: "state=running" in line)
    show.shell("kill %1")
    before = len(host.log.splitlines())
    status = host.stop()
    show.lines(host.log.splitlines()[before:])
    statuses.show_until(lambda line: "state=stopping" in line)
    require(status == 0, f"the host ended with status {status}")


def cut_and_heal(show, servers, edges, stream):
    show.step("The leaf's uplink is cut. The door goes on moving; nobody at the hub can know.")
    cut = timestamp()
    began = time.monotonic()
    servers.uplink.cut()
    show.run("hosts", status=1)
    time.sleep(CUT_SECONDS / 2)
    show.say("In the warehouse the host works on: the door's event number counts up, and its edges "
             "wait in memory (\"waiting\") until somebody has acknowledged them.")
    show.run("call", "dock-7", "gpio", "get", "name=dock-door", "--server", servers.leaf.address)
    show.run("watch", STATUS, "--count", "1", "--server", servers.leaf.address)
    time.sleep(max(0, began + CUT_SECONDS - time.monotonic()))
    healed = timestamp()
    seconds = time.monotonic() - began

    show.step(f"After {seconds:.0f} seconds the link is back. The caller's watch goes on, with the "
              "edges it missed and their original times.")
    servers.uplink.heal()
    edges.show_until(lambda line: edge_time(line) > healed)

    watched = edges.seen
    missed = [line for line in watched if cut <= edge_time(line) <= healed]
    require(len(missed) >= MISSED_MIN, f"only {len(missed)} edges from the time of the cut arrived")
    require_consecutive([edge_number(line) for line in watched], "the watch")
    show.say(f"Checked: {len(missed)} edges, {edge_time(missed[0])[11:23]} to "
             f"{edge_time(missed[-1])[11:23]}, happened while the link was cut "
             f"({cut[11:23]} to {healed[11:23]}). None is missing, none came twice, all are in order.")

    stored = stream.bodies()
    numbers = [body["line_seq"] for body in stored]
    require_consecutive(numbers, "the stream")
    require(numbers[0] == 1 and numbers[-1] >= edge_number(watched[-1]),
            f"the stream keeps the edges {numbers[0]} to {numbers[-1]} only")
    require([body["time"] for body in stored] == sorted(body["time"] for body in stored),
            "the times in the stream are out of order")
    show.say(f"Checked: the hub's stream EDGE keeps the door's edges 1 to {numbers[-1]}, each once.")


def main():
    began = time.monotonic()
    play(scene)
    print(f"\nDone in {time.monotonic() - began:.0f} seconds; everything that was started has ended.")


if __name__ == "__main__":
    main()
