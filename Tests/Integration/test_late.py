"""Requests that were on their way while the link stood still: how old they are is known without any
clock, and what may be too old is not done."""

import time

from edge_host import EdgeHost
from host_case import LOGS, SIREN, HostTestCase, manifest, subject
from link import Link

STALL_SECONDS = 3


class LateTests(HostTestCase):
    def setUp(self):
        super().setUp()
        self.link = self.enterContext(Link(self.server.port))

    def start(self, more="link: {detect: 5min}\n"):
        path = self.write_manifest(manifest(SIREN, more=more))
        status = self.client.subscribe(subject("status"))
        host = self.enterContext(EdgeHost(
            "run", "--manifest", str(path), server=f"127.0.0.1:{self.link.port}",
            log=LOGS / f"{self.id().partition('.')[2]}.log"))
        host.wait_for_log("connected to")
        status.next()
        return host

    def send_through_a_stall(self, headers):
        """Answers to a request that was sent while the link stood still."""
        answers = self.client.subscribe("answers")
        self.link.freeze()
        self.client.publish(subject("gpio.siren.set"), b'{"active":true}', reply="answers",
                            headers=headers)
        time.sleep(STALL_SECONDS)
        self.link.heal()
        return answers.next()

    def test_what_may_be_too_old_is_not_done_and_may_be_sent_again(self):
        host = self.start()
        answer = self.send_through_a_stall({"Edge-Timeout": "2s"})
        self.assertEqual(answer.header("Nats-Service-Error-Code"), "408")
        self.assertIn("may be stale", answer.header("Nats-Service-Error"))
        self.assertFalse(self.is_active("siren"))
        # The refusal asked the server for a sign of life. Until that has come, and on a machine that
        # is busy, the same may be said again.
        def is_done():
            message = self.client.request(
                subject("gpio.siren.set"), {"active": True}, headers={"Edge-Timeout": "2s"})
            return message.header("Nats-Service-Error") is None
        host.wait_until(is_done, "it is refused for ever")
        self.assertTrue(self.is_active("siren"))

    def test_the_manifests_timeout(self):
        self.start("link: {detect: 5min}\nrequests: {timeout: 2s}\n")
        answer = self.send_through_a_stall({})
        self.assertEqual(answer.header("Nats-Service-Error-Code"), "408")
        answer = self.send_through_a_stall({"Edge-Timeout": "1h"})
        self.assertIsNone(answer.header("Nats-Service-Error"))

    def test_nothing_is_refused_that_nobody_limited(self):
        self.start()
        self.assertIsNone(self.send_through_a_stall({}).header("Nats-Service-Error"))
        self.assertTrue(self.is_active("siren"))
