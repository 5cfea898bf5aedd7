"""What a server refuses: subjects that the host may not use, answers that are too large, and a reader
that is too slow. The host stays, says so in its log, and does what it still may."""

import json
import unittest

import nats
from host_case import GATE, SIREN, OwnServersTestCase, door, link, manifest, subject
from lane import Conditions
from link import Link

CONFIGURATION = """\
no_auth_user: board
authorization {
  users: [
    { user: board, password: none, permissions: { publish: { deny: PUBLISH }, subscribe: { deny: SUBSCRIBE } } }
    { user: operator, password: secret }
  ]
}
"""
LOG_LINES_MAX = 20


class RightsTests(OwnServersTestCase):
    def begin(self, configuration, **more):
        self.server = self.serve(configuration)
        self.client = self.connect(self.server, **more)

    # Permissions

    def deny(self, publish=(), subscribe=()):
        text = CONFIGURATION.replace("PUBLISH", json.dumps(list(publish)))
        self.begin(text.replace("SUBSCRIBE", json.dumps(list(subscribe))),
                   **{"user": "operator", "pass": "secret"})

    def test_publishing_is_denied(self):
        self.deny(publish=["edge.*.*.gpio.*.edge"])
        edges = self.client.subscribe(subject("gpio.*.edge"))
        host = self.start_host(manifest(door("200ms"), GATE, presence="1s"))
        host.wait_for_log("Permissions Violation for Publish to")
        self.assertIn(subject("gpio.dock-door.edge"), host.log)
        self.status.take(3)
        self.assertEqual(self.call("gpio.gate.get")["name"], "gate")
        self.assertFalse(edges.waiting)
        self.assert_stays(host)

    def test_subscribing_is_denied(self):
        self.deny(subscribe=["edge.*.*.gpio.*.set"])
        host = self.start_host(manifest(GATE, SIREN, presence="1s"))
        host.wait_for_log("Permissions Violation for Subscription to")
        self.assertIn(subject("gpio.*.set"), host.log)
        self.assertEqual(self.call("gpio.gate.get")["name"], "gate")
        self.assertEqual(self.call("describe")["host"], "dock-7")
        with self.assertRaises(nats.NoResponders):
            self.client.request(subject("gpio.siren.set"), {"active": True})
        self.assert_stays(host)

    def test_everything_is_denied(self):
        """Not even its presence may be said: there is nothing to do but to stay and say why."""
        self.deny(publish=[">"], subscribe=[">"])
        host = self.launch_host(manifest(GATE, door("200ms"), presence="1s"))
        host.wait_for_log("connected to")
        host.wait_for_log("Permissions Violation")
        self.assert_stays(host)

    def assert_stays(self, host):
        self.assertEqual(host.log.count("connected to"), 1, host.log)
        self.assert_log_is_bounded(host, LOG_LINES_MAX)
        self.assertEqual(host.stop(), 0)

    # Sizes

    def test_answer_is_larger_than_the_server_takes(self):
        self.begin("max_payload: 1024\n")
        lines = [f"{{name: gate-{number}, direction: input}}" for number in range(40)]
        host = self.start_host(manifest(*lines))
        code, reason = self.refusal_of_host("describe")
        self.assertEqual(code, 413, reason)
        self.assertEqual(self.call("gpio.gate-39.get")["name"], "gate-39")
        self.assert_stays(host)

    def refusal_of_host(self, rest):
        message = self.client.request(subject(rest))
        code = message.header("Nats-Service-Error-Code")
        self.assertIsNotNone(code, message)
        return int(code), message.json()["reason"]

    def test_reader_that_is_too_slow_is_evicted_and_returns(self):
        """The server closes such a connection without a word of error."""
        self.begin("max_payload: 64kB\nmax_pending: 128kB\n"
                   "write_deadline: \"1s\"\n")
        fast = Conditions(rate=10_000_000, buffer=65_536)
        with Link(self.server.port, fast, fast) as slow:
            host = self.launch_host(manifest(GATE, SIREN, more=link([slow.port])))
            self.wait_for_answer(self.client, host)
            slow.freeze()
            load = b'{"active":true}' + b" " * 8000
            for _ in range(2000):
                if "Slow Consumer" in self.server.log:
                    break
                self.client.publish(subject("gpio.siren.set"), load)
                self.client.flush()
            self.server.wait_for_log("Slow Consumer")
            slow.heal()
            host.wait_until(lambda: host.log.count("connected to") == 2, "the host does not return")
            self.wait_for_answer(self.client, host)
            self.assert_log_is_bounded(host, LOG_LINES_MAX)
            self.assertEqual(host.stop(), 0)


if __name__ == "__main__":
    unittest.main()
