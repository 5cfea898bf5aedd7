"""TCP ports that nobody uses."""

import random
import socket

# Below the range from which Linux by default takes ports for outgoing connections, so that a port
# that is free now stays free until a server opens it, or opens it again.
PORTS = range(20_000, 32_000)


def free_port():
    """A TCP port of the loopback that nobody uses."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
