"""A network of one's own: this process and what it starts see no other, and a board beside it is on
the far end of a virtual cable, whose addresses and routes come and go as a test says. Or disks of one's own,
which nobody else sees either."""

import ctypes
import os
import subprocess
import time

from child import Child

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWNET = 0x4000_0000

# Where the servers are, and where the board.
HUB = "10.99.0.1"
BOARD = "10.99.0.2"


def enter():
    """Moves this process, which must have one thread, into a network namespace of its own. Returns
    None, or the reason why that cannot be."""
    reason = _unshare(CLONE_NEWNET)
    if reason is not None:
        return f"no network namespace: {reason}"
    probe = subprocess.run("ip link set lo up && ip link add near type veth peer name far && "
                           "ip link del near", shell=True, capture_output=True, text=True)
    return f"no virtual cable: {probe.stderr.strip()}" if probe.returncode else None


def enter_mounts():
    """Moves this process, which must have one thread, to where it may mount. Returns None, or the reason
    why that cannot be."""
    reason = _unshare(CLONE_NEWNS)
    if reason is not None:
        return f"no mount namespace: {reason}"
    probe = subprocess.run("mount --make-rprivate / && mount -t tmpfs none /mnt && umount /mnt", shell=True,
                           capture_output=True, text=True)
    return f"no mount: {probe.stderr.strip()}" if probe.returncode else None


def mount_memory(folder, options):
    """Mounts a file system in memory; mounted already, it gets other options."""
    is_mounted = os.path.ismount(folder)
    _run("mount", "-t", "tmpfs", "-o", f"remount,{options}" if is_mounted else options, "none", str(folder))


def unmount(folder):
    _run("umount", str(folder))


def _unshare(what):
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | what) == 0:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"0 {user} 1")
        _write("/proc/self/gid_map", f"0 {group} 1")
    elif libc.unshare(what) != 0:
        return os.strerror(ctypes.get_errno())
    return None


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


class Board:
    """The other end of a cable: `command` runs there, `ip` changes what the board has.

    plug(), unplug()    the cable, as the board sees it: its carrier
    """

    def __enter__(self):
        self._holder = Child(["unshare", "--net", "sleep", "infinity"])
        self.prefix = ["nsenter", "--target", str(self._holder.pid), "--net", "--"]
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self._holder.pid}/ns/net") == own:
            time.sleep(0.01)
        _run("ip", "link", "add", "hub", "type", "veth", "peer", "name", "board", "netns",
             str(self._holder.pid))
        _run("ip", "addr", "add", f"{HUB}/24", "dev", "hub")
        self.plug()
        self.ip("link set lo up")
        self.ip("link set board up")
        self.ip(f"addr add {BOARD}/24 dev board")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "del", "hub"], check=False)
        self._holder.end()

    def ip(self, command):
        _run(*self.prefix, "ip", *command.split())

    def plug(self):
        _run("ip", "link", "set", "hub", "up")

    def unplug(self):
        _run("ip", "link", "set", "hub", "down")


def _run(*command):
    subprocess.run(command, check=True)
