"""What the kernel offers about processes: dying with the parent, asking whether one lives, finding who has a port.

Linux only. It starts and stops nothing by itself, but for the caller.
"""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
PROC = Path("/proc")


def dies_with_parent(death_signal: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Return what a child calls between fork and exec, so that the kernel ends it when this process dies.

    The kernel ties this to the thread that forks: start children from the main thread only.
    """
    parent = os.getpid()

    def bind() -> None:
        _bind(parent, death_signal)

    return bind


def die_with_spawner() -> None:
    """Bind this process, made by `multiprocessing`, to the process that made it; elsewhere: nothing."""
    spawner = multiprocessing.parent_process()
    if spawner is not None and spawner.pid is not None:
        _bind(spawner.pid, signal.SIGKILL)


def _bind(parent: int, death_signal: signal.Signals) -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    # The parent may have died before the call: then no signal will ever come.
    if os.getppid() != parent:
        os._exit(1)


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that is dead and not yet waited for does not."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # The name stands in parentheses and may hold anything; the state follows the last one.
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def name_of(pid: int) -> str:
    """Return the command line of a process, or "" when it is gone or hidden."""
    try:
        line = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return line.replace(b"\0", b" ").decode("utf-8", "replace").strip()[:200]


def running_in(directory: Path, program: str) -> Iterator[int]:
    """Yield the processes of a program whose working directory is the given one."""
    wanted = os.path.realpath(directory)
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                is_there = (entry / "cwd").readlink() == Path(wanted)
                if is_there and (entry / "exe").readlink().name.startswith(program) and is_running(int(entry.name)):
                    yield int(entry.name)


def end(pid: int, patience: float) -> None:
    """End a process: SIGTERM, and SIGKILL when it has not ended after so many seconds; returns when it is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        if not is_running(pid):
            return


def listener_of(port: int) -> int | None:
    """Return the process that listens on a TCP port of this machine, or None when it cannot be seen."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for entry in PROC.iterdir() if sockets else ():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                for descriptor in (entry / "fd").iterdir():
                    if str(descriptor.readlink()) in sockets:
                        return int(entry.name)
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("net/tcp", "net/tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]
