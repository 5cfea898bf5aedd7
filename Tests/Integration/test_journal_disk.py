"""Disks that are full, read-only or damaged, and files that are no journals: the host says so and goes on."""

import os
import time
import unittest

import namespaces
from edge_host import WAIT_SECONDS, run_command
from host_case import link, subject
from journal_case import JETSTREAM, JournalCase, doors
from link import Link

JOURNAL_BYTES = 1_000_000


class DiskCase(JournalCase):
    def setUp(self):
        self.server = self.serve(JETSTREAM)
        self.uplink = self.enterContext(Link(self.server.port))
        self.client = self.connect(self.server)
        self.stream = self.make_stream(self.client)
        self.status = self.client.subscribe(subject("status"))

    def prepare_door(self, path=None):
        self.prepare(doors(1), link([self.uplink.port]), path=path)

    def run_cut_off(self, edges):
        """A life of the host that nobody hears of, ended by a crash once all of its edges are on the disk."""
        self.uplink.cut()
        with self.launch() as host:
            with self.open_socket(host) as peer:
                peer.drive_often(edges)
            host.wait_until(lambda: f'"line_seq":{edges}'.encode() in self.journal.read_bytes(),
                            "the edges are not on the disk")
            # The write is seen at once; its sync, and that it is known to be done, take a moment.
            time.sleep(1)
            host.kill()
            host.wait_for_end()
        self.uplink.heal()

    def lose_memory(self):
        """What a power cut takes."""
        (self.folder / "run" / "journal").unlink()

    def next_status(self, condition):
        return self.status.next_where(lambda body: condition(body["facts"]), 2 * WAIT_SECONDS).json()["facts"]

    def wait_for_edges(self, count, host):
        host.wait_until(lambda: len(self.edges(self.stream)) >= count, f"the stream gets no {count} edges",
                        2 * WAIT_SECONDS)
        numbers = [message.header("Nats-Msg-Id") for message in self.edges(self.stream)]
        self.assertEqual(len(numbers), count)
        self.assertEqual(len(set(numbers)), count)

    def assert_memory_only(self, host, reason):
        """Facts go on, and the host says that a power cut would take them."""
        host.wait_for_log("facts are in memory only: ")
        self.assertIn(reason, self.next_status(lambda facts: "problem" in facts)["problem"])
        with self.open_socket(host) as peer:
            peer.drive_often(20)

        def told():
            return [message.json() for message in self.stream.messages()
                    if message.subject == subject("host.journal")]
        host.wait_until(told, "the host tells nobody")
        self.assertEqual(told()[-1]["state"], "memory")
        self.assertIn(reason, told()[-1]["reason"])


class MountTests(DiskCase):
    def setUp(self):
        if REASON is not None:
            self.skipTest(REASON)
        super().setUp()

    def mount(self, options):
        self.prepare_door()
        disk = self.folder / "disk"
        disk.mkdir()
        namespaces.mount_memory(disk, options)
        self.addCleanup(namespaces.unmount, disk)
        self.prepare_again(disk / "journal")
        return disk

    def prepare_again(self, path):
        text = self.manifest.read_text().replace(str(self.journal), str(path))
        self.manifest.write_text(text)
        self.journal = path

    def test_full_disk(self):
        self.mount("size=256k")
        with self.launch() as host:
            self.assert_memory_only(host, "No space left on device")
            self.wait_for_edges(20, host)
            self.assertEqual(host.stop(), 0)

    def test_disk_that_becomes_read_only(self):
        disk = self.mount("size=4m")
        self.run_cut_off(50)
        self.lose_memory()
        namespaces.mount_memory(disk, "ro")
        with self.launch() as host:
            self.assert_memory_only(host, "Read-only file system")
            # What is there is read, and goes.
            self.wait_for_edges(70, host)


class FileTests(DiskCase):
    def setUp(self):
        super().setUp()
        self.prepare_door()

    def verify(self):
        return run_command("journal", "verify", "--file", str(self.journal))

    def test_flipped_bit(self):
        self.run_cut_off(60)
        self.lose_memory()
        self.assertEqual(self.verify().returncode, 0)
        content = bytearray(self.journal.read_bytes())
        content[content.index(b'"line_seq":30')] ^= 1
        self.journal.write_bytes(content)
        found = self.verify()
        self.assertEqual(found.returncode, 1)
        self.assertIn("segment", found.stdout + found.stderr)
        with self.launch() as host:
            self.wait_for_edges(59, host)
            self.assertEqual(self.next_status(lambda facts: facts["waiting"] == 0)["damaged"], 1)
            numbers = [message.json()["line_seq"] for message in self.edges(self.stream)]
            self.assertEqual(numbers, [number for number in range(1, 61) if number != 30])

    def test_no_journal_at_all(self):
        for content in (b"", b"\0" * 100, os.urandom(JOURNAL_BYTES), os.urandom(3 * JOURNAL_BYTES)):
            with self.subTest(bytes=len(content)):
                before = len(self.edges(self.stream))
                self.journal.write_bytes(content)
                with self.launch() as host:
                    with self.open_socket(host) as peer:
                        peer.drive_often(10)
                    self.wait_for_edges(before + 10, host)

    def test_file_of_another_size(self):
        self.run_cut_off(50)
        text = self.manifest.read_text()
        self.manifest.write_text(text.replace("size: 1MB", "size: 2MB"))
        with self.launch() as host:
            self.wait_for_edges(50, host)


def setUpModule():
    global REASON
    REASON = namespaces.enter_mounts()


if __name__ == "__main__":
    unittest.main()
