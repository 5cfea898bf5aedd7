"""Completion for bash: what is offered for what is typed."""

import shlex
import subprocess
import unittest

from edge_host import COMMAND, ROOT, environment
from host_case import GATE, SIREN
from test_local import LocalCase

SCRIPT = ROOT / "deploy" / "completion" / "edge-host.bash"
# Where bash cuts a command line besides blanks.
BREAKS = "="


class CompletionTests(LocalCase):
    def setUp(self):
        super().setUp()
        self.program = self.folder / "edge-host"
        self.program.write_text(f"#!/bin/sh\nexec {shlex.join(COMMAND)} \"$@\"\n")
        self.program.chmod(0o755)

    def offered(self, line):
        """What is offered at the end of a line; a blank at its end begins a new word."""
        words = line.replace("=", " = ").split()
        if line.endswith(" "):
            words.append("")
        words[0] = str(self.program)
        script = f"""
            source {shlex.quote(str(SCRIPT))} || exit 1
            COMP_WORDS=({shlex.join(words)})
            COMP_CWORD={len(words) - 1}
            _edge_host {shlex.quote(words[0])} {shlex.quote(words[-1])} {shlex.quote(words[-2])}
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        result = subprocess.run(["bash", "-u", "-c", script], cwd=self.folder, env=environment(),
                                capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""), line)
        return [word for word in result.stdout.split("\n") if word]

    def test_commands_and_options(self):
        for line, expected in (("edge-host sa", ["safe"]), ("edge-host h", ["hosts", "help"]),
                               ("edge-host gpio s", ["scan", "set"]),
                               ("edge-host journal ", ["list", "dump", "verify", "clear"]),
                               ("edge-host journal list --f", ["--file"]),
                               ("edge-host gpio set --h", ["--hold"]),
                               ("edge-host watch --a", ["--acknowledge"]),
                               ("edge-host gpio get -b pull-", ["pull-up", "pull-down"]),
                               ("edge-host gpio set siren=", ["on", "off"]),
                               ("edge-host gpio set siren=of", ["off"]),
                               ("edge-host get --timeout ", []), ("edge-host fly ", [])):
            with self.subTest(line):
                self.assertEqual(self.offered(line), expected)

    def test_manifests(self):
        (self.folder / "dock.yaml").write_text("")
        for line in ("edge-host check do", "edge-host journal dump --file do", "edge-host run --manifest do", "edge-host safe --manifest do",
                     "edge-host hosts --creds do"):
            self.assertEqual(self.offered(line), ["dock.yaml"], line)

    def test_names_of_lines(self):
        self.start(GATE, SIREN)
        socket = f"--socket {self.path}"
        for line, expected in ((f"edge-host gpio get {socket} ", ["gate", "siren"]),
                               (f"edge-host gpio get --socket={self.path} g", ["gate"]),
                               (f"edge-host gpio set {socket} s", ["siren="]),
                               (f"edge-host gpio watch {socket} gate s", ["siren"])):
            with self.subTest(line):
                self.assertEqual(self.offered(line), expected)

    def test_no_host(self):
        self.assertEqual(self.offered(f"edge-host gpio get --socket {self.path} "), [])


if __name__ == "__main__":
    unittest.main()
