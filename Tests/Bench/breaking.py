"""How long until a client notices that its link is gone, and until it has messages again."""

import os
import select
import subprocess
import time

from child import Child
from link import Link
from programs import FLOOR, NATSC, OURS, Samples

# Long enough for nats.c, which asks every two minutes and gives up when three go unanswered.
SILENCE_SECONDS_MAX = 400
CUT_SECONDS = 20
HEAL_SECONDS_MAX = 60
TICK_MILLISECONDS = 10
BOARD, HUB, PORT = "10.77.0.2", "10.77.0.1", 4222


class Watched:
    """A program that tells of its link: `lost`, `back` and `message`, each with the time."""

    def __init__(self, child):
        self._child = child
        self._rest = b""

    def first(self, word, after, seconds_max):
        """The seconds from `after` to the first such word behind it; None when it did not come."""
        deadline = after + seconds_max
        while True:
            while b"\n" in self._rest:
                line, _, self._rest = self._rest.partition(b"\n")
                said, _, moment = line.decode().partition(" ")
                if said == word and int(moment) / 1e9 >= after:
                    return int(moment) / 1e9 - after
            wait = max(0, deadline - time.monotonic())
            if not select.select([self._child.stdout], [], [], wait)[0]:
                return None
            data = os.read(self._child.stdout.fileno(), 65_536)
            if not data:
                raise RuntimeError("a watched program has ended")
            self._rest += data

    def end(self):
        self._child.end(politely=False)


class Silence:
    """A link that carries nothing any more and tells nobody, from now on; the verdicts are read at
    the end, as nats.c takes minutes."""

    def __init__(self, server_port):
        self._link = Link(server_port)
        self._link.__enter__()
        self._watched = [(program, Watched(program.start("watch", self._link.port)))
                         for program in (OURS, NATSC)]
        self._link.freeze()
        self._start = time.monotonic()

    def finish(self):
        row = Samples()
        for program, watched in self._watched:
            left = self._start + SILENCE_SECONDS_MAX - time.monotonic()
            row.add(program, watched.first("lost", self._start, SILENCE_SECONDS_MAX))
            watched.end()
        self._link.__exit__()
        return row


class Road:
    """A board and a hub with a network each, and a cable between them: what a route's going and
    coming back looks like to a client."""

    def __enter__(self):
        self._children = []
        self._board = self._space("unshare", "--map-root-user", "--net")
        self._hub = self._space(*self._inside(self._board), "unshare", "--net")
        self.on_board("ip", "link", "add", "cable", "type", "veth", "peer", "name", "far",
                      "netns", str(self._hub))
        self.on_board("ip", "link", "set", "lo", "up")
        self.on_board("ip", "address", "add", f"{BOARD}/24", "dev", "cable")
        self.on_board("ip", "link", "set", "cable", "up")
        self._on_hub("ip", "link", "set", "lo", "up")
        self._on_hub("ip", "address", "add", f"{HUB}/24", "dev", "far")
        self._on_hub("ip", "link", "set", "far", "up")
        self._start(self._inside(self._hub) + ["nats-server", "--port", str(PORT)],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        self._start(self._inside(self._hub) + FLOOR.command("tick", PORT, 16, TICK_MILLISECONDS),
                    stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        for child in reversed(self._children):
            child.end(politely=False)

    def _start(self, command, **options):
        child = Child(command, stdin=subprocess.DEVNULL, **options)
        self._children.append(child)
        return child

    def _space(self, *command):
        """A process that keeps new namespaces; returns its id."""
        child = self._start([*command, "sh", "-c", "echo $$; exec sleep 1d"],
                            stdout=subprocess.PIPE, bufsize=0)
        return int(child.stdout.readline())

    @staticmethod
    def _inside(space):
        return ["nsenter", "--target", str(space), "--user", "--net", "--preserve-credentials"]

    def on_board(self, *command):
        subprocess.run([*self._inside(self._board), *command], check=True)

    def _on_hub(self, *command):
        subprocess.run([*self._inside(self._hub), *command], check=True)

    def watch(self, program):
        child = Child([*self._inside(self._board), *program.command("watch", PORT)],
                      env={**os.environ, "BENCH_HOST": HUB}, stdin=subprocess.DEVNULL,
                      stdout=subprocess.PIPE, bufsize=0)
        self._children.append(child)
        return Watched(child)


def cut_and_heal():
    """(from the cut to its detection, from the return to the first message), in seconds."""
    noticed, healed = Samples(), Samples()
    for program in (OURS, NATSC):
        with Road() as road:
            watched = road.watch(program)
            if watched.first("message", time.monotonic(), HEAL_SECONDS_MAX) is None:
                raise RuntimeError(f"{program.name} gets no messages over the cable")
            cut = time.monotonic()
            road.on_board("ip", "link", "set", "cable", "down")
            noticed.add(program, watched.first("lost", cut, CUT_SECONDS))
            time.sleep(max(0, cut + CUT_SECONDS - time.monotonic()))
            heal = time.monotonic()
            road.on_board("ip", "link", "set", "cable", "up")
            healed.add(program, watched.first("message", heal, HEAL_SECONDS_MAX))
    return noticed, healed
