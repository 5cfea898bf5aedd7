"""A hub, a warehouse's leaf server, and between them a link that can be cut: the servers of
Examples/warehouse, on ports of their own."""

from contextlib import ExitStack
from pathlib import Path

from link import Link
from nats_server import NATSServer

EXAMPLE = Path(__file__).resolve().parents[2] / "Examples" / "warehouse"


class Warehouse:
    """All of it runs while entered as a context.

    logs  folder that keeps what the servers say, in hub.log and leaf.log; None keeps nothing
    """

    def __init__(self, logs=None):
        def log(name):
            return logs and logs / f"{name}.log"

        self.hub = NATSServer(EXAMPLE / "hub.conf", log=log("hub"))
        self.uplink = Link(self.hub.leaf_port)
        self.leaf = NATSServer(EXAMPLE / "leaf.conf", log=log("leaf"))
        uplink_address = f"127.0.0.1:{self.uplink.port}"
        self.hub.variables["ADVERTISE"] = f'"{uplink_address}"'
        self.leaf.variables["UPLINK"] = f"nats-leaf://{uplink_address}"

    def __enter__(self):
        with ExitStack() as stack:
            for part in (self.uplink, self.hub, self.leaf):
                stack.enter_context(part)
            self._parts = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._parts.close()
