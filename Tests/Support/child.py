"""A process started by a test and certain to end with it."""

import os
import shutil
import signal
import subprocess

# Debian installs servers where only root looks for commands.
SEARCH_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin"

# How long a process that was told to end may take before it is killed.
END_SECONDS = 30


class Child:
    """A running command, ended by its process id and by nothing broader.

    It has a session of its own, so that Ctrl-C reaches the tests alone, which then end it. The
    kernel kills it if the tests die without cleaning up (`setpriv --pdeathsig`). That follows the
    thread which started it, so start children from the main thread.
    """

    def __init__(self, command, **options):
        program = shutil.which(command[0], path=SEARCH_PATH)
        if program is None:
            raise FileNotFoundError(f"no {command[0]} on this machine: see Tests/Support/install")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", program, *command[1:]],
            start_new_session=True, **options)
        self.pid = self._process.pid
        self.stdin = self._process.stdin
        self.stdout = self._process.stdout

    @property
    def is_running(self):
        return self._process.poll() is None

    @property
    def status(self):
        """The exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def signal(self, number):
        if self.is_running:
            self._process.send_signal(number)

    def wait(self, timeout):
        """True once the process has ended; False when it has not within `timeout` seconds."""
        try:
            self._process.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            return False

    def end(self, politely=True):
        """Ends the process and returns when it is gone."""
        if politely:
            self.signal(signal.SIGTERM)
            if self.wait(END_SECONDS):
                return
        self.signal(signal.SIGKILL)
        self._process.wait()
