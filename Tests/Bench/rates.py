"""Messages a second, and how long a request takes, with what they cost."""

from programs import ALL, ASAP, FLOOR, FULL, NATSC, NullServer, Samples

SIZES = (16, 256, 4096)
# How many messages make some tenths of a second, for a client that collects them before it sends.
MESSAGES = {16: 2_000_000, 256: 1_000_000, 4096: 100_000}
# One that sends each by itself takes so many times longer.
AT_ONCE_FACTOR = 20
REQUESTS = 2_000
# More than the server's first PING, so that a round holds whatever comes by itself.
COUNTED_MESSAGES = 100_000


class Rates:
    """Rows by name, each a `Samples`."""

    def __init__(self, server_port):
        self._port = server_port
        self.rows = {}

    def _add(self, row, program, value):
        self.rows.setdefault(row, Samples()).add(program, value)

    def round(self):
        """Every program once in every row, one after the other."""
        with NullServer("sink") as sink:
            for size in SIZES:
                for program in ALL:
                    self._publish(program, size, self._port, "to nats-server")
                    self._publish(program, size, sink.port, "to a server that only reads")
        for size in SIZES:
            with NullServer("source", size, MESSAGES[size]) as source:
                for program in ALL:
                    if program is not ASAP:  # it receives as the other nats.c does
                        self._receive(program, size, source.port)
        for program in ALL:
            self._request(program)

    def _publish(self, program, size, port, where):
        count = MESSAGES[size] // (AT_ONCE_FACTOR if program is ASAP else 1)
        result = program.measure("publish", port, size, count)
        self._add(f"publish {size} B {where}", program, result["messages"] / result["seconds"])
        if where == "to nats-server":
            self._add_cpu(f"publish {size} B", program, result)

    def _receive(self, program, size, port):
        result = program.measure("receive", port, size, MESSAGES[size])
        self._add(f"receive {size} B", program, result["messages"] / result["seconds"])
        self._add_cpu(f"receive {size} B", program, result)

    def _request(self, program):
        """Requester and responder are the same program, each a process of its own."""
        responder = program.start("respond", self._port)
        try:
            result = program.measure("request", self._port, 16, REQUESTS)
        finally:
            responder.end(politely=False)
        self._add("request p50", program, result["request_p50_us"])
        self._add("request p99", program, result["request_p99_us"])
        self._add_cpu("request", program, result)

    def _add_cpu(self, what, program, result):
        self._add(f"CPU {what}", program, result["cpu_seconds"] / result["messages"] * 1e4)

    def count_allocations(self):
        """Once: it is the same in every round. The bare socket has nothing to allocate for, and full
        Swift's library does not send its calls to where they are counted."""
        for program in ALL:
            if program in (FLOOR, FULL, ASAP):
                continue
            counting = program is NATSC
            with NullServer("sink") as sink:
                self._add_allocations("publish", program, program.measure(
                    "publish", sink.port, 256, COUNTED_MESSAGES, counting))
            with NullServer("source", 256, COUNTED_MESSAGES) as source:
                self._add_allocations("receive", program, program.measure(
                    "receive", source.port, 256, COUNTED_MESSAGES, counting))
            responder = program.start("respond", self._port)
            try:
                self._add_allocations("request", program, program.measure(
                    "request", self._port, 16, REQUESTS, counting))
            finally:
                responder.end(politely=False)

    def _add_allocations(self, what, program, result):
        self._add(f"allocations {what}", program, result["allocations"] / result["messages"])
