"""Who a host is, and TLS: each kind of authentication, whom the host trusts, what it says when it is
refused. TLS is tested where the program has it."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import credentials
import nats_server
from certificates import Certificates
from edge_host import COMMAND, WAIT_SECONDS, run_command
from host_case import HOST, LATTICE, OwnServersTestCase
from link import Link
from secure_server import SecureServer

HAS_TLS = "with TLS" in subprocess.run(
    [*COMMAND, "--version"], capture_output=True, text=True).stdout

SECRET = "hunter2-hunter2"
# How long the host waits at least when trying again at once would be of no use.
SOME_TIME_MS = 30_000


class SecurityTestCase(OwnServersTestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="edge-host-")))

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def launch(self, server, more="", scheme="nats", address=None):
        """The host with this server and more of `link`."""
        address = address or f"127.0.0.1:{server.port}"
        return self.launch_host(
            f"host: {{name: {HOST}, lattice: {LATTICE}}}\n"
            f"link:\n  servers: [{scheme}://{address}]\n{more}capabilities: []\n", server)

    def assert_refused(self, host, reason, pause_ms_min=0):
        """The host says why, once for a try, and when it tries again."""
        host.wait_for_log(reason)
        lines = [line for line in host.log.splitlines() if reason in line]
        for line in lines:
            pause = re.search(r"next try in (\d+) ms", line)
            self.assertIsNotNone(pause, host.log)
            self.assertGreaterEqual(int(pause[1]), pause_ms_min)
        self.assertNotIn("connected to", host.log)

    def assert_no_secret(self, host, *secrets):
        for secret in (SECRET, *secrets):
            self.assertNotIn(secret, host.log)


class AuthenticationTests(SecurityTestCase):
    def check(self, server, auth, *secrets):
        host = self.launch(server, f"  auth: {auth}\n")
        host.wait_for_log("connected to")
        self.assert_no_secret(host, *secrets)

    def test_token(self):
        server = self.serve(f"authorization {{ token: \"{SECRET}\" }}\n")
        self.check(server, f"{{token: {self.file('token', SECRET + chr(10))}}}")

    def test_user_and_password(self):
        server = self.serve(f"authorization {{ user: dock, password: \"{SECRET}\" }}\n")
        self.check(server, f"{{user: dock, password: {self.file('password', SECRET)}}}")

    def test_nkey(self):
        key = credentials.Key(credentials.USER)
        server = self.serve(f"authorization {{ users: [ {{nkey: {key.public}}} ] }}\n")
        self.check(server, f"{{nkey: {self.file('seed', key.seed)}}}", key.seed)

    def test_creds(self):
        authority = credentials.Authority()
        server = self.serve(authority.configuration)
        user = authority.user()
        secrets = user.splitlines()
        self.check(
            server, f"{{creds: {self.file('user.creds', user)}}}", secrets[1], secrets[6])

    def test_wrong_password_is_tried_again_and_a_new_one_is_taken(self):
        server = self.serve(f"authorization {{ user: dock, password: \"{SECRET}\" }}\n")
        file = self.file("password", "wrong-" + SECRET)
        host = self.launch(server, f"  auth: {{user: dock, password: {file}}}\n")
        self.assert_refused(host, "Authorization Violation", SOME_TIME_MS)
        file.write_text(SECRET)
        # Somebody has to repair this first, so the host asks a minute later, then minutes apart.
        host.wait_for_log("connected to", timeout=2 * WAIT_SECONDS)
        self.assertEqual(host.log.count("Authorization Violation"), 1)
        self.assert_no_secret(host)

    def test_wrong_key(self):
        right, wrong = credentials.Key(credentials.USER), credentials.Key(credentials.USER)
        server = self.serve(f"authorization {{ users: [ {{nkey: {right.public}}} ] }}\n")
        host = self.launch(server, f"  auth: {{nkey: {self.file('seed', wrong.seed)}}}\n")
        self.assert_refused(host, "Authorization Violation", SOME_TIME_MS)
        self.assert_no_secret(host, wrong.seed)

    def test_expired_user(self):
        authority = credentials.Authority()
        server = self.serve(authority.configuration)
        file = self.file("user.creds", authority.user(lifetime_seconds=-10))
        host = self.launch(server, f"  auth: {{creds: {file}}}\n")
        self.assert_refused(host, "the server refused", SOME_TIME_MS)

    def test_a_file_that_is_missing_stops_nothing(self):
        server = self.serve(f"authorization {{ token: \"{SECRET}\" }}\n")
        host = self.launch(server, f"  auth: {{token: {self.folder}/token}}\n")
        self.assert_refused(host, "/token: No such file or directory", SOME_TIME_MS)


class OperatorTests(SecurityTestCase):
    """Commands that talk to hosts prove who they are as hosts do."""

    def check(self, server, auth, *options):
        host = self.launch(server, f"  auth: {auth}\n")
        host.wait_for_log("connected to")
        hosts = run_command("hosts", *options, server=server.address)
        self.assertEqual((hosts.returncode, hosts.stderr), (0, ""))
        self.assertIn(HOST, hosts.stdout)
        stranger = run_command("hosts", server=server.address)
        self.assertEqual(stranger.returncode, 1)
        self.assertIn("Authorization Violation", stranger.stderr)

    def test_creds(self):
        authority = credentials.Authority()
        server = self.serve(authority.configuration)
        file = self.file("ops.creds", authority.user())
        self.check(server, f"{{creds: {file}}}", "--creds", file)

    def test_nkey(self):
        key = credentials.Key(credentials.USER)
        server = self.serve(f"authorization {{ users: [ {{nkey: {key.public}}} ] }}\n")
        file = self.file("seed", key.seed)
        self.check(server, f"{{nkey: {file}}}", "--nkey", file)

    def test_a_file_that_is_missing(self):
        server = self.serve(credentials.Authority().configuration)
        result = run_command("hosts", "--creds", self.folder / "none", server=server.address)
        self.assertEqual(result.returncode, 1)
        self.assertIn("/none: No such file or directory", result.stderr)


@unittest.skipUnless(HAS_TLS, "the program has no TLS")
class TLSTests(SecurityTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = cls.enterClassContext(Certificates())

    def serve_tls(self, more="", configuration=""):
        ours = self.certificates
        return self.serve(
            f"tls {{ cert_file: \"{ours.path('server.pem')}\"\n"
            f" key_file: \"{ours.path('server.key')}\"\n {more} }}\n{configuration}")

    def tls(self, authority="ca.pem", more=""):
        return f"  tls: {{ca: {self.certificates.path(authority)}{more}}}\n"

    def test_server_that_requires_tls(self):
        host = self.launch(self.serve_tls(), self.tls())
        host.wait_for_log("(TLSv1.3)")

    def test_address_that_requires_tls(self):
        host = self.launch(self.serve_tls(), self.tls(), scheme="tls")
        host.wait_for_log("connected to tls://")

    def test_the_session_is_resumed(self):
        server = self.serve_tls()
        link = self.enterContext(Link(server.port))
        host = self.launch(server, self.tls(), address=f"127.0.0.1:{link.port}")
        host.wait_for_log("(TLSv1.3)")
        # A server that starts anew has other keys for tickets: only the link is cut.
        link.cut()
        link.heal()
        host.wait_for_log("(TLSv1.3, resumed)")

    def test_tls_with_credentials(self):
        authority = credentials.Authority()
        server = self.serve_tls(configuration=authority.configuration)
        file = self.file("user.creds", authority.user())
        host = self.launch(server, f"  auth: {{creds: {file}}}\n" + self.tls(), scheme="tls")
        host.wait_for_log("connected to tls://")

    def test_operator(self):
        ours = self.certificates
        server = self.serve_tls(f"ca_file: \"{ours.path('ca.pem')}\"\n verify: true")
        own = f", certificate: {ours.path('client.pem')}, key: {ours.path('client.key')}"
        self.launch(server, self.tls(more=own)).wait_for_log("(TLSv1.3)")
        options = ["--tlsca", ours.path("ca.pem"), "--tlscert", ours.path("client.pem"),
                   "--tlskey", ours.path("client.key")]
        hosts = run_command("hosts", *options, server=server.address)
        self.assertEqual((hosts.returncode, hosts.stderr), (0, ""))
        self.assertIn(HOST, hosts.stdout)
        stranger = run_command("hosts", *options[:2], server=server.address)
        self.assertEqual(stranger.returncode, 1)
        self.assertIn("the server refused TLS: ", stranger.stderr)

    def test_unknown_authority(self):
        host = self.launch(self.serve_tls(), self.tls("other.pem"), scheme="tls")
        self.assert_refused(host, "was issued by 'edge-host test'", SOME_TIME_MS)

    def test_wrong_name(self):
        host = self.launch(self.serve_tls(), self.tls(more=", server_name: hub.other"))
        self.assert_refused(
            host, "the server's certificate is for hub.example, 127.0.0.1, not for hub.other")

    def test_name_of_the_manifest(self):
        host = self.launch(self.serve_tls(), self.tls(more=", server_name: hub.example"))
        host.wait_for_log("(TLSv1.3)")

    def test_server_without_tls(self):
        for scheme, more in (("tls", ""), ("nats", self.tls())):
            host = self.launch(self.serve(), more, scheme=scheme)
            self.assert_refused(host, "the server does not offer TLS")

    def test_client_certificate(self):
        ours = self.certificates
        server = self.serve_tls(f"ca_file: \"{ours.path('ca.pem')}\"\n verify: true")
        own = f", certificate: {ours.path('client.pem')}, key: {ours.path('client.key')}"
        host = self.launch(server, self.tls(more=own))
        host.wait_for_log("(TLSv1.3)")
        other = self.launch(server, self.tls())
        # Which alert it is depends on the server's version.
        self.assert_refused(other, "the server refused TLS: ")

    def test_versions(self):
        for version in ("TLSv1.2", "TLSv1.3"):
            server = self.enterContext(SecureServer(self.certificates, version))
            host = self.launch(server, self.tls(), scheme="tls")
            host.wait_for_log(f"({version})")

    def test_handshake_first_of_nats_server(self):
        number = tuple(int(part) for part in nats_server.version().lstrip("v").split(".")[:3])
        if number < (2, 10, 4):
            self.skipTest("this server knows no handshake_first")
        # It waits for the host before it falls back to INFO, for which the test's own probe waits.
        server = self.serve_tls("handshake_first: \"1s\"")
        host = self.launch(server, self.tls(more=", handshake_first: true"), scheme="tls")
        host.wait_for_log("(TLSv1.3)")

    def test_handshake_first(self):
        server = self.enterContext(SecureServer(self.certificates, handshake_first=True))
        host = self.launch(server, self.tls(more=", handshake_first: true"), scheme="tls")
        host.wait_for_log("(TLSv1.3)")

    def test_handshake_first_where_the_server_speaks_first(self):
        host = self.launch(self.serve_tls(), self.tls(more=", handshake_first: true"))
        self.assert_refused(host, "the server does not speak TLS from the start")


if __name__ == "__main__":
    unittest.main()
