"""A host says that it is there, what it offers, and when it goes."""

import re
import unittest

from host_case import BRAKE, COLD_ROOM, GATE, HOST, LATTICE, SIREN, HostTestCase, manifest, subject

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


class PresenceTests(HostTestCase):
    def test_host_is_announced_at_start(self):
        self.start_host(manifest(GATE, SIREN, sensors=[COLD_ROOM]))
        presence = self.presence
        self.assertEqual(presence["host"], HOST)
        self.assertEqual(presence["lattice"], LATTICE)
        self.assertEqual(presence["state"], "running")
        self.assertEqual(presence["labels"], {"site": "wh7", "floor": "2"})
        self.assertEqual((presence["gpio"], presence["sensors"]), (2, 1))
        self.assertRegex(presence["version"], r"^\d+\.\d+\.\d+$")
        self.assertTrue(presence["id"])
        for field in ("time", "started"):
            self.assertRegex(presence[field], TIME)
        facts = presence["facts"]
        # That it has started is a fact, too, which nobody keeps here.
        self.assertEqual((facts["waiting"], facts["delivered"], facts["dropped"]), (1, 0, 0))
        self.assertEqual(facts["delivery"], "waiting")

    def test_presence_is_repeated(self):
        self.start_host(manifest(presence="1s"))
        statuses = [message.json() for message in self.status.take(3)]
        self.assertEqual({status["id"] for status in statuses}, {self.presence["id"]})
        times = [status["time"] for status in statuses]
        self.assertEqual(times, sorted(set(times)))

    def test_host_says_goodbye(self):
        host = self.start_host(manifest(SIREN))
        self.call("gpio.siren.set", {"active": True})
        self.assertEqual(host.stop(), 0)
        self.assertEqual(self.status.next().json()["state"], "stopping")
        self.assertIn("outputs take their safe state", host.log)
        self.client.flush()
        self.assertFalse(self.status.waiting, "something was said after the farewell")

    def test_each_run_has_an_id_of_its_own(self):
        ids = set()
        for _ in range(2):
            host = self.start_host(manifest())
            ids.add(self.presence["id"])
            self.assertEqual(host.stop(), 0)
        self.assertEqual(len(ids), 2)

    def test_manifest_names_the_server(self):
        other = f"link: {{servers: [nats://127.0.0.1:{self.server.port}]}}\n"
        self.status = self.client.subscribe(subject("status"))
        nowhere = type("Nowhere", (), {"address": "127.0.0.1:1"})
        host = self.launch_host(manifest(more=other), server=nowhere)
        host.wait_for_log("connected to")
        self.assertEqual(self.status.next().json()["host"], HOST)

    def test_host_describes_itself(self):
        self.start_host(manifest(GATE, SIREN, BRAKE, sensors=[COLD_ROOM]))
        description = self.call("describe")
        self.assertEqual(description["host"], HOST)
        gpio, sensors = description["capabilities"]
        self.assertEqual((gpio["name"], sensors["name"]), ("gpio", "sensors"))
        lines = {line["name"]: line for line in gpio["resources"]}
        self.assertEqual(list(lines), ["gate", "siren", "brake"])
        self.assertEqual(lines["gate"]["operations"], ["get", "drive"])
        self.assertEqual(lines["siren"]["operations"], ["get", "set", "toggle", "pulse", "blink"])
        self.assertEqual(lines["gate"]["direction"], "input")
        self.assertEqual(lines["brake"]["safe"], "active")
        parameters = {operation["name"]: operation["parameters"]
                      for operation in gpio["operations"]}
        self.assertEqual(parameters["get"], [])
        self.assertEqual([(parameter["name"], parameter["type"], parameter["required"])
                          for parameter in parameters["set"]],
                         [("active", "bool", True), ("pulse_ms", "integer", False),
                          ("lease_ms", "integer", False)])
        self.assertEqual([sensor["name"] for sensor in sensors["resources"]], ["cold-room"])
        self.assertEqual(sensors["resources"][0]["unit"], "Cel")


if __name__ == "__main__":
    unittest.main()
