"""A manifest with a mistake is refused with the place of the mistake, by `check` and by `run` alike."""

import re
import tempfile
import unittest
from pathlib import Path

from edge_host import ROOT, run_command

LINE = "capabilities: [{{builtin: gpio, board: simulated, lines: [{}]}}]\n"

# Name, text, place of the first mistake, and what its message says.
MISTAKES = [
    ("syntax", "host: {name: dock-7\n", "2:1", "YAML"),
    ("not UTF-8", b"host: {name: dock\xff}\n", "1:1[0-9]", "UTF-8"),
    ("empty", "", "1:1", "empty"),
    ("unknown key", "capabilities: []\nhost: {nmae: dock-7}\n", "2:8", "did you mean 'name'"),
    ("wrong type", "capabilities: 7\n", "1:15", "list"),
    ("missing key", "host: {name: dock-7}\n", "1:1", "capabilities"),
    ("missing key of a line", LINE.format("{name: door}"), "1:[0-9]+", "direction"),
    ("duration", LINE.format("{name: door, direction: input, debounce: 5}"), "1:99", "unit"),
    ("duration's unit", LINE.format("{name: door, direction: input, debounce: 5 parsecs}"),
     "1:99", "parsecs"),
    ("name twice",
     LINE.format("{name: door, direction: input}, {name: door, direction: output}"),
     "1:9[0-9]", "twice"),
    ("unknown value", LINE.format("{name: door, direction: inptu}"), "1:[0-9]+", "input"),
    ("key of the other direction",
     LINE.format("{name: door, direction: input, safe: inactive}"), "1:[0-9]+", "safe"),
    ("key twice", "capabilities: []\nhost: {name: a}\nhost: {name: b}\n", "3:1", "host"),
    ("name that is no subject token", "capabilities: []\nhost: {name: dock.7}\n", "2:14", "dock.7"),
    ("server's address", "capabilities: []\nlink: {servers: [\"nats://dock 7\"]}\n", "2:18", "dock 7"),
    ("alias", "capabilities: &a []\nactors: *a\n", "1:15", "nchor"),
    ("nesting", "capabilities: " + "[" * 500 + "\n", "1:[0-9]+", "deep|nest"),
]


class ManifestTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="manifest-")))
        self.path = self.folder / "manifest.yaml"

    def assert_refused(self, pattern):
        """`check` and `run` both end with status 2 and one line like the pattern."""
        for words in (["check", str(self.path)], ["run", "--manifest", str(self.path)],
                      ["--manifest", str(self.path)]):
            result = run_command(*words)
            self.assertEqual(result.returncode, 2, result)
            self.assertEqual(result.stdout, "")
            self.assertRegex(result.stderr.splitlines()[0], f"^{re.escape(str(self.path))}:{pattern}")

    def test_each_kind_of_mistake(self):
        for name, text, place, says in MISTAKES:
            with self.subTest(name):
                self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
                self.assert_refused(f"{place}: .*({says})")

    def test_file_that_is_not_there(self):
        self.assert_refused(" .*No such file")

    def test_folder_instead_of_a_file(self):
        self.path.mkdir()
        self.assert_refused(" .*directory")

    def test_file_that_cannot_be_read(self):
        # Opens, but its first bytes are no memory of anybody's; also for root, who may read all.
        self.path = Path("/proc/self/mem")
        self.assert_refused(" .*error")

    def test_all_mistakes_are_told_at_once(self):
        self.path.write_text("host: {nmae: a}\nlabels: 7\ncapabilities: {}\n")
        result = run_command("check", str(self.path))
        places = [line.split(":")[1] for line in result.stderr.splitlines()]
        self.assertEqual(places, ["1", "2", "3"])

    def test_good_manifests_pass(self):
        paths = [*ROOT.glob("Examples/*/*.yaml"), *ROOT.glob("docs/examples/*.yaml")]
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(path.name):
                result = run_command("check", str(path))
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn(": ok: ", result.stdout)


if __name__ == "__main__":
    unittest.main()
