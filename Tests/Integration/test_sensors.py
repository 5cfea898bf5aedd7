"""Sensors tell what is news: beyond the deadband, of another quality, and alarms."""

import tempfile
import unittest
from pathlib import Path

from edge_host import run_command
from host_case import HostTestCase, manifest, subject

READINGS = subject("sensors.room.reading")
ALARMS = subject("sensors.room.alarm")


def room(more):
    """A sensor that measures 20 until somebody drives it."""
    return f"{{name: room, kind: simulated, unit: Cel, every: 100ms, script: {{values: [20]}}, {more}}}"


class SensorTests(HostTestCase):
    def start(self, more):
        self.readings = self.client.subscribe(READINGS)
        self.alarms = self.client.subscribe(ALARMS)
        self.host = self.start_host(manifest(sensors=[room(more)]))

    def drive(self, **what):
        """Returns once the sensor has measured that."""
        self.call("sensors.room.drive", what)
        def is_measured():
            answer = self.call("sensors.room.get")
            return answer["value"] == what.get("value") and answer.get("reason") == what.get("reason")
        self.host.wait_until(is_measured, f"{what} is not measured")

    def take(self, subscription, count):
        return [message.json() for message in subscription.take(count)]

    def next_alarm(self):
        """An alarm that is then kept."""
        message = self.alarms.next()
        self.client.publish(message.reply, b"")
        return message.json()

    def test_only_news_is_told(self):
        self.start("deadband: 0.5")
        first = self.readings.next().json()
        for value in (20.4, 20.5, 21, 20.6, 19.9):
            self.drive(value=value)
        told = [first, *self.take(self.readings, 2)]
        self.assertEqual([body["value"] for body in told], [20, 21, 19.9])
        self.assert_consecutive([body["seq"] for body in told])

    def test_percent_is_of_what_was_told_last(self):
        self.start("deadband: 10%")
        self.assertEqual(self.readings.next().json()["value"], 20)
        for value in (22, 22.1, 24.3, 24.4):
            self.drive(value=value)
        self.assertEqual([body["value"] for body in self.take(self.readings, 2)], [22.1, 24.4])

    def test_quality_is_told_at_once(self):
        self.start("deadband: 100, min_interval: 1h, max_interval: 1d")
        self.assertEqual(self.readings.next().json()["quality"], "good")
        self.drive(reason="unplugged")
        self.drive(value=85, reason="power-up")
        self.drive(value=21)
        bad, uncertain, good = self.take(self.readings, 3)
        self.assertEqual((bad["quality"], bad["value"], bad["reason"]), ("bad", None, "unplugged"))
        self.assertEqual((uncertain["quality"], uncertain["value"], uncertain["reason"]),
                         ("uncertain", 85, "power-up"))
        self.assertEqual((good["quality"], good["value"]), ("good", 21))
        self.assertNotIn("reason", good)
        self.assertIn("sensor room: unplugged", self.host.log)
        self.assertIn("sensor room: is back", self.host.log)

    def test_heartbeat_of_a_sensor_that_never_changes(self):
        self.start("deadband: 1, max_interval: 300ms")
        bodies = self.take(self.readings, 4)
        self.assertEqual([body["value"] for body in bodies], [20] * 4)
        self.assert_consecutive([body["seq"] for body in bodies])
        moments = [body["monotonic_ns"] for body in bodies]
        for earlier, later in zip(moments, moments[1:]):
            self.assertGreater(later - earlier, 200_000_000)

    def test_alarm_begins_and_ends(self):
        self.start("deadband: 1000, alarms: [{name: hot, above: 70, hysteresis: 5}, "
                   "{name: cold, below: 0}]")
        self.assertEqual([(body["alarm"], body["active"])
                          for body in (self.next_alarm(), self.next_alarm())],
                         [("hot", False), ("cold", False)])
        self.drive(value=71.5)
        begun = self.next_alarm()
        self.assertEqual({name: begun[name] for name in ("name", "alarm", "active", "value", "limit",
                                                         "unit", "quality")},
                         {"name": "room", "alarm": "hot", "active": True, "value": 71.5, "limit": 70,
                          "unit": "Cel", "quality": "good"})
        self.assertEqual(self.call("sensors.room.get")["alarms"], ["hot"])
        # Neither a value within the hysteresis nor one that is missing ends it.
        self.drive(value=66)
        self.drive(reason="unplugged")
        self.assertEqual(self.call("sensors.room.get")["alarms"], ["hot"])
        self.drive(value=65)
        ended = self.next_alarm()
        self.assertEqual((ended["alarm"], ended["active"], ended["value"]), ("hot", False, 65))
        self.assertEqual(self.call("sensors.room.get")["alarms"], [])

    def test_alarm_is_kept_until_it_is_acknowledged(self):
        self.start("alarms: [{name: hot, above: 70}]")
        first = self.alarms.next()
        again = self.alarms.next()
        self.assertEqual(again.header("Nats-Msg-Id"), first.header("Nats-Msg-Id"))
        self.assertEqual(again.json()["seq"], first.json()["seq"])

    def test_filter_takes_out_a_single_wrong_value(self):
        self.readings = self.client.subscribe(READINGS)
        self.start_host(manifest(sensors=[
            "{name: room, kind: simulated, every: 100ms, scale: 2, offset: 1, filter: {median: 3}, "
            "script: {values: [20, 20, 85, 20, bad, 20]}}"]))
        values = [body["value"] for body in self.take(self.readings, 12)]
        self.assertEqual(set(values), {41, None})

    def test_file_that_vanishes_and_comes_back(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="edge-host-sensors-")))
        file = folder / "level"
        def write(number):
            (folder / "new").write_text(f"level: {number} mm\n")
            (folder / "new").rename(file)
        write(1200)
        self.readings = self.client.subscribe(READINGS)
        self.alarms = self.client.subscribe(ALARMS)
        self.host = self.start_host(manifest(sensors=[
            f"{{name: room, kind: file, path: {file}, after: 'level:', every: 100ms, unit: m, "
            "scale: 0.001, deadband: 0.05, alarms: [{name: low, below: 1, hysteresis: 0.1}]}"]))
        self.assertFalse(self.next_alarm()["active"])
        write(900)
        self.assertEqual(self.readings.next_where(lambda body: body["value"] == 0.9).json()["alarms"],
                         ["low"])
        self.assertTrue(self.next_alarm()["active"])
        file.unlink()
        bad = self.readings.next_where(lambda body: body["quality"] == "bad").json()
        self.assertIn(str(file), bad["reason"])
        self.assertEqual(bad["alarms"], ["low"], "nobody knows that it is over")
        self.assertEqual(self.status.next_where(lambda status: status["problems"] == 1)
                         .json()["problems"], 1)
        write("nonsense")
        write(1150)
        back = self.readings.next_where(lambda body: body["quality"] == "good").json()
        self.assertEqual((back["value"], back["unit"], back["alarms"]), (1.15, "m", []))
        self.assertFalse(self.next_alarm()["active"])
        # A caller has it measured.
        write(1160)
        self.host.wait_until(lambda: self.call("sensors.room.get")["value"] == 1.16, "not measured")

    def test_nonsense_is_refused(self):
        path = self.write_manifest(manifest(sensors=[room("deadband: 2%, max_interval: 50ms")]))
        answer = run_command("check", str(path))
        self.assertEqual(answer.returncode, 2)
        self.assertRegex(answer.stderr, r":\d+:\d+: 'max_interval' must be between 100ms and 1d")


if __name__ == "__main__":
    unittest.main()
