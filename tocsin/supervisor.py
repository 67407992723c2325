"""Runs the children: starts them in stages, starts the dead again at once, ends them in order.

It waits on process descriptors and signals, so that a death is seen in the same millisecond. It knows children by name
and command alone, and touches neither store nor network.
"""

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import Self

from incidents.errors import TocsinError
from tocsin.children import Child, ChildSpec
from tocsin.logs import get_log

# After a second signal every stage has this long.
_HURRY = 1.0
# A process that the kernel holds (a hung disk) outlives SIGKILL; we do not wait for it for ever.
_UNKILLABLE = 2.0

log = get_log(__name__)


def _nothing(*_: object) -> None:
    return None


class Supervisor:
    """Use as a context manager on the main thread: signals are taken inside, and no child is left after.

    `on_child_death(name, pid)` is called before a dead child is started again; it must return within a second.
    `on_reload()` is called for SIGHUP. What either raises is logged.
    """

    def __init__(
        self,
        *,
        on_child_death: Callable[[str, int], None] = _nothing,
        on_reload: Callable[[], None] = _nothing,
    ) -> None:
        self._on_child_death = on_child_death
        self._on_reload = on_reload
        self._children: list[Child] = []
        self._stops = 0
        self._hurried_at = 0.0
        self._reloads = 0
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_read, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        self._old_wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGHUP: self._reload,
            # Only wakes us: for orphans that became ours.
            signal.SIGCHLD: _nothing,
        }
        self._old_handlers = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _stop(self, _: int, __: FrameType | None) -> None:
        self._stops += 1
        if self._stops == 2:  # a third puts nothing off
            self._hurried_at = time.monotonic()

    def _reload(self, _: int, __: FrameType | None) -> None:
        self._reloads += 1

    @property
    def is_stopping(self) -> bool:
        """True after SIGTERM or SIGINT."""
        return self._stops > 0

    def pids(self) -> dict[str, int]:
        """Return the process ids of the children that run, by name."""
        return {child.spec.name: child.pid for child in self._children if child.pid}

    def start(self, specs: Iterable[ChildSpec]) -> None:
        """Start children by stage and wait until each is ready; raises TocsinError when one ends before that.

        One that was killed meanwhile did nothing wrong: it is started again, as later. Returns early when a signal to
        stop arrives.
        """
        for spec in sorted(specs, key=lambda spec: spec.stage):
            if self.is_stopping:
                return
            child = Child(spec)
            self._children.append(child)
            self._launch(child)
            while not self._is_ready(child):
                self._bury(child)
                if not self._pause(child.due):
                    return
                self._launch(child)

    def _is_ready(self, child: Child) -> bool:
        """Wait until a child is ready, or we are stopping; False where it was killed before."""
        if child.spec.wait_ready is None:
            return True
        try:
            child.spec.wait_ready(child.is_alive, lambda: self.is_stopping)
        except TocsinError:
            if child.was_killed:
                return False
            raise
        return True

    def _pause(self, until: float) -> bool:
        """Wait until an instant; False where a signal to stop comes first."""
        while not self.is_stopping and (left := until - time.monotonic()) > 0:
            self._selector.select(left)
            self._drain_wakeups()
        return not self.is_stopping

    def run(self) -> None:
        """Keep the children running until a signal to stop arrives."""
        while not self.is_stopping:
            self._selector.select(self._until_next_start())
            self._drain_wakeups()
            while self._reloads:
                self._reloads = 0
                self._call("reload", self._on_reload)
            for child in self._children:
                if child.pid and not child.is_alive():
                    self._bury(child)
            self._reap_strays()
            self._start_due()

    def stop(self) -> None:
        """End all children, the last stage first; those that do not go in time are killed."""
        for stage in sorted({child.spec.stage for child in self._children}, reverse=True):
            self._end([child for child in self._children if child.spec.stage == stage])
        self._children.clear()

    def _end(self, children: Sequence[Child]) -> None:
        """End the children of one stage together; returns when they are gone, or cannot even be killed."""
        began = time.monotonic()
        for child in children:
            child.signal(signal.SIGTERM)
        killed: dict[str, float] = {}
        while waiting := [child for child in children if child.pid]:
            for child in waiting:
                if not child.is_alive():
                    self._bury(child, is_expected=True)
                elif child.spec.name not in killed and time.monotonic() > self._deadline(child, began):
                    log.warning("child_killed", child=child.spec.name, pid=child.pid)
                    child.signal(signal.SIGKILL)
                    killed[child.spec.name] = time.monotonic()
            if killed and min(killed.values()) + _UNKILLABLE < time.monotonic():
                return
            self._selector.select(0.05)
            self._drain_wakeups()

    def _deadline(self, child: Child, began: float) -> float:
        regular = began + child.spec.stop_within
        return min(regular, max(began, self._hurried_at) + _HURRY) if self._hurried_at else regular

    def _launch(self, child: Child) -> None:
        child.start()
        self._selector.register(child.descriptor, selectors.EVENT_READ)
        log.info("child_started", child=child.spec.name, pid=child.pid)

    def _bury(self, child: Child, *, is_expected: bool = False) -> None:
        self._selector.unregister(child.descriptor)
        pid, code = child.bury()
        if is_expected:
            log.info("child_ended", child=child.spec.name, pid=pid, code=code)
            return
        wait = round(max(child.due - time.monotonic(), 0.0), 1)
        log.error("child_died", child=child.spec.name, pid=pid, code=code, starts_again_in=wait)
        self._call("on_child_death", lambda: self._on_child_death(child.spec.name, pid))

    def _reap_strays(self) -> None:
        """Take note of dead processes that are not our children: as process 1 of a container we inherit orphans."""
        ours = {child.pid for child in self._children}
        with contextlib.suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if found.si_pid in ours:
                    # It hides those behind it; it is buried in the next round, and they are seen in the one after.
                    return
                os.waitpid(found.si_pid, 0)

    def _start_due(self) -> None:
        for child in self._children:
            if not child.pid and child.due <= time.monotonic() and not self.is_stopping:
                try:
                    self._launch(child)
                except (TocsinError, OSError) as error:
                    log.error("child_not_started", child=child.spec.name, reason=str(error))  # noqa: TRY400
                    child.due = time.monotonic() + 5.0

    def _until_next_start(self) -> float | None:
        due = [child.due for child in self._children if not child.pid]
        return max(min(due) - time.monotonic(), 0.0) if due else None

    def _drain_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 4096):
                pass

    @staticmethod
    def _call(what: str, callback: Callable[[], None]) -> None:
        """Call somebody else's code: whatever it raises, and even if it exits, the children must go on."""
        try:
            callback()
        except (Exception, SystemExit):
            log.exception("callback_failed", callback=what)
