"""The program as a service: signals, threads, and servers that come, go, and come back."""

import re
import time
import unittest

import nats
from edge_host import IS_EMULATED, WAIT_SECONDS
from host_case import GATE, SIREN, HostTestCase, door, manifest, subject
from nats_server import NATSServer
from ports import free_port


class ServiceTests(HostTestCase):
    def test_second_signal_ends_at_once(self):
        host = self.start_host(manifest(SIREN))
        # A server that does not answer holds the farewell up.
        self.server.pause()
        self.addCleanup(self.server.resume)
        host.terminate()
        host.wait_for_log("stopping")
        host.terminate()
        self.assertEqual(host.wait_for_end(), 0)

    def test_host_that_is_not_connected_stops(self):
        nowhere = NATSServer()
        host = self.launch_host(manifest(SIREN), server=nowhere)
        host.wait_for_log("next try in")
        self.assertEqual(host.stop(), 0)

    def test_hang_up_is_no_end(self):
        host = self.start_host(manifest(GATE))
        host.hang_up()
        host.wait_for_log("SIGHUP")
        self.assertEqual(self.call("gpio.gate.get")["name"], "gate")
        self.assertTrue(host.is_running)

    @unittest.skipIf(IS_EMULATED, "the emulator has a thread of its own")
    def test_idle_host_has_one_thread(self):
        host = self.start_host(manifest(GATE, SIREN))
        self.assertEqual(self.call("gpio.gate.get")["name"], "gate")
        self.assertEqual(host.threads, 1)

    @unittest.skipIf(IS_EMULATED, "the emulator has a thread of its own")
    def test_thread_that_resolves_a_name_ends(self):
        named = f"link: {{servers: [nats://localhost:{self.server.port}]}}\n"
        host = self.start_host(manifest(GATE, more=named))
        host.wait_until(lambda: host.threads == 1, "there are still several threads")

    def test_idle_host_uses_no_processor_time(self):
        host = self.start_host(manifest(GATE, SIREN))
        before, began = host.cpu_seconds, time.monotonic()
        time.sleep(2)
        self.assertLess(host.cpu_seconds - before, 0.1 * (time.monotonic() - began))


class ReconnectTests(HostTestCase):
    """Each test has a server of its own, to crash as it likes."""

    def setUp(self):
        super().setUp()
        self.other = NATSServer()

    def assert_serves(self, server):
        """The host is announced, and answers on every one of its subscriptions."""
        with nats.Client(server.port) as client:
            while True:
                try:
                    client.request(subject("gpio.gate.get"))
                    break
                except nats.NoResponders:
                    time.sleep(0.05)
            self.assertIs(client.request(subject("gpio.siren.set"), {"active": True})
                          .json()["active"], True)
            for rest in (subject("describe"), "$SRV.PING", "$SRV.INFO.edge-host"):
                client.request(rest)

    def test_host_waits_for_a_server(self):
        host = self.launch_host(manifest(GATE, SIREN), server=self.other)
        host.wait_for_log("next try in")
        with self.other:
            self.assert_serves(self.other)

    def test_host_returns_after_a_crash_of_the_server(self):
        with self.other:
            host = self.launch_host(manifest(GATE, SIREN), server=self.other)
            self.assert_serves(self.other)
            for _ in range(2):
                self.other.kill()
                host.wait_for_log("next try in")
                self.other.start()
                self.assert_serves(self.other)
            self.assertEqual(host.stop(), 0)

    def test_host_goes_on_to_another_server(self):
        with self.other:
            dead = free_port()
            more = f"link: {{servers: [127.0.0.1:{dead}, {self.other.address}]}}\n"
            for _ in range(3):  # it begins with a random one
                host = self.launch_host(manifest(GATE, SIREN, more=more))
                self.assert_serves(self.other)
                self.assertEqual(host.stop(), 0)

    def test_host_leaves_a_server_that_is_silent(self):
        """As on a dead radio link: the connection stays open and nothing is heard."""
        with self.other:
            # Its kernel goes on acknowledging whatever the host sends.
            link = "link: {detect: 3s, ping: 1s}\n"
            host = self.launch_host(manifest(GATE, SIREN, more=link), server=self.other)
            self.assert_serves(self.other)
            self.other.pause()
            try:
                host.wait_until(
                    lambda: re.search(r"silent for|said nothing for", host.log),
                    "it does not notice", 2 * WAIT_SECONDS)
            finally:
                self.other.resume()
            host.wait_until(lambda: host.log.count("connected to") == 2, "it does not return")
            self.assert_serves(self.other)

    def test_outputs_keep_their_state_while_the_server_is_away(self):
        with self.other:
            host = self.launch_host(manifest(GATE, SIREN), server=self.other)
            self.assert_serves(self.other)
            self.other.kill()
            host.wait_for_log("next try in")
            self.other.start()
            with nats.Client(self.other.port) as client:
                host.wait_until(lambda: self.is_siren_on(client), "the siren went off")

    @staticmethod
    def is_siren_on(client):
        try:
            return client.request(subject("gpio.siren.get")).json()["active"]
        except nats.NoResponders:
            return None

    def test_edges_from_before_the_first_connection_are_delivered(self):
        host = self.launch_host(manifest(door("200ms")), server=self.other)
        host.wait_for_log("next try in")
        time.sleep(1)
        with self.other, nats.Client(self.other.port) as client:
            edges = client.subscribe(subject("gpio.dock-door.edge"))
            numbers = []
            for _ in range(8):
                message = edges.next()
                client.publish(message.reply)
                numbers.append(message.json()["line_seq"])
        self.assertEqual(numbers, list(range(1, 9)))


if __name__ == "__main__":
    unittest.main()
