"""Keeps what is said over and over from filling the disk: a store that is away is met ten times a second.

It drops lines, and changes nothing else.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

AT_MOST_EVERY = 10.0  # seconds
KNOWN = 256  # texts that are remembered


class _Said(NamedTuple):
    at: float
    left_out: int


class Repeats(logging.Filter):
    """Lets a warning or an error of ours through once in ten seconds, as long as it stays the same word for word.

    The next that goes through says in `left_out` how many did not. For many threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, _Said] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be logged."""
        if record.levelno < logging.WARNING or not isinstance(record.msg, dict):
            return True
        said = {name: value for name, value in record.msg.items() if name not in {"at", "exc_info"}}
        now, text = self._clock(), f"{record.name} {said}"
        with self._lock:
            before = self._said.get(text)
            if before is not None and now - before.at < AT_MOST_EVERY:
                self._said[text] = before._replace(left_out=before.left_out + 1)
                return False
            if before is None and len(self._said) >= KNOWN:
                self._said.pop(next(iter(self._said)))
            self._said[text] = _Said(now, 0)
        if before is not None and before.left_out:
            record.msg["left_out"] = before.left_out
        return True
