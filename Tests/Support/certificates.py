"""Certificates for tests, made with openssl: two authorities, servers' and a client's by the first."""

import subprocess
import tempfile
from pathlib import Path

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
RSA = ["-newkey", "rsa:2048"]


class Certificates:
    """A folder with ca.pem, other.pem, server.pem (RSA), server-ec.pem and client.pem, with their keys
    beside them, while entered as a context."""

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="certificates-")
        for name, subject in (("ca", "edge-host test"), ("other", "another authority")):
            self._run("req", "-x509", *EC, "-nodes", "-keyout", f"{name}.key", "-out",
                      f"{name}.pem", "-subj", f"/CN={subject}", "-days", "10")
        self._issue("server", RSA, "DNS:hub.example,IP:127.0.0.1")
        self._issue("server-ec", EC, "DNS:hub.example,IP:127.0.0.1")
        self._issue("client", EC, "DNS:dock-7")
        return self

    def __exit__(self, *_):
        self._temporary.cleanup()

    def path(self, name):
        return Path(self._temporary.name) / name

    def _issue(self, name, key, names):
        self._run("req", *key, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                  "-subj", f"/CN={name}")
        self.path("names").write_text(f"subjectAltName={names}\n")
        self._run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                  "-extfile", "names", "-out", f"{name}.pem", "-days", "10")

    def _run(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self._temporary.name, check=True,
                       capture_output=True)
