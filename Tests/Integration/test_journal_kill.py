"""The process is killed at any moment, 300 times with all servers together, while edges flow into a stream:
each edge that was accepted is stored once, and in order, unless the host has said that it had no room for it.
KILLS=1000 for more, SEED=7 for the same again."""

import os
import random
import threading
import time
import unittest
from collections import Counter, defaultdict

from edge_host import WAIT_SECONDS
from host_case import link, subject
from journal_case import JETSTREAM, JournalCase, doors
from link import Link

# With each of three servers.
KILLS = int(os.environ.get("KILLS", 100))
LINES = 4
# A process lives so long at most before it is killed; half of that on average, with its start.
LIFE_SECONDS = 0.6


class KillTests(JournalCase):
    def setUp(self):
        self.server = self.serve(JETSTREAM)
        self.uplink = self.enterContext(Link(self.server.port))
        self.client = self.connect(self.server)
        self.stream = self.make_stream(self.client)
        # Room for all that happens, so that nothing has to go.
        self.prepare(
            doors(LINES), link([self.uplink.port]), journal=", memory: 1MB", size="64MB")
        self.cuts = 0
        # By run: how many edges were accepted. One more may have been.
        self.accepted = {}

    def live(self, seconds, pause):
        """Starts the host, moves its doors, and kills it after so many seconds, whatever it does then."""
        with self.launch() as host:
            killer = threading.Timer(seconds, host.kill)
            killer.start()
            try:
                with self.open_socket(host) as peer:
                    self.move_doors(peer, pause)
            except (OSError, EOFError):
                pass  # killed
            killer.join()

    def move_doors(self, peer, pause):
        run = peer.run()
        self.accepted[run] = 0
        for number in range(1_000_000):
            peer.drive(f"door-{number % LINES}", number // LINES % 2 == 0)
            self.accepted[run] += 1
            time.sleep(pause)

    def test_accepted_edges_are_stored_once_and_in_order(self):
        seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"killing the process: seed {seed}", flush=True)
        chance = random.Random(seed)
        for _ in range(KILLS):
            # Cut off for some of the time: what waits then has to outlive several processes.
            if chance.randrange(3) == 0:
                self.uplink.cut()
                self.cuts += 1
            else:
                self.uplink.heal()
            self.live(chance.random() * LIFE_SECONDS, chance.choice((0, 0.002, 0.01)))
        self.uplink.heal()
        total = sum(self.accepted.values())
        self.assertGreater(total, 10 * KILLS)
        status = self.client.subscribe(subject("status"))
        with self.launch():
            status.next_where(lambda body: body["facts"]["waiting"] == 0, 3 * WAIT_SECONDS)
            messages = self.stream.messages()
        edges = [message for message in messages if ".gpio." in message.subject]
        told = [message.json() for message in messages if message.subject == subject("host.dropped")]
        self.assert_complete(edges, sum(body["count"] for body in told))
        batched = sum(edge.header("Nats-Batch-Id") is not None for edge in edges)
        print(f"killing the process: {len(self.accepted)} of {KILLS} processes took {total} edges, "
              f"{batched} came in batches, {len(told)} times there was no room", flush=True)

    def assert_complete(self, messages, dropped):
        """
        dropped  how many the host says it had no room for
        """
        ids = Counter(message.header("Nats-Msg-Id") for message in messages)
        self.assertEqual([each for each, count in ids.items() if count > 1], [], "stored twice")
        lanes, stored = defaultdict(list), defaultdict(list)
        for message in messages:
            run, _, sequence = message.header("Nats-Msg-Id").rpartition("-")
            lanes["age_ms" in message.json()].append(int(sequence))
            stored[run].append((int(sequence), message.json()))
        self.assertEqual(lanes[False], sorted(lanes[False]), "news")
        self.assert_ascending_but(KILLS + 2 * self.cuts, lanes[True])
        for run, facts in stored.items():
            for number in range(LINES):
                edges = [body["line_seq"] for _, body in sorted(facts, key=lambda fact: fact[0])
                         if body["name"] == f"door-{number}"]
                self.assertEqual(edges, sorted(edges), f"run {run}, door {number}")
                if dropped == 0:
                    self.assertEqual(edges, list(range(1, len(edges) + 1)), f"run {run}, door {number}")
        missing = 0
        for run, count in self.accepted.items():
            # Killed between the two, the host has taken an edge and not said so.
            self.assertLessEqual(len(stored[run]), count + 1, f"edges of run {run}")
            missing += max(count - len(stored[run]), 0)
        self.assertLessEqual(missing, dropped, "missing and not told")
        self.assertTrue(lanes[True])

    def assert_ascending_but(self, exceptions_max, sequences):
        """One that was sent as news, and whose outcome nobody had told when its link went, goes before what
        waited longer."""
        early, lowest = [], None
        for sequence in reversed(sequences):
            if lowest is None or sequence < lowest:
                lowest = sequence
            else:
                early.append(sequence)
        self.assertLessEqual(len(early), exceptions_max, early[:100])


if __name__ == "__main__":
    unittest.main()
