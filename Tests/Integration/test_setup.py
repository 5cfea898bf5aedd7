"""`edge-host setup stream`: the stream for durable events is made, changed and left alone."""

import unittest

from edge_host import run_command
from host_case import LOGS, HostTestCase, door, manifest
from jetstream import Stream
from nats_server import NATSServer

JETSTREAM = "host: 127.0.0.1\nport: $PORT\njetstream { domain: hub, store_dir: $STORE }\n"


class SetupTests(HostTestCase):
    @classmethod
    def setUpClass(cls):
        LOGS.mkdir(parents=True, exist_ok=True)
        cls.server = cls.enterClassContext(NATSServer(JETSTREAM, log=LOGS / "SetupTests.server.log"))

    def setUp(self):
        super().setUp()
        self.stream = Stream(self.client, "EDGE")
        self.addCleanup(self.delete_stream)

    def delete_stream(self):
        try:
            self.stream.delete()
        except Exception:  # it was not made
            pass

    def setup_stream(self, *words, status=0):
        result = run_command("setup", "stream", *words, server=self.server.address)
        self.assertEqual(result.returncode, status, result)
        return result.stdout if status == 0 else result.stderr

    def config(self):
        return self.client.request("$JS.API.STREAM.INFO.EDGE").json().get("config")

    def test_a_stream_is_made_changed_and_left_alone(self):
        self.assertIn("would create stream EDGE", self.setup_stream("--dry-run"))
        self.assertIsNone(self.config())
        self.assertIn("created stream EDGE", self.setup_stream("--domain", "hub"))
        config = self.config()
        self.assertEqual((config["storage"], config["discard"], config["max_bytes"]),
                         ("file", "old", 1_000_000_000))
        self.assertIn("is as it should be", self.setup_stream())
        self.assertEqual(self.config(), config)
        told = self.setup_stream("--max-age", "7d", "--dry-run")
        self.assertEqual(told, "would change stream EDGE:\n  max_age: 30d -> 7d\n")
        self.assertEqual(self.config(), config)
        self.assertIn("max_age: 30d -> 7d", self.setup_stream("--max-age", "7d"))
        self.assertEqual(self.config(), {**config, "max_age": 7 * 86_400_000_000_000})

    def test_the_stream_keeps_facts_and_answers_no_request(self):
        self.setup_stream("--lattice", "wh7")
        host = self.start_host(manifest(door("200ms")))
        host.wait_until(lambda: self.stream.state["messages"] >= 6, "no edges are kept")
        self.assertEqual(self.call("gpio.dock-door.get")["name"], "dock-door")
        host.stop()
        subjects = {self.stream.message(number)[0].split(".", 3)[3] for number in range(1, 6)}
        self.assertEqual(subjects, {"gpio.dock-door.edge", "host.started"})

    def test_what_cannot_be_done_is_told(self):
        self.assertIn("--domain", self.setup_stream("--domain", "nowhere", status=1))
        self.setup_stream()
        self.assertIn("another stream", self.setup_stream("--name", "OTHER", status=1))


if __name__ == "__main__":
    unittest.main()
