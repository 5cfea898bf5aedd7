"""QEMU's two control sockets: QMP, which operates the machine, and qtest, which touches its pins."""

import json
import socket
import time

ANSWER_SECONDS = 60

# What QEMU and this program hold of one another's messages has a bound, which neither may wait for.
BATCH_LINES = 250


class EmulatorError(Exception):
    pass


class ControlSocket:
    """A Unix socket of QEMU's, spoken to line by line."""

    def __init__(self, path, is_running):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_SECONDS)
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                self._socket.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if not is_running() or time.monotonic() > deadline:
                    self._socket.close()
                    raise EmulatorError(f"QEMU did not open {path.name}; see its own messages")
                time.sleep(0.01)
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def close(self):
        self._lines.close()
        self._socket.close()

    def _send(self, line):
        self._socket.sendall(line.encode() + b"\n")

    def _receive(self):
        line = self._lines.readline()
        if not line:
            raise EmulatorError("QEMU closed its control socket")
        return line.rstrip("\r\n")


class Monitor(ControlSocket):
    """QMP: commands and answers in JSON. QEMU, docs/interop/qmp-spec.txt."""

    def __init__(self, path, is_running):
        super().__init__(path, is_running)
        self._receive()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self._send(json.dumps({"execute": command, "arguments": arguments}))
        while True:
            answer = json.loads(self._receive())
            if "error" in answer:
                raise EmulatorError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
            # Anything else is an event, which may come at any time and is not needed.

    def find_device(self, type_name):
        """The path, in QEMU's tree of objects, of the machine's first device of this type."""
        for child in self.execute("qom-list", path="/machine/unattached"):
            if child["type"] == f"child<{type_name}>":
                return f"/machine/unattached/{child['name']}"
        raise EmulatorError(f"the machine has no {type_name}")


class PinProbe(ControlSocket):
    """qtest: drives the wires into a device and reads its registers while the guest runs.
    The commands are described at the head of QEMU's softmmu/qtest.c."""

    def set_wires(self, device, changes):
        """Drives wires one after the other, (wire, level) each, with one answer awaited at the end."""
        self._request_all([f"set_irq_in {device} unnamed-gpio-in {wire} {level}"
                           for wire, level in changes])

    def read_register(self, address):
        return int(self._request_all([f"readl {address:#x}"])[0], 16)

    def _request_all(self, lines):
        values = []
        for start in range(0, len(lines), BATCH_LINES):
            batch = lines[start:start + BATCH_LINES]
            self._send("\n".join(batch))
            for line in batch:
                answer, _, value = self._receive().partition(" ")
                if answer != "OK":
                    raise EmulatorError(f"qtest answered {answer} {value} to: {line}")
                values.append(value)
        return values
