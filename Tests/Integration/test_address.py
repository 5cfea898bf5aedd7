"""The board's address and route go and come back: a host hears it from the kernel, long before any
timeout, and does not wait for its next attempt."""

import re
import unittest

import namespaces
from edge_host import EdgeHost
from host_case import LOGS, HostTestCase, door, manifest, subject
from nats_server import NATSServer

# Before a server is started or a socket opened.
REASON = namespaces.enter()

# Nothing here is found by waiting: the link is asked after an hour.
LINK = "link: {detect: 1h, backoff: 1h}\n"


@unittest.skipIf(REASON, REASON)
class AddressTests(HostTestCase):
    @classmethod
    def setUpClass(cls):
        LOGS.mkdir(parents=True, exist_ok=True)
        cls.server = cls.enterClassContext(NATSServer(
            "host: 0.0.0.0\nport: $PORT\n", log=LOGS / f"{cls.__name__}.server.log"))

    def setUp(self):
        super().setUp()
        self.board = self.enterContext(namespaces.Board())
        self.status = self.client.subscribe(subject("status"))

    def start(self, link=LINK):
        text = manifest(door(), more=link).replace("presence:", "log: debug, presence:", 1)
        path = self.write_manifest(text)
        host = self.enterContext(EdgeHost(
            "run", "--manifest", str(path), server=f"{namespaces.HUB}:{self.server.port}",
            log=LOGS / f"{self.id().partition('.')[2]}.log", prefix=self.board.prefix))
        host.wait_for_log("connected to")
        self.status.next()
        return host

    def wait_for_pause(self, host, milliseconds):
        """Until it would wait so long for its next attempt."""
        def pauses():
            return [int(pause) for pause in re.findall(r"next try in (\d+) ms", host.log)]
        host.wait_until(lambda: max(pauses(), default=0) >= milliseconds, "no long pause")

    def test_an_address_that_goes_and_comes(self):
        host = self.start()
        self.board.ip(f"addr del {namespaces.BOARD}/24 dev board")
        host.wait_for_log("the board's address is gone")
        self.wait_for_pause(host, 5000)
        self.board.ip(f"addr add {namespaces.BOARD}/24 dev board")
        host.wait_until(lambda: host.log.count("connected to") >= 2, "did not come back")
        self.status.next()

    def test_a_route_that_goes_and_comes(self):
        host = self.start()
        self.board.ip("route del 10.99.0.0/24")
        host.wait_for_log("there is no route to the server any more")
        self.wait_for_pause(host, 5000)
        self.board.ip("route add 10.99.0.0/24 dev board")
        host.wait_until(lambda: host.log.count("connected to") >= 2, "did not come back")

    def test_another_address_and_a_cable_that_is_plugged_anew_leave_the_connection(self):
        host = self.start()
        self.board.ip("addr add 10.98.0.1/24 dev board")
        self.board.ip("addr del 10.98.0.1/24 dev board")
        self.board.unplug()
        self.board.plug()
        self.assertEqual(self.call("gpio.dock-door.get")["name"], "dock-door")
        self.assertEqual(host.log.count("connected to"), 1)

    def test_a_link_that_is_switched_off(self):
        host = self.start()
        self.board.ip("link set board down")
        host.wait_for_log("there is no route to the server any more")
        self.board.ip("link set board up")
        host.wait_until(lambda: host.log.count("connected to") >= 2, "did not come back")

    def test_silence_is_found_by_waiting(self):
        """Or by the kernel, when it forgets the server's hardware address first."""
        host = self.start("link: {detect: 4s, ping: 2s, backoff: 1s}\n")
        self.board.unplug()
        host.wait_until(lambda: "was silent for 4 s" in host.log
                        or "Host is unreachable" in host.log, "nothing was noticed")
        self.board.plug()
        host.wait_until(lambda: host.log.count("connected to") >= 2, "did not come back")
