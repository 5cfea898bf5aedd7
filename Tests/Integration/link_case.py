"""What the tests with a slow link share."""

from host_case import HostTestCase, link, manifest
from link import Link

KBIT = 1000 / 8  # bytes a second


class LinkTestCase(HostTestCase):
    def launch(self, up, down, *lines, more="", **options):
        """The host behind a link with these conditions; returns both."""
        slow = self.enterContext(Link(self.server.port, up, down, seed=7))
        host = self.launch_host(manifest(*lines, more=link([slow.port], more), **options))
        return slow, host

    def assert_one_connection(self, host):
        self.assertEqual(host.log.count("connected to"), 1, host.log)
        self.assertNotIn("next try in", host.log)
