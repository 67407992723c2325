"""Keeps streams of events out of the way of alerts: a fixed number of requests is answered at a time.

A stream holds a thread as long as it lasts, so the server has threads for all of them. What is not a stream goes
through the gate, as if those threads were not there, and in the order in which it came.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Gate:
    """A WSGI application that answers so many requests at a time; what it streams afterwards does not count."""

    def __init__(self, app: WsgiApp, width: int) -> None:
        self._app = app
        self._free = width
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
        """Answer one request once there is room."""
        self._enter()
        try:
            return self._app(environ, start_response)
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def _leave(self) -> None:
        """Hand the place to whoever has waited longest: one that just came would otherwise take it before them."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
