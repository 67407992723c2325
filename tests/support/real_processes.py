"""Real processes: programs that are started and watched through /proc."""

import os
import subprocess
import time
from pathlib import Path

from tocsin.processes import PROC, is_running

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds; what comes at all comes sooner, unless the machine stands still


def wait_until(condition, seconds=PATIENCE):
    """Wait until the condition gives something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def stats():
    """Yield process, parent and state of everything that runs."""
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            yield int(entry.name), int(stat[1]), stat[0]


def children_of(pid):
    """Return the processes that a process made, and those that they made."""
    found = []
    for child, parent, state in stats():
        if parent == pid and state != "Z":
            found += [child, *children_of(child)]
    return found


def zombies_of(pid):
    """Return the dead that a process has not taken note of."""
    return [child for child, parent, state in stats() if parent == pid and state == "Z"]


def all_gone(pids):
    return not any(is_running(pid) for pid in pids)


class Program:
    """A program that runs, with its output in a file."""

    def __init__(self, command, directory, environ=None):
        self.output = directory / f"output.{time.monotonic_ns()}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**environment, "PYTHONPATH": str(ROOT), **(environ or {})},
            )
        self.pid = self.process.pid

    def text(self):
        return self.output.read_text(errors="replace")

    def wait_for(self, words, seconds=PATIENCE):
        """Wait until the output holds the words."""
        try:
            wait_until(lambda: words in self.text() or self.process.poll() is not None, seconds)
        finally:
            assert words in self.text(), self.text()
        return self

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE):
        return self.process.wait(seconds)

    def family(self):
        return [self.pid, *children_of(self.pid)]
