"""What the tests with a cluster share: three servers that know each other."""

from host_case import LOGS, HostTestCase, link, manifest
from nats_server import NATSServer

CONFIGURATION = """\
server_name: {name}
host: 127.0.0.1
port: $PORT
trace: {trace}
# The shortest that servers take; clients are asked to go at once.
lame_duck_duration: "30s"
lame_duck_grace_period: "3s"
cluster {{ name: hub, host: 127.0.0.1, port: $ROUTE_PORT, routes: [{routes}] }}
"""


class ClusterTestCase(HostTestCase):
    """A cluster of three for each test."""

    trace = "false"

    @classmethod
    def setUpClass(cls):
        LOGS.mkdir(parents=True, exist_ok=True)

    def setUp(self):
        name = self.id().rpartition(".")[2]
        self.servers = [NATSServer(log=LOGS / f"{name}.{letter}.log") for letter in "abc"]
        routes = ", ".join(f"nats-route://127.0.0.1:{each.route_port}" for each in self.servers)
        for number, server in enumerate(self.servers):
            server.configuration = CONFIGURATION.format(
                name=f"hub-{number}", routes=routes, trace=self.trace)
        for server in self.servers:
            self.enterContext(server)
        self.server = self.servers[0]
        super().setUp()

    def launch(self, *lines, ports=None):
        ports = ports or self.ports
        host = self.launch_host(manifest(*lines, presence="1s", more=link(ports)))
        host.wait_for_log("connected to")
        return host

    @property
    def ports(self):
        return [server.port for server in self.servers]

    def server_of(self, host, *lists):
        """The index of the server that the host joined last, by the ports that lead to the servers."""
        last = [line for line in host.log.splitlines()
                if line.startswith(("connected to ", "moved to "))][-1]
        port = int(last.rpartition(":")[2])
        return next(ports.index(port) for ports in lists if port in ports)
