"""Nothing wears out the card while all is well: a host whose events are kept by a stream writes nothing to
its disk, as the kernel counts it."""

import tempfile
import unittest
from pathlib import Path

from edge_host import EdgeHost
from host_case import COLD_ROOM, LOGS, OwnServersTestCase, door, manifest, subject
from jetstream import Stream

EDGES = 150  # of 100 ms each: some times as long as anything is kept back before it is written
RENEWALS = 40


class WearTests(OwnServersTestCase):
    def setUp(self):
        # Not in memory, where the kernel would count nothing.
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(
            prefix="wear-", dir=LOGS)))
        self.server = self.serve("jetstream { store_dir: $STORE }\n")
        self.client = self.connect(self.server)
        self.stream = Stream(self.client, "EDGE")
        self.stream.create(["edge.*.*.gpio.*.edge", "edge.*.*.gpio.*.change", "edge.*.*.host.*"])

    def launch(self, *lines, sensors=()):
        path = self.write_manifest(manifest(*lines, sensors=sensors, presence="1s"))
        self.host = self.enterContext(EdgeHost(
            "run", "--manifest", str(path), server=self.server.address,
            log=LOGS / f"{self.id().partition('.')[2]}.log",
            prefix=["env", f"STATE_DIRECTORY={self.folder}"]))
        self.host.wait_for_log("connected to")

    def written(self):
        """Bytes that the host has had written to a disk, its log among them (proc(5))."""
        for line in Path(f"/proc/{self.host.pid}/io").read_text().splitlines():
            name, _, value = line.partition(": ")
            if name == "write_bytes":
                return int(value)
        raise AssertionError("the kernel does not count what is written")

    def files(self):
        """The files of the state's folder: a write that the kernel has not counted would change them."""
        return {path.name: (path.stat().st_mtime_ns, path.read_bytes())
                for path in self.folder.rglob("*") if path.is_file()}

    def wait_for_stored(self, count):
        """Returns once so many more facts are stored."""
        before = self.stream.state["messages"]
        self.host.wait_until(lambda: self.stream.state["messages"] >= before + count,
                             f"the stream does not get {count} more facts", 120)

    def assert_nothing_is_written(self, during):
        log, files, written = self.host.log, self.files(), self.written()
        if written == 0:  # it has written its log
            self.skipTest(f"the kernel does not count what is written to {self.folder}")
        during()
        self.assertEqual(self.host.log, log)
        self.assertEqual(self.written() - written, 0, self.files().keys())
        self.assertEqual(self.files(), files)

    def test_events_that_are_kept_elsewhere_write_nothing(self):
        self.launch(door("100ms"), sensors=[COLD_ROOM])
        self.wait_for_stored(30)
        self.assert_nothing_is_written(lambda: self.wait_for_stored(EDGES))

    def test_leases_that_are_renewed_write_nothing(self):
        self.launch("{name: siren, direction: output, start: last, report: durable}")

        def renew():
            self.call("gpio.siren.set", {"active": True, "lease_ms": 60_000})

        # The log has the first twenty commands of a caller.
        for _ in range(RENEWALS):
            renew()
        status = self.client.subscribe(subject("status"))
        status.take(3)
        files = self.files()
        self.assertIn("state", files)
        for _ in range(RENEWALS):
            renew()
        status.take(3)
        self.assertEqual(self.files(), files)


if __name__ == "__main__":
    unittest.main()
