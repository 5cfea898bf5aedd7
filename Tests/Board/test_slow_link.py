"""edge-host on a board whose link is slow, late and lossy: the kernel's own emulation under a real TCP
connection of the board, so that retransmissions, congestion and the host's reading of them are real."""

import time
import unittest

from board_case import DOOR, SIREN, BoardCase
from lane import Conditions
from link import Link
from programs import compile_for_board

RATE_BITS = 16_000
DELAY_MS = 800
LOSS_PERCENT = 2
EDGES = 10
CALLS = 8


class SlowLinkTests(BoardCase, unittest.TestCase):
    """What the board sends passes the kernel's netem; what it is sent comes as slowly through a proxy."""

    architecture = "aarch64"
    report = "durable"
    log_prefix = "slow-link"

    @classmethod
    def reachable_port(cls):
        down = Conditions(rate=RATE_BITS / 8)
        return cls.enterClassContext(Link(cls.server.port, down=down)).port

    @classmethod
    def more_files(cls):
        return {"/bin/netem": compile_for_board("netem.c", cls.architecture)}

    def setUp(self):
        super().setUp()
        self.board.run(f"netem eth0 {RATE_BITS} {DELAY_MS} {LOSS_PERCENT}")
        self.position = self.board.console_position

    def assert_one_connection(self):
        """The host was connected once and never believed the link dead."""
        written = "\n".join(self.board.console_lines(self.position))
        self.assertEqual(written.count("connected to"), 1, written)
        self.assertNotIn("next try in", written)

    def test_host_joins_and_is_commanded(self):
        with self.host():
            for active, level in ((True, 1), (False, 0)):
                began = time.monotonic()
                self.assertIs(self.set_siren(active)["active"], active)
                self.assertGreaterEqual(time.monotonic() - began, DELAY_MS / 1000)
                self.assertEqual(self.board.read_level(SIREN), level)
            self.assert_one_connection()
        self.assertEqual(self.exit_status, 0)

    def test_edges_arrive_in_order_beside_a_backlog_of_calls(self):
        with self.host():
            edges = self.subscribe_to_door()
            answers = self.client.subscribe("answers.*")
            # Their answers fill the way from the board for longer than the edges take.
            for number in range(CALLS):
                self.client.publish(self.subject("describe"), reply=f"answers.{number}")
            for number in range(EDGES):
                self.board.set_input(DOOR, 1 - number % 2)
                self.board.run("sleep 0.2")  # the guest's time, longer than the debounce
            numbers = []
            while len(set(numbers)) < EDGES:
                edge = edges.next()
                self.client.publish(edge.reply)
                numbers.append(edge.json()["line_seq"])
            self.client.flush()
            numbers = list(dict.fromkeys(numbers))
            self.assertEqual(numbers, list(range(numbers[0], numbers[0] + EDGES)))
            answers.next()  # not all, for answers too late to be sent are dropped
            self.assert_one_connection()


if __name__ == "__main__":
    unittest.main()
