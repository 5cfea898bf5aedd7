"""Edges and readings come by themselves; a durable edge until somebody has said that it is kept."""

import json
import unittest

from host_case import COLD_ROOM, HostTestCase, door, manifest, subject

DOOR = subject("gpio.dock-door.edge")
MESSAGE_ID = "Nats-Msg-Id"


class EventTests(HostTestCase):
    def test_edges_come_in_order(self):
        edges = self.client.subscribe(DOOR)
        self.start_host(manifest(door("200ms", report="latest")))
        bodies = []
        for message in edges.take(6):
            self.assertIsNone(message.header(MESSAGE_ID))
            self.assertEqual(message.reply, "")
            bodies.append(message.json())
        for body in bodies:
            # A machine whose clock nobody keeps right says of which boot it speaks as well.
            self.assertEqual([field for field in body if field != "boot"],
                             ["name", "edge", "active", "seq", "line_seq", "time", "monotonic_ns",
                              "time_quality"])
            self.assertEqual("boot" in body, body["time_quality"] == "unknown")
            self.assertEqual(body["name"], "dock-door")
            self.assertEqual(body["edge"], "rising" if body["active"] else "falling")
            self.assertEqual(body["active"], body["line_seq"] % 2 == 1)
        self.assert_consecutive([body["line_seq"] for body in bodies])
        self.assert_consecutive([body["seq"] for body in bodies])
        moments = [body["monotonic_ns"] for body in bodies]
        self.assertEqual([later - earlier for earlier, later in zip(moments, moments[1:])],
                         [200_000_000] * 5)
        times = [body["time"] for body in bodies]
        self.assertEqual(times, sorted(times))

    def test_edge_and_answer_agree(self):
        edges = self.client.subscribe(DOOR)
        self.start_host(manifest(
            "{name: dock-door, direction: input, script: {steps: [{after: 1s, active: true}]}}"))
        edge = edges.next().json()
        answer = self.call("gpio.dock-door.get")
        self.assertEqual((answer["active"], answer["seq"]), (True, edge["seq"]))

    def test_readings_come_in_order(self):
        readings = self.client.subscribe(subject("sensors.cold-room.reading"))
        self.start_host(manifest(sensors=[COLD_ROOM]))
        bodies = [message.json() for message in readings.take(5)]
        for body in bodies:
            self.assertEqual([field for field in body if field != "boot"],
                             ["name", "kind", "value", "unit", "quality", "seq", "time",
                              "monotonic_ns", "time_quality"])
            self.assertEqual((body["name"], body["kind"], body["unit"], body["quality"]),
                             ("cold-room", "simulated", "Cel", "good"))
        script = [-18.5, -18, -17.5]
        first = script.index(bodies[0]["value"])
        self.assertEqual([body["value"] for body in bodies],
                         [script[(first + place) % 3] for place in range(5)])
        self.assert_consecutive([body["seq"] for body in bodies])


class DurableEventTests(HostTestCase):
    def setUp(self):
        super().setUp()
        self.edges = self.client.subscribe(DOOR)

    def next_edge(self):
        """An edge, and who asks whether it is kept."""
        message = self.edges.next()
        self.assertTrue(message.reply)
        self.assertTrue(message.header(MESSAGE_ID))
        return message

    def acknowledge(self, message, answer=b"", headers=None):
        self.client.publish(message.reply, answer, headers=headers)

    def test_edge_is_sent_again_until_it_is_acknowledged(self):
        self.start_host(manifest(door()))
        first = self.next_edge()
        for _ in range(2):
            again = self.next_edge()
            self.assertEqual(again.header(MESSAGE_ID), first.header(MESSAGE_ID))
            for field in ("line_seq", "seq", "monotonic_ns"):
                self.assertEqual(again.json()[field], first.json()[field])
            self.assertNotIn("age_ms", first.json())
            self.assertGreater(again.json()["age_ms"], 0)
        self.acknowledge(again)
        second = self.next_edge()
        self.assertNotEqual(second.header(MESSAGE_ID), first.header(MESSAGE_ID))
        self.assertEqual(second.json()["line_seq"], first.json()["line_seq"] + 1)

    def test_acknowledged_edges_come_once_and_in_order(self):
        self.start_host(manifest(door("50ms")))
        bodies, ids = [], set()
        for _ in range(30):
            message = self.next_edge()
            self.acknowledge(message, b'{"stream":"EDGE","seq":1}')
            bodies.append(message.json())
            ids.add(message.header(MESSAGE_ID))
        self.assertEqual(len(ids), 30)
        self.assert_consecutive([body["line_seq"] for body in bodies])
        self.assertEqual(bodies[0]["line_seq"], 1)

    def test_refusal_is_no_acknowledgement(self):
        self.start_host(manifest(door()))
        first = self.next_edge()
        for answer, headers in (
                (b'{"error":{"code":503,"description":"no space"},"stream":"EDGE","seq":0}', None),
                (b"", {"Nats-Service-Error": "no", "Nats-Service-Error-Code": "500"})):
            self.acknowledge(first, answer, headers)
            again = self.next_edge()
            self.assertEqual(again.header(MESSAGE_ID), first.header(MESSAGE_ID))
            first = again

    def test_late_acknowledgement_does_not_count_for_the_next_edge(self):
        self.start_host(manifest(door()))
        first = self.next_edge()
        self.acknowledge(first)
        second = self.next_edge()
        self.acknowledge(first)
        again = self.next_edge()
        self.assertEqual(again.header(MESSAGE_ID), second.header(MESSAGE_ID))

    def test_oldest_edges_give_way_when_memory_is_full(self):
        host = self.start_host(manifest(door("5ms"), presence="1s", more="journal: {memory: 16384B}\n"))
        full = self.status.next_where(lambda status: status["facts"]["dropped"] > 20).json()
        self.assertLessEqual(full["facts"]["bytes"], 16384)
        self.assertEqual(full["facts"]["delivered"], 0)
        host.wait_for_log("facts were dropped")
        # What is sent next is still in order, with a gap where edges were dropped.
        taken = []
        self.client.flush()
        self.edges.waiting.clear()
        while len({edge["line_seq"] for edge in taken}) < 10:
            message = self.next_edge()
            self.acknowledge(message)
            taken.append(message.json())
        self.assert_in_order(taken)
        self.assertGreater(max(edge["line_seq"] for edge in taken), 20)
        self.assertEqual(self.call("gpio.dock-door.get")["name"], "dock-door")

    def test_durable_readings_are_acknowledged_too(self):
        readings = self.client.subscribe(subject("sensors.vault.reading"))
        self.start_host(manifest(sensors=[
            "{name: vault, kind: simulated, every: 200ms, report: durable}"]))
        seen = {}
        while not (message := readings.next()).json()["seq"] in seen:
            seen[message.json()["seq"]] = message
        first = seen[message.json()["seq"]]
        self.assertEqual(message.header(MESSAGE_ID), first.header(MESSAGE_ID))
        kept = set()
        while not {1, 2, 3, 4, 5} <= kept:
            kept.add(message.json()["seq"])
            self.acknowledge(message, json.dumps({"kept": True}).encode())
            message = readings.next()


if __name__ == "__main__":
    unittest.main()
