"""The command line: what an operator types, what is printed, and the exit status."""

import json
import unittest

from edge_host import EdgeHost, run_command
from host_case import COLD_ROOM, GATE, HOST, LATTICE, SIREN, HostTestCase, door, manifest, subject
from ports import free_port

DONE, FAILED, WRONG = 0, 1, 2

USAGE_ERRORS = [
    [], ["fly"], ["run"], ["run", "--manifest"], ["run", "--manifest", "a", "b"], ["check"],
    ["check", "a", "b"], ["hosts", "extra"], ["hosts", "--bogus"], ["hosts", "--count", "1"],
    ["hosts", "--timeout", "5"], ["hosts", "--timeout", "0s"], ["hosts", "--server", "nats://["],
    ["hosts", "--server", "127.0.0.1:99999"], ["call"], ["call", "dock-7"],
    ["call", "dock-7", "gpio"], ["call", "dock-7", "gpio", "get-many", "names=[1"],
    ["call", "dock-7", "gpio", "set", "name=siren", "active"],
    ["call", "dock-7", "gpio", "get", "name=si ren"], ["call", "*", "gpio", "get", "name=siren"],
    ["watch", "a..b"], ["watch", "a", "b"], ["watch", "--count", "0"], ["watch", "--count", "x"],
    ["gpio"], ["gpio", "get"], ["gpio", "set", "siren=maybe"], ["gpio", "pulse", "siren", "2"],
    ["get", "dock-7"], ["get", "dock-*/siren"], ["set", "dock-7/siren"],
    ["set", "dock-7/siren", "2"], ["watch", "dock 7/siren"], ["safe"],
    ["setup"], ["setup", "bucket"], ["setup", "stream", "--replicas", "9"],
    ["journal"], ["journal", "fly"], ["journal", "list", "x"], ["journal", "list", "--json"],
]


class UsageTests(unittest.TestCase):
    def test_wrong_command_lines_are_refused(self):
        """Also when no server could be reached: the command line comes first."""
        for words in USAGE_ERRORS:
            with self.subTest(words):
                result = run_command(*words, server=f"127.0.0.1:{free_port()}")
                self.assertEqual(result.returncode, WRONG, result)
                self.assertEqual(result.stdout, "")
                self.assertTrue(result.stderr.startswith("edge-host: "), result.stderr)

    def test_help_and_version(self):
        for words in (["--help"], ["help"], ["call", "--help"], ["-h"]):
            result = run_command(*words)
            self.assertEqual((result.returncode, result.stderr), (DONE, ""))
            self.assertIn("edge-host call HOST", result.stdout)
        result = run_command("--version")
        self.assertEqual(result.returncode, DONE)
        self.assertRegex(result.stdout, r"^edge-host \d+\.\d+\.\d+(, with TLS)?\n$")

    def test_no_server(self):
        port = free_port()
        for words in (["hosts"], ["call", HOST, "describe"], ["watch"]):
            with self.subTest(words):
                result = run_command(*words, server=f"127.0.0.1:{port}")
                self.assertEqual(result.returncode, FAILED, result)
                self.assertEqual(result.stdout, "")
                self.assertIn(f"127.0.0.1:{port}", result.stderr)
                self.assertIn("refused", result.stderr)

    def test_server_whose_name_is_not_known(self):
        result = run_command("hosts", "--server", "edge-host-test.invalid")
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("edge-host-test.invalid", result.stderr)
        self.assertNotIn("No such file", result.stderr)


class OperatorTests(HostTestCase):
    def setUp(self):
        super().setUp()
        self.host = self.start_host(manifest(door("500ms", "latest"), GATE, SIREN,
                                             sensors=[COLD_ROOM]))

    def operate(self, *words, status=DONE):
        result = run_command(*words, server=self.server.address, lattice=LATTICE)
        self.assertEqual(result.returncode, status, result)
        if status == DONE:
            self.assertEqual(result.stderr, "")
        else:
            self.assertEqual(result.stdout, "")
            self.assertTrue(result.stderr.startswith("edge-host: "), result.stderr)
        return result.stdout or result.stderr

    def test_hosts_are_listed(self):
        heads, row = self.operate("hosts").splitlines()
        self.assertEqual(heads.split(), ["LATTICE", "HOST", "VERSION", "GPIO", "SENSORS", "LABELS"])
        self.assertEqual(row.split()[:2], [LATTICE, HOST])
        self.assertEqual(row.split()[3:],
                         ["dock-door,gate,siren", "cold-room", "site=wh7", "floor=2"])
        self.assertEqual(heads.index("SENSORS"), row.index("cold-room"))

    def test_hosts_for_machines(self):
        documents = [json.loads(line) for line in self.operate("hosts", "--json").splitlines()]
        self.assertEqual([document["metadata"]["host"] for document in documents], [HOST])

    def test_host_is_described(self):
        rows = self.operate("call", HOST, "describe").splitlines()
        self.assertEqual([row.split()[:3] for row in rows[1:]],
                         [["gpio", "dock-door", "get,drive"], ["gpio", "gate", "get,drive"],
                          ["gpio", "siren", "get,set,toggle,pulse,blink"],
                          ["sensors", "cold-room", "get,drive"]])

    def test_line_is_set_and_read(self):
        printed = self.operate("call", HOST, "gpio", "set", "name=siren", "active=true")
        self.assertRegex(printed, r"(?m)^active +true$")
        answer = json.loads(self.operate("call", HOST, "gpio", "get", "name=siren", "--json"))
        self.assertIs(answer["active"], True)
        self.assertEqual(answer["level"], 1)

    def test_short_forms_of_get_and_set(self):
        self.assertEqual(self.operate("get", f"{HOST}/gate"), '"gate"=inactive\n')
        self.assertEqual(self.operate("set", f"{HOST}/siren", "on"), "")
        self.assertEqual(self.operate("get", f"{HOST}/siren", "--numeric"), "1\n")
        self.assertRegex(self.operate("get", f"{HOST}/cold-room"), r'^"cold-room"=-\d\d\.\d Cel\n$')
        answer = json.loads(self.operate("set", f"{HOST}/siren", "off", "--json"))
        self.assertIs(answer["active"], False)
        self.operate("set", f"{HOST}/siren", "on", "--pulse", "100ms")
        self.host.wait_until(
            lambda: self.operate("get", f"{HOST}/siren", "--numeric") == "0\n", "no pulse")

    def test_refusals_of_short_forms(self):
        said = self.operate("get", f"{HOST}/window", status=FAILED)
        self.assertIn("404: no line is named 'window'", said)
        self.assertIn("404: no sensor is named 'window'", said)
        self.assertIn("409", self.operate("set", f"{HOST}/gate", "on", status=FAILED))
        self.assertIn("dock-9", self.operate("get", "dock-9/gate", status=FAILED))

    def test_names_are_watched(self):
        # A request has the same number of tokens, and is no event.
        with EdgeHost("watch", "dock-*/*o*r*", "--lattice", LATTICE, "--json",
                      server=self.server.address) as watch:
            watch.wait_until(lambda: len(watch.output_lines) > 0, "nothing is printed")
            self.operate("get", f"{HOST}/dock-door")
            count = len(watch.output_lines)
            watch.wait_until(lambda: len(watch.output_lines) > count + 3, "no more is printed")
            subjects = {json.loads(line)["subject"] for line in watch.output_lines}
        self.assertEqual(subjects,
                         {subject("gpio.dock-door.edge"), subject("sensors.cold-room.reading")})
        self.assertEqual(run_command("watch", "gate-*/*", "--timeout", "1s", lattice=LATTICE,
                                     server=self.server.address).stdout, "")

    def test_refusal_of_the_host_is_told(self):
        for words, code in ((["gpio", "get", "name=window"], "404"),
                            (["gpio", "set", "name=gate", "active=true"], "409"),
                            (["gpio", "set", "name=siren", "active=maybe"], "400")):
            self.assertIn(code, self.operate("call", HOST, *words, status=FAILED))

    def test_nobody_answers(self):
        self.assertIn("dock-9", self.operate("call", "dock-9", "describe", status=FAILED))
        self.assertIn("dock-9", self.operate("call", "dock-9", "gpio", "get", "name=siren",
                                             status=FAILED))
        self.assertIn("name=NAME", self.operate("call", HOST, "gpio", "get", status=FAILED))
        self.assertEqual(self.host.stop(), 0)
        self.assertIn("no host answers", self.operate("hosts", status=FAILED))

    def test_answer_that_does_not_come(self):
        silence = self.client.subscribe(subject("describe", host="dock-8"))
        said = self.operate("call", "dock-8", "describe", "--timeout", "500ms", status=FAILED)
        self.assertIn("no answer", said)
        request = silence.next()
        self.assertIsNotNone(request.header("Edge-Deadline"))
        self.assertRegex(request.header("Edge-Caller"), r"^[^@]+@.")

    def test_events_are_watched(self):
        rows = self.operate("watch", subject("gpio.dock-door.edge"), "--count", "3").splitlines()
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertRegex(row, r"^\d{4}-\d\d-\d\dT[0-9:.]{18}Z  edge\.wh7\.dock-7\.gpio")
        lines = self.operate("watch", "edge.>", "--count", "3", "--json").splitlines()
        for line in lines:
            document = json.loads(line)
            self.assertTrue(document["subject"].startswith(f"edge.{LATTICE}.{HOST}."))
            self.assertIsInstance(document["data"], dict)

    def test_watch_ends_when_its_time_is_over(self):
        self.assertEqual(run_command("watch", "nothing.here", "--timeout", "300ms",
                                     server=self.server.address).returncode, DONE)

    def test_watch_shows_an_edge_once_and_can_keep_it(self):
        self.assertEqual(self.host.stop(), 0)
        self.start_host(manifest(door("500ms")))
        words = ("watch", subject("gpio.*.edge"), "--json")
        with EdgeHost(*words, server=self.server.address) as watch:
            # It is sent again and again; the host's own count says that it was not kept.
            watch.wait_until(lambda: watch.output_lines, "nothing is printed")
            again = self.client.subscribe(subject("gpio.*.edge"))
            again.take(2)
            self.assertEqual(len(watch.output_lines), 1)
        with EdgeHost(*words, "--acknowledge", server=self.server.address) as watch:
            watch.wait_until(lambda: len(watch.output_lines) >= 5, "the next edges do not come")
            edges = [json.loads(line)["data"] for line in watch.output_lines]
        self.assert_in_order(edges)
        self.assertEqual(edges[0]["line_seq"], 1)


if __name__ == "__main__":
    unittest.main()
