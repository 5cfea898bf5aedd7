"""Pins and sensors are asked and moved by requests; what cannot be done is refused with the reason."""

import json
import time
import unittest

import nats
from edge_host import WAIT_SECONDS
from host_case import BRAKE, COLD_ROOM, GATE, SIREN, HostTestCase, manifest, subject

DEADLINE = "Edge-Deadline"
# The host's read buffer holds 16 KiB.
OVERSIZED_BYTES = 20_000
# What a host may write about one kind of trouble, however often it comes.
LOG_LINES_MAX = 20


def rfc3339(seconds_from_now):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds_from_now))


class CallTests(HostTestCase):
    def setUp(self):
        super().setUp()
        self.host = self.start_host(manifest(GATE, SIREN, BRAKE, sensors=[COLD_ROOM]))

    # What is granted

    def test_input_is_read(self):
        answer = self.call("gpio.gate.get")
        self.assertEqual(list(answer), ["name", "active", "level", "direction", "time",
                                         "time_quality", "seq"])
        self.assertEqual((answer["name"], answer["active"], answer["level"], answer["direction"]),
                         ("gate", False, 0, "input"))

    def test_output_is_set_and_read_back(self):
        for active in (True, False, True):
            answer = self.call("gpio.siren.set", {"active": active})
            self.assertEqual((answer["name"], answer["active"], answer["level"]),
                             ("siren", active, int(active)))
            self.assertIs(self.is_active("siren"), active)

    def test_output_begins_in_its_safe_state(self):
        self.assertIs(self.is_active("siren"), False)
        self.assertIs(self.is_active("brake"), True)

    def test_sensor_is_read(self):
        answer = self.call("sensors.cold-room.get")
        self.assertEqual((answer["name"], answer["unit"], answer["quality"]),
                         ("cold-room", "Cel", "good"))
        self.assertIn(answer["value"], (-18.5, -18, -17.5))

    def test_pulse_ends_by_itself(self):
        began = time.monotonic()
        self.assertIs(self.call("gpio.siren.set", {"active": True, "pulse_ms": 400})["active"], True)
        self.wait_until_active("siren", False, self.host)
        self.assertGreaterEqual(time.monotonic() - began, 0.4)

    def test_lease_ends_in_the_safe_state(self):
        for line, active in (("siren", True), ("brake", False)):
            began = time.monotonic()
            answer = self.call(f"gpio.{line}.set", {"active": active, "lease_ms": 400})
            self.assertIs(answer["active"], active)
            self.wait_until_active(line, not active, self.host)
            self.assertGreaterEqual(time.monotonic() - began, 0.4)

    def test_command_ends_the_lease_before_it(self):
        self.call("gpio.siren.set", {"active": True, "lease_ms": 300})
        self.call("gpio.siren.set", {"active": True})
        # A lease begun later on another line has ended, so that of the siren would have, too.
        self.call("gpio.brake.set", {"active": False, "lease_ms": 600})
        self.wait_until_active("brake", True, self.host)
        self.assertIs(self.is_active("siren"), True)

    def test_request_without_reply_is_executed(self):
        self.client.publish(subject("gpio.siren.set"), b'{"active":true}')
        self.wait_until_active("siren", True, self.host)

    # What is refused

    def test_unknown_name_is_refused(self):
        for rest in ("gpio.window.get", "gpio.window.set", "sensors.attic.get"):
            body = {"active": True} if rest.endswith("set") else None
            code, reason = self.refusal(rest, body)
            self.assertEqual(code, 404)
            self.assertIn(rest.split(".")[1], reason)

    def test_unknown_operation_has_no_responders(self):
        for rest in ("gpio.siren.explode", "radio.siren.get", "gpio.get"):
            with self.assertRaises(nats.NoResponders):
                self.client.request(subject(rest))

    def test_input_cannot_be_set(self):
        code, reason = self.refusal("gpio.gate.set", {"active": True})
        self.assertEqual(code, 409)
        self.assertIn("gate", reason)

    def test_wrong_arguments_are_refused(self):
        for body, named in (
                ({}, "active"),
                (None, "active"),
                ({"active": True, "volume": 11}, "volume"),
                ({"active": "true"}, "active"),
                ({"active": 1}, "active"),
                ({"active": None}, "active"),
                ({"active": {"on": True}}, "active"),
                ({"active": True, "pulse_ms": "100"}, "pulse_ms"),
                ({"active": True, "pulse_ms": 1.5}, "pulse_ms"),
                ({"active": True, "pulse_ms": 0}, "pulse_ms"),
                ({"active": True, "pulse_ms": -5}, "pulse_ms"),
                ({"active": True, "lease_ms": 10 ** 12}, "lease_ms"),
                ({"active": True, "lease_ms": 10 ** 30}, "lease_ms")):
            with self.subTest(body):
                code, reason = self.refusal("gpio.siren.set", body)
                self.assertEqual(code, 400)
                self.assertIn(named, reason)
        self.assertEqual(self.refusal("gpio.siren.get", {"active": True})[0], 400)
        self.assertIs(self.is_active("siren"), False)

    def test_malformed_body_is_refused(self):
        for body in (b"{", b"[]", b"true", b'{"active":true', b'{"active":true}}',
                     b'{"active":true,}', b'{"active":tru}', b'{"active":true,"active":true}',
                     b'{"active":true}\xff', b'{"act\xffive":true}', b'{"active":\x00true}',
                     b'{"active":' + b"[" * 5000, b"\x00" * 100, b'{"\\ud800":1,"active":true}'):
            with self.subTest(body[:40]):
                code, _ = self.refusal("gpio.siren.set", body)
                self.assertEqual(code, 400)
        self.assertIs(self.is_active("siren"), False)

    def test_oversized_request_is_refused(self):
        body = json.dumps({"active": True, "note": "x" * OVERSIZED_BYTES}).encode()
        for _ in range(2):
            code, reason = self.refusal("gpio.siren.set", body)
            self.assertEqual(code, 413)
            self.assertIn(str(len(body)), reason)
        self.assertIs(self.is_active("siren"), False)

    # Deadlines

    def test_request_in_time_is_executed(self):
        self.call("gpio.siren.set", {"active": True}, {DEADLINE: rfc3339(WAIT_SECONDS)})
        self.assertIs(self.is_active("siren"), True)

    def test_late_request_is_not_executed(self):
        for late in (rfc3339(-5), "2001-02-03T04:05:06.789Z", "1970-01-01T00:00:00Z"):
            code, reason = self.refusal("gpio.siren.set", {"active": True}, {DEADLINE: late})
            self.assertEqual(code, 408)
            self.assertIn("siren", reason)
        self.assertEqual(self.refusal("gpio.siren.get", None, {DEADLINE: rfc3339(-5)})[0], 408)
        self.assertIs(self.is_active("siren"), False)

    def test_deadline_that_is_no_time_is_refused(self):
        for text in ("soon", "", "2026-13-01T00:00:00Z", "17", "2026-01-01", "x" * 2000):
            with self.subTest(text[:40]):
                code, reason = self.refusal("gpio.siren.set", {"active": True}, {DEADLINE: text})
                self.assertEqual(code, 400)
                self.assertIn(DEADLINE, reason)
        self.assertIs(self.is_active("siren"), False)

    def test_deadline_of_another_age_does_no_harm(self):
        for text in ("0001-01-01T00:00:00Z", "1677-09-21T00:12:44Z", "1700-01-01T00:00:00Z",
                     "2262-04-11T23:47:16Z", "9999-12-31T23:59:59Z"):
            with self.subTest(text):
                message = self.client.request(subject("gpio.gate.get"), headers={DEADLINE: text})
                self.assertIn(message.header("Nats-Service-Error-Code"), (None, "400", "408"))

    # Many

    def test_thousand_malformed_requests_do_no_harm(self):
        for number in range(1000):
            line = ("siren", "gate", "window")[number % 3]
            body = (b"{", b'{"active":', b"\xff" * 50, b'{"active":7}')[number % 4]
            self.client.publish(subject(f"gpio.{line}.set"), body, f"nowhere.{number}")
        self.client.flush()
        self.assertIs(self.is_active("siren"), False)
        self.assertIs(self.call("gpio.siren.set", {"active": True})["active"], True)
        self.assert_log_is_bounded(self.host, LOG_LINES_MAX)

    def test_thousand_oversized_requests_do_no_harm(self):
        body = b"x" * OVERSIZED_BYTES
        for number in range(1000):
            self.client.publish(subject("gpio.siren.set"), body, f"nowhere.{number}")
        self.client.flush()
        self.assertIs(self.call("gpio.siren.set", {"active": True})["active"], True)
        self.assert_log_is_bounded(self.host, LOG_LINES_MAX)

    def test_flood_of_commands_is_limited_and_harms_nobody_else(self):
        ops, flood = {"Edge-Caller": "ops@laptop"}, {"Edge-Caller": "flood"}
        self.call("gpio.siren.set", {"active": False}, ops)
        answers = self.client.subscribe("answers")
        for number in range(2000):
            body = json.dumps({"active": number % 2 == 0}).encode()
            self.client.publish(subject("gpio.siren.set"), body, "answers", flood)
        self.assertIs(self.call("gpio.siren.set", {"active": True}, ops)["active"], True)
        codes = [answers.next().header("Nats-Service-Error-Code") for _ in range(2000)]
        self.assertEqual(set(codes), {None, "429"})
        self.assertEqual(codes[:50], [None] * 50)
        self.assertGreater(codes.count("429"), 1000)
        self.assertIn("command gpio set siren active=true by ops@laptop (services): done",
                      self.host.log)
        self.assertIn("too many commands from flood: at most 50 a second", self.host.log)
        self.assert_log_is_bounded(self.host, 2 * LOG_LINES_MAX)


class NoCommandsTests(HostTestCase):
    def test_commands_are_not_taken(self):
        self.start_host(manifest(GATE, SIREN, more="services: {commands: off}\n"))
        self.assertIs(self.is_active("siren"), False)
        with self.assertRaises(nats.NoResponders):
            self.client.request(subject("gpio.siren.set"), {"active": True})
        self.assertNotIn('"set"', json.dumps(self.call("describe")))


if __name__ == "__main__":
    unittest.main()
