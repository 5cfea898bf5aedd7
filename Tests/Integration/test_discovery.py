"""The NATS services convention: `nats micro ls`, `info` and `stats` find every host. The documents are
those of ADR-32 of nats-architecture-and-design."""

import unittest

import nats
from host_case import COLD_ROOM, GATE, HOST, LATTICE, SIREN, HostTestCase, manifest, subject

SERVICE = "edge-host"
# What a simulated board with an input, an output and a sensor can be asked. No line of it is pulse-width
# modulated or counts, so there is neither gpio-pwm nor gpio-reset.
OF_LINES = ("get", "set", "toggle", "pulse", "blink", "drive")
OF_BOARD = ("get-many", "set-many")
ENDPOINTS = {"describe": subject("describe"), "journal-read": subject("journal.read"),
             "sensors-get": subject("sensors.*.get"),
             "sensors-drive": subject("sensors.*.drive"),
             **{f"gpio-{operation}": subject(f"gpio.*.{operation}") for operation in OF_LINES},
             **{f"gpio-{operation}": subject(f"gpio.{operation}") for operation in OF_BOARD}}


class DiscoveryTests(HostTestCase):
    def setUp(self):
        super().setUp()
        self.start_host(manifest(GATE, SIREN, sensors=[COLD_ROOM]))

    def ask(self, verb, suffix=""):
        message = self.client.request(f"$SRV.{verb}{suffix}")
        self.assertIsNone(message.header("Nats-Service-Error"))
        document = message.json()
        self.assertEqual(document["type"], f"io.nats.micro.v1.{verb.lower()}_response")
        self.assertEqual(document["name"], SERVICE)
        self.assertEqual(document["id"], self.presence["id"])
        self.assertRegex(document["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(document["metadata"],
                         {"host": HOST, "lattice": LATTICE, "site": "wh7", "floor": "2"})
        return document

    def statistics(self):
        return {endpoint["name"]: endpoint for endpoint in self.ask("STATS")["endpoints"]}

    def test_every_verb_answers_to_all_to_the_name_and_to_the_id(self):
        for verb in ("PING", "INFO", "STATS"):
            documents = [self.ask(verb, suffix) for suffix in
                         ("", f".{SERVICE}", f".{SERVICE}.{self.presence['id']}")]
            for document in documents:
                document.pop("link", None)  # counts what the answers before have cost
            self.assertEqual(documents[0], documents[1])
            self.assertEqual(documents[0], documents[2])

    def test_other_names_and_ids_do_not_answer(self):
        for suffix in (".weather", f".{SERVICE}.0", f".weather.{self.presence['id']}"):
            with self.assertRaises(nats.NoResponders):
                self.client.request(f"$SRV.PING{suffix}")

    def test_ping_says_who(self):
        self.assertEqual(set(self.ask("PING")), {"type", "name", "id", "version", "metadata"})

    def test_info_lists_the_endpoints(self):
        info = self.ask("INFO")
        self.assertIn(HOST, info["description"])
        self.assertEqual({endpoint["name"]: endpoint["subject"] for endpoint in info["endpoints"]},
                         ENDPOINTS)
        for endpoint in info["endpoints"]:
            self.assertRegex(endpoint["name"], r"^[a-zA-Z0-9_-]+$")
            self.assertIsInstance(endpoint["queue_group"], str)
            self.assertIsInstance(endpoint["metadata"], dict)
        names = {endpoint["name"]: endpoint["metadata"].get("names")
                 for endpoint in info["endpoints"]}
        of_outputs = {f"gpio-{operation}": "siren" for operation in
                      ("set", "toggle", "pulse", "blink")}
        self.assertEqual(names, {"describe": None, "journal-read": None, "gpio-get": "gate,siren", **of_outputs,
                                 "gpio-drive": "gate", "gpio-get-many": None,
                                 "gpio-set-many": None, "sensors-get": "cold-room",
                                 "sensors-drive": "cold-room"})

    def test_statistics_count(self):
        before = self.statistics()
        self.assertEqual(set(before), set(ENDPOINTS))
        self.assertEqual(self.ask("STATS")["started"], self.presence["started"])
        for _ in range(3):
            self.call("gpio.gate.get")
        self.refusal("gpio.window.get")
        self.call("describe")
        after = self.statistics()
        for name, requests, errors in (("gpio-get", 4, 1), ("describe", 1, 0), ("gpio-set", 0, 0)):
            with self.subTest(name):
                self.assertEqual(after[name]["subject"], ENDPOINTS[name])
                self.assertEqual(
                    after[name]["num_requests"] - before[name]["num_requests"], requests)
                self.assertEqual(after[name]["num_errors"] - before[name]["num_errors"], errors)
        reads = after["gpio-get"]
        self.assertTrue(reads["last_error"].startswith("404"), reads)
        self.assertIn("window", reads["last_error"])
        self.assertGreater(reads["processing_time"], 0)
        self.assertEqual(reads["average_processing_time"],
                         reads["processing_time"] // reads["num_requests"])
        self.assertEqual(after["gpio-set"]["last_error"], "")

    def test_two_hosts_answer_both(self):
        text = manifest().replace(HOST, "dock-8")
        status = self.client.subscribe(subject("status", host="dock-8"))
        self.launch_host(text)
        other = status.next().json()["id"]
        answers = self.client.subscribe("_INBOX.both")
        self.client.publish("$SRV.PING", reply=answers.subject)
        self.assertEqual({message.json()["id"] for message in answers.take(2)},
                         {self.presence["id"], other})


if __name__ == "__main__":
    unittest.main()
