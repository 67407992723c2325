"""One child process: how it is started, watched and ended, and when it may be started again.

Children are started from the main thread only, and the kernel ends them with it.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import msgspec

from tocsin.logs import get_log
from tocsin.processes import dies_with_parent

# How long a child that died early waits for its next start: the first time not at all. One that had come to work before
# it died (it was killed, or lost its store) starts at once; one that lived long has its early deaths forgotten.
_DELAYS = (0.0, 0.5, 1.0, 2.0, 4.0, 5.0)
_CAME_TO_WORK = 2.0
_LIVED_LONG = 10.0

Alive = Callable[[], bool]

log = get_log(__name__)


class ChildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a child is. Children of a lower `stage` start earlier and end later.

    `prepare` runs before each start. `wait_ready` gets two questions ("is it alive?", "are we stopping?"), returns when
    the child can be used, and raises TocsinError when it cannot. `hear` takes the child's output line by line and gives
    level and text for the log; without it the output goes where ours goes.
    """

    name: str
    command: tuple[str, ...]
    stage: int
    stop_within: float = 5.0
    death_signal: signal.Signals = signal.SIGKILL
    prepare: Callable[[], None] | None = None
    wait_ready: Callable[[Alive, Alive], bool] | None = None
    hear: Callable[[str], tuple[str, str]] | None = None


class Child:
    """A child of ours: running, or waiting for its next start."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.descriptor = -1
        self.due = 0.0  # when to start again, in monotonic time
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._deaths = 0
        self._listener: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """The process id, or 0 when it does not run."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the process; raises TocsinError, OSError."""
        if self.spec.prepare is not None:
            self.spec.prepare()
        pipe = subprocess.PIPE if self.spec.hear else None
        # preexec_fn holds two system calls and no lock: the binding to this process must stand before the child runs.
        process = subprocess.Popen(
            self.spec.command,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=subprocess.STDOUT if pipe else None,
            preexec_fn=dies_with_parent(self.spec.death_signal),  # noqa: PLW1509
            # Ctrl-C on a terminal reaches us alone, so that we end the children in order.
            process_group=0,
        )
        self._process = process
        self._started = time.monotonic()
        self.descriptor = os.pidfd_open(process.pid)
        if self.spec.hear is not None:
            self._listener = threading.Thread(target=self._listen, args=(process, self.spec.hear), daemon=True)
            self._listener.start()

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended the process; it did not end by itself."""
        return self._process is not None and (self._process.poll() or 0) < 0

    def bury(self) -> tuple[int, int]:
        """Take note that the process has ended; returns its id and its exit code, and sets when it may start again."""
        if self._process is None:
            return 0, 0
        pid, code = self._process.pid, self._process.wait()
        os.close(self.descriptor)
        if self._listener is not None:
            # What it said last must have been heard before somebody asks why it ended.
            self._listener.join(1.0)
        self.descriptor, self._process = -1, None
        self.due = time.monotonic() + self._delay(time.monotonic() - self._started)
        return pid, code

    def _delay(self, lived: float) -> float:
        if lived >= _LIVED_LONG:
            self._deaths = 0
        if lived >= _CAME_TO_WORK:
            return 0.0
        self._deaths += 1
        return _DELAYS[min(self._deaths, len(_DELAYS)) - 1]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the process runs."""
        if self._process is not None:
            self._process.send_signal(number)

    @staticmethod
    def _listen(process: subprocess.Popen[bytes], hear: Callable[[str], tuple[str, str]]) -> None:
        if process.stdout is None:
            return
        with process.stdout as output:
            for line in output:
                level, text = hear(line.decode("utf-8", "replace").rstrip())
                getattr(log, level)("store_said", text=text)
