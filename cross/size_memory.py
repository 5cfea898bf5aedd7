"""Measures the memory of an idle program that has joined a lattice on this machine."""
import collections
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

MANIFEST = """\
host: {name: size, lattice: size}
link:
  servers: [nats://127.0.0.1:PORT]
capabilities:
  - builtin: gpio
    board: simulated
    lines:
      - {name: door, line: 0, direction: input}
      - {name: relay, line: 1, direction: output, safe: inactive}
  - builtin: sensors
    board: simulated
    sensors:
      - {name: temperature, kind: simulated, every: 60s}
      - {name: humidity, kind: simulated, every: 60s}
"""
START_SECONDS = 10  # to start and join; it takes a fraction of one
IDLE_SECONDS = 5

Memory = collections.namedtuple("Memory", "pss rss threads")


class CannotMeasure(Exception):
    pass


def idle_memory(program):
    """Starts a NATS server and the program, and says what the program takes (bytes, threads)."""
    if not program.exists():
        raise CannotMeasure(f"{program} is missing; run cross/build x86_64")
    nats_server = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if not nats_server:
        raise CannotMeasure("there is no nats-server; install it with: apt install nats-server")
    processes = []
    with tempfile.TemporaryDirectory(prefix="edge-host-size-") as folder:
        folder = pathlib.Path(folder)
        try:
            server = start(processes, folder / "nats.log", nats_server, "--addr", "127.0.0.1",
                           "--port", "-1", "--http_port", "-1", "--ports_file_dir", folder)
            ports = wait_for(lambda: read_ports(folder), [server], "the NATS server to listen")
            port = re.search(r":(\d+)$", ports["nats"][0])[1]
            manifest = folder / "manifest.yaml"
            manifest.write_text(MANIFEST.replace("PORT", port))
            host = start(processes, folder / "host.log", program, "run", "--manifest", manifest)
            monitor = ports["monitoring"][0]
            wait_for(lambda: has_joined(monitor), [server, host], "the program to join")
            time.sleep(IDLE_SECONDS)
            if host.poll() is not None:
                raise CannotMeasure(f"the program ended while idle:\n{host.log.read_text()}")
            return memory_of(host.pid)
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait()


def start(processes, log, *command):
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    process.log = log
    processes.append(process)
    return process


def wait_for(check, processes, what):
    """The first true value of check(); fails when it takes too long or a process ends."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if value := check():
            return value
        for process in processes:
            if process.poll() is not None:
                name = pathlib.Path(process.args[0]).name
                raise CannotMeasure(f"waiting for {what}, {name} ended with status "
                                    f"{process.returncode} and said:\n{process.log.read_text()}")
        time.sleep(0.05)
    said = "\n".join(process.log.read_text() for process in processes[-1:])
    raise CannotMeasure(f"waited {START_SECONDS} s for {what}; it said:\n{said}")


def read_ports(folder):
    """The server's addresses, once it has written them."""
    try:
        return json.loads(next(folder.glob("nats-server_*.ports")).read_text())
    except (StopIteration, json.JSONDecodeError):
        return None


def has_joined(monitor):
    """Whether a client is connected and subscribed."""
    with urllib.request.urlopen(f"{monitor}/connz", timeout=START_SECONDS) as answer:
        return any(client["subscriptions"] > 0 for client in json.load(answer)["connections"])


def memory_of(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return Memory(
        pss=int(re.search(r"^Pss: +(\d+) kB", rollup, re.M)[1]) * 1024,
        rss=int(re.search(r"^Rss: +(\d+) kB", rollup, re.M)[1]) * 1024,
        threads=int(re.search(r"^Threads:\s+(\d+)", status, re.M)[1]),
    )
