"""edge-host on an emulated board: its pins driven and read from outside, its messages over a real
nats-server."""

import unittest

from board_case import DOOR, SIREN, BoardCase


class BoardTests(BoardCase):
    # What the board and its peers see

    def test_says_that_it_is_there(self):
        with self.host():
            self.assertIsInstance(self.presence, dict)
        self.assertEqual(self.exit_status, 0)

    def test_output_is_set_by_a_request(self):
        with self.host():
            for active, level in ((True, 1), (False, 0), (True, 1)):
                answer = self.set_siren(active)
                self.assertIs(answer["active"], active)
                self.assertEqual(answer["level"], level)
                self.assertEqual(self.board.read_level(SIREN), level)
                self.assertTrue(self.board.is_output(SIREN))
                self.assertRegex(self.board.run("cat /sys/kernel/debug/gpio"),
                                 r"edge-host.*\) out " + ("hi" if active else "lo"))

    def test_edges_are_published_in_order(self):
        with self.host():
            edges = self.subscribe_to_door()
            received = []
            for level in (1, 0, 1, 0):
                self.board.set_input(DOOR, level)
                received.append(edges.next().json())
            self.check_edges(received)

    def test_input_is_read_by_a_request(self):
        with self.host():
            edges = self.subscribe_to_door()
            self.assertIs(self.get_door()["active"], False)
            for level in (1, 0):
                self.board.set_input(DOOR, level)
                edges.next()  # the level counts once it has been debounced
                answer = self.get_door()
                self.assertIs(answer["active"], level == 1)
                self.assertEqual(answer["level"], level)

    def test_input_that_is_active_before_the_start_is_known(self):
        self.board.set_input(DOOR, 1)
        with self.host():
            self.assertIs(self.get_door()["active"], True)

    def test_edges_made_while_the_link_is_cut_arrive_in_order(self):
        with self.host():
            edges = self.subscribe_to_door()
            self.board.set_link(False)
            try:
                for level in (1, 0, 1, 0):
                    self.board.set_input(DOOR, level)
                    # The kernel's debounce needs its millisecond of the guest's time.
                    self.board.run("sleep 0.2")
            finally:
                self.board.set_link(True)
            self.check_edges([edges.next().json() for _ in range(4)])
            self.assertIs(self.set_siren(True)["active"], True)

    def test_stop_makes_outputs_safe_and_says_goodbye(self):
        with self.host() as status:
            self.set_siren(True)
            self.assertEqual(self.board.read_level(SIREN), 1)
            self.client.flush()
            status.waiting.clear()
        self.assertEqual(self.exit_status, 0)
        self.assertEqual(self.board.read_level(SIREN), 0)
        self.assertIsInstance(status.next().json(), dict)


class AArch64BoardTests(BoardTests, unittest.TestCase):
    architecture = "aarch64"


class ARMv7BoardTests(BoardTests, unittest.TestCase):
    architecture = "armv7"


if __name__ == "__main__":
    unittest.main()
