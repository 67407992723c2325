"""Runs real programs for tests: each with a log, all of them ended at the end, and whatever they leave behind found.

Every process carries a mark of the test in its environment, which its children inherit, so that a descendant is found
wherever it went: into another session, or to another parent. Those that write over it are known by their directory.
"""

import os
import random
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from tocsin.processes import dies_with_parent

ROOT = Path(__file__).resolve().parents[2]
MARK = "ACCEPTANCE_TEST"
POLL = 0.02
PORTS = (16_000, 32_000)
# Parallel test processes draw from parts of their own: a port that was given is not yet listened on.
PARTS_OF_PORTS = 8
LOG_SHOWN = 12_000  # characters of a log's end

T = TypeVar("T")
_given_ports: set[int] = set()


def eventually(condition: Callable[[], T], *, timeout: float = 60.0, what: str = "", poll: float = POLL) -> T:
    """Wait until the condition gives something true and return that; fail after `timeout` seconds.

    A condition that raises AssertionError or OSError is one that does not hold yet; the last reason is told.
    """
    deadline = time.monotonic() + timeout
    reason: object = None
    while True:
        try:
            if found := condition():
                return found
            reason = found
        except (AssertionError, OSError) as error:  # an HTTP library's errors are OSErrors
            reason = error
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or 'what was awaited'} did not come within {timeout:g} s; last: {reason}")
        time.sleep(poll)


def never(condition: Callable[[], T], *, within: float, what: str) -> None:
    """Watch for `within` seconds that the condition gives nothing true."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = condition()
        assert not found, f"{what}: {found}"
        time.sleep(POLL)


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that was not given to anybody before.

    It lies below those that the kernel gives to outgoing connections, so that none of them takes it meanwhile.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PARTS_OF_PORTS
    width = (PORTS[1] - PORTS[0]) // PARTS_OF_PORTS
    first = PORTS[0] + worker * width
    while True:
        port = random.randrange(first, first + width)
        if port in _given_ports:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given_ports.add(port)
            return port


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody has waited for does not."""
    return _state(pid) not in ("", "Z", "X")


def _state(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[0]


def parent_of(pid: int) -> int:
    """Return the parent of a process, 0 when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def age_of(pid: int) -> float:
    """Return for how many seconds a process has lived, 0 when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return 0.0
    started = int(stat.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return max(time.clock_gettime(time.CLOCK_BOOTTIME) - started, 0.0)


def command_of(pid: int) -> str:
    """Return the command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


class Program:
    """One program that was started; `log` holds what it wrote."""

    def __init__(self, name: str, command: Sequence[str], log: Path, *, env: Mapping[str, str], cwd: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                # Should the tests be killed, this goes as well; it holds two system calls and no lock.
                preexec_fn=dies_with_parent(),  # noqa: PLW1509
            )
        self.pid = self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        self.process.send_signal(number)

    def wait(self, timeout: float) -> int:
        """Wait for the end and return the exit code (negative for a signal)."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout:g} s") from None

    def kill(self) -> None:
        """Kill the process alone, and wait for it."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()

    def terminate(self, timeout: float = 60.0) -> int:
        """Ask the process to end and return its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def children(self) -> dict[int, str]:
        """Return the command lines of the processes below it, by process id."""
        found, todo = {}, [self.pid]
        table = {int(entry.name): parent_of(int(entry.name)) for entry in Path("/proc").iterdir() if _is_pid(entry)}
        while todo:
            parent = todo.pop()
            for pid, its_parent in table.items():
                if its_parent == parent and is_alive(pid):
                    found[pid] = command_of(pid)
                    todo.append(pid)
        return found


class Programs:
    """All programs of one test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.mark = secrets.token_hex(8)
        self.started: list[Program] = []
        self._last_words: list[tuple[str, str]] = []

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Program:
        """Start a program in a session of its own; its standard output and error go to a log."""
        every = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
        every |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {}), MARK: self.mark}
        log = self.directory / f"{name}.log"
        program = Program(name, command, log, env=every, cwd=cwd or self.directory)
        self.started.append(program)
        return program

    def left(self) -> dict[int, str]:
        """Return every process that one of these programs, or a child of theirs, still is; by process id."""
        return {pid: command_of(pid) for pid in self._marked() if is_alive(pid)}

    def _marked(self) -> Iterator[int]:
        wanted = f"{MARK}={self.mark}".encode()
        for entry in Path("/proc").iterdir():
            if _is_pid(entry):
                with suppress(OSError):
                    is_here = str((entry / "cwd").readlink()).startswith(str(self.directory))
                    if is_here or wanted in (entry / "environ").read_bytes().split(b"\0"):
                        yield int(entry.name)

    def nothing_left(self, timeout: float = 60.0) -> None:
        """Fail unless all that programs which have ended left behind has gone within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while behind := self._left_behind():
            assert time.monotonic() < deadline, f"left behind: {behind}"
            time.sleep(POLL)

    def _left_behind(self) -> dict[int, str]:
        running = [program for program in self.started if program.is_alive()]
        theirs = {pid for program in running for pid in (program.pid, *program.children())}
        return {pid: line for pid, line in self.left().items() if pid not in theirs}

    def end(self) -> None:
        """Kill every program; fail when a child outlives its parent, and kill that as well."""
        for program in self.started:
            program.kill()
        try:
            self.nothing_left()
        finally:
            self._kill_what_is_left()
            self._last_words = self.logs()

    def _kill_what_is_left(self) -> None:
        deadline = time.monotonic() + 60
        while left := self.left():
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert time.monotonic() < deadline, f"processes that cannot be killed: {left}"
            time.sleep(POLL)

    def logs(self) -> list[tuple[str, str]]:
        """Return the name of every log and its end, also when the directory has gone."""
        logs = sorted(self.directory.glob("*.log"))
        return [(log.stem, log.read_text(errors="replace")[-LOG_SHOWN:]) for log in logs] or self._last_words


def _is_pid(entry: Path) -> bool:
    return entry.name.isdecimal()
