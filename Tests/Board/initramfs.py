"""A board's root file system: an archive in the kernel's "newc" cpio format.

In:  busybox, kernel modules, the board's init and whatever files a test adds.
Out: one uncompressed archive; the kernel unpacks it into memory at boot.
Never: needs root, or writes anything but the archive.

Format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import stat
from pathlib import Path

DIRECTORY = stat.S_IFDIR | 0o755
EXECUTABLE = stat.S_IFREG | 0o755
PLAIN = stat.S_IFREG | 0o644


class Archive:
    """Collects files by their path in the guest; parent folders appear by themselves."""

    def __init__(self):
        self._bytes = bytearray()
        self._number = 0
        self._folders = set()

    def add(self, path, contents, mode=PLAIN):
        """Adds a file. `contents` is text, bytes, or the Path of a file of this machine, whose
        permission to execute is kept."""
        if isinstance(contents, Path):
            if contents.stat().st_mode & stat.S_IXUSR:
                mode = EXECUTABLE
            contents = contents.read_bytes()
        elif isinstance(contents, str):
            contents = contents.encode()
        path = path.strip("/")
        self._add_folders(path)
        self._append(path, mode, contents)

    def finish(self):
        self._append("TRAILER!!!", 0, b"")
        return bytes(self._bytes)

    def _add_folders(self, path):
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in self._folders:
                self._folders.add(folder)
                self._append(folder, DIRECTORY, b"")

    def _append(self, path, mode, contents):
        name = path.encode() + b"\0"
        self._number += 1
        fields = [
            self._number,  # inode
            mode,
            0, 0,  # owner and group: root
            1,  # links
            0,  # modification time
            len(contents),
            0, 0, 0, 0,  # device numbers of the file system and of a device file
            len(name),
            0,  # checksum, unused in this format
        ]
        self._bytes += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        self._pad()
        self._bytes += contents
        self._pad()

    def _pad(self):
        self._bytes += bytes(-len(self._bytes) % 4)


def build(board_folder, init, files, init_script):
    """The archive for a board whose kernel, busybox and modules `setup` left in `board_folder`.

    `files` maps paths in the guest to contents as `Archive.add` takes them.
    """
    archive = Archive()
    archive.add("/bin/busybox", board_folder / "busybox")
    archive.add("/init", init, EXECUTABLE)
    for module in sorted((board_folder / "modules").iterdir()):
        archive.add(f"/modules/{module.name}", module)
    archive.add("/etc/board-init", init_script)
    for path, contents in files.items():
        archive.add(path, contents)
    return archive.finish()
