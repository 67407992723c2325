"""What an installation does again and again beside the facts worker: a thread that steps while that worker lives.

A store that is away and what cannot be read are told, and tried again with the next step; nothing else is caught.
"""

import threading
from abc import ABC, abstractmethod

import structlog

from incidents.errors import StoreUnavailable, TocsinError

LOG = structlog.get_logger()
LAST_STEP_SECONDS = 2.0  # the most that a pause waits for a step under way


class Stepping(ABC):
    """Steps every so many seconds, in a thread of its own, from `start` to `pause`; `failed` names what went wrong."""

    def __init__(self, name: str, *, seconds: float, failed: str) -> None:
        self._name = name
        self._seconds = seconds
        self._failed_event = failed
        self._thread: threading.Thread | None = None
        self._paused = threading.Event()

    @abstractmethod
    def step(self) -> None:
        """Do once what there is to do."""

    def start(self) -> None:
        """Step from now on; does nothing while it does already."""
        if self._thread is None or not self._thread.is_alive():
            self._paused.clear()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def pause(self) -> None:
        """Stop stepping; what else is under way is not waited for."""
        self._paused.set()
        if self._thread is not None:
            self._thread.join(LAST_STEP_SECONDS)

    def _run(self) -> None:
        while not self._paused.is_set():
            try:
                self.step()
            except StoreUnavailable as error:
                LOG.warning("store_away", error=str(error))
            except (TocsinError, ValueError) as error:
                LOG.error(self._failed_event, error=str(error))  # noqa: TRY400 - the text says all there is
            self._paused.wait(self._seconds)
