"""Keeps streams of events out of the way of alerts: a fixed number of requests is answered at a time.

A stream holds a thread as long as it lasts, so the server has threads for all of them. What is not a stream goes
through the gate, as if those threads were not there.
"""

import queue
from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Gate:
    """A WSGI application that answers so many requests at a time; what it streams afterwards does not count."""

    def __init__(self, app: WsgiApp, width: int) -> None:
        self._app = app
        self._passes: queue.SimpleQueue[None] = queue.SimpleQueue()  # a semaphore costs several times as much
        for _ in range(width):
            self._passes.put(None)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
        """Answer one request once there is room."""
        self._passes.get()
        try:
            return self._app(environ, start_response)
        finally:
            self._passes.put(None)
