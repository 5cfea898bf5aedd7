"""What the tests of the journal share: a host with files of its own, whose doors are moved through its local
socket, with and without a server."""

import tempfile
import time
from pathlib import Path

from edge_host import EdgeHost
from host_case import LOGS, OwnServersTestCase, manifest
from jetstream import Stream
from local_peer import Peer

JETSTREAM = "jetstream { store_dir: $STORE }\n"
SUBJECTS = ["edge.*.*.gpio.*.edge", "edge.*.*.host.*"]


def doors(count):
    return [f"{{name: door-{number}, direction: input, report: durable}}" for number in range(count)]


class DoorPeer(Peer):
    """A connection to the host's socket that moves its doors."""

    def ask(self, **request):
        answer = super().ask(**request)
        if answer is None:
            raise EOFError
        return answer

    def run(self):
        """The id of this life of the process."""
        return self.ask(describe=True)["result"]["id"]

    def drive(self, door, active):
        """Moves a door. Once this returns the host has taken the edge."""
        answer = self.ask(capability="gpio", resource=door, operation="drive",
                          arguments={"active": active})
        if "error" in answer:
            raise AssertionError(answer)

    def drive_often(self, count, doors=1):
        for number in range(count):
            self.drive(f"door-{number % doors}", number // doors % 2 == 0)


class JournalCase(OwnServersTestCase):
    """The host's files are in `folder`; the journal is `journal` there, or elsewhere."""

    def prepare(self, lines, link, journal="", path=None, size="1MB"):
        """Writes a manifest."""
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="edge-host-")))
        self.socket = self.folder / "socket"
        self.journal = Path(path or self.folder / "journal")
        (self.folder / "run").mkdir()
        self.manifest = self.folder / "manifest.yaml"
        more = f"journal: {{size: {size}, sync: 200ms, path: {self.journal}{journal}}}\n"
        self.manifest.write_text(manifest(*lines, presence="1s", socket=self.socket, more=link + more))

    def launch(self):
        log = LOGS / f"{self.id().partition('.')[2]}.log"
        return EdgeHost("run", "--manifest", str(self.manifest), log=log,
                        variables={"RUNTIME_DIRECTORY": str(self.folder / "run")})

    def open_socket(self, host):
        """A connection to the host as soon as it takes one; an error when it has ended before."""
        while host.is_running:
            try:
                return DoorPeer(self.socket)
            except OSError:
                time.sleep(0.005)
        raise EOFError

    def make_stream(self, client):
        stream = Stream(client, "EDGE")
        stream.create(SUBJECTS, allow_atomic=True)  # which older servers pass over
        return stream

    def edges(self, stream):
        """The stored edges, oldest first."""
        return [message for message in stream.messages() if ".gpio." in message.subject]
