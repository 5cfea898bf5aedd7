"""The programs that a board gets: edge-host, and those in C of the tests."""

import os
import shutil
import subprocess
from pathlib import Path

from board import BUILD, HERE

CLANG_TARGETS = {"aarch64": "aarch64-linux-musl", "armv7": "armv7-linux-musleabihf"}


def host_program(architecture):
    """The path of edge-host where cross/build leaves it: the one with libgpiod when GPIO_BACKEND says
    so."""
    program = BUILD / os.environ.get("GPIO_BACKEND", "") / architecture / "edge-host"
    if not program.exists():
        raise FileNotFoundError(f"{program} is missing: build it with `make cross`")
    return program


def compile_for_board(source, architecture):
    """Compiles a source of this folder with the toolchain and the sysroot of the cross build; returns
    the path of the program, which is static."""
    sysroot = BUILD / "sdk" / "edge-host.artifactbundle" / architecture / "sysroot"
    swiftc = shutil.which("swiftc")
    if swiftc is None or not sysroot.exists():
        raise FileNotFoundError(f"no swiftc, or no {sysroot}: run cross/setup")
    program = BUILD / "board" / architecture / Path(source).stem
    subprocess.run(
        [Path(swiftc).resolve().parent / "clang", f"--target={CLANG_TARGETS[architecture]}",
         f"--sysroot={sysroot}", "-static", "-fuse-ld=lld", "-Os", "-Wall", "-Wextra", "-Werror",
         HERE / source, "-o", program],
        check=True)
    return program
