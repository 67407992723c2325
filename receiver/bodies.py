"""Reads the body of a request, bounded in bytes, in time, and in how many are read at once.

A WSGI server lends a thread to a request before its body has come, and has no time limit for a body. So readers are
fewer than threads, large bodies fewer still, and the connections of an address that keeps a reader waiting are cut.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from receiver.problems import Problem

MAX_BODY = 64 * 1024 * 1024
LARGE_BODY = 1024 * 1024
LARGE_AT_ONCE = 2  # decoding takes several times the size of the body
PIECE = 256 * 1024
SLOT_WAIT = 0.25  # seconds; a burst of honest senders passes in far less
LARGE_WAIT = 1.0
SWEEP_EVERY = 1.0

Environ = Mapping[str, Any]


class _Reading(NamedTuple):
    since: float
    address: str
    port: str


def busy(detail: str) -> Problem:
    """Return the answer when there is no room: 503, which senders try again."""
    return Problem(503, detail, hint="Send it again.", headers={"Retry-After": "2"})


class Bodies:
    """The bodies that one process reads; `readers` at once, each within `timeout` seconds."""

    def __init__(self, *, readers: int, timeout: float) -> None:
        self._slots = threading.BoundedSemaphore(readers)
        self._large = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._timeout = timeout
        self._reading: dict[int, _Reading] = {}
        self._sweeper_pid = 0
        self._sweeper_lock = threading.Lock()

    @contextmanager
    def body(self, environ: Environ, most: int = MAX_BODY) -> Iterator[bytes]:
        """Give the whole body, `most` bytes at the most; room for a large one is held until the block ends.

        Raises `Problem`: 413 over the cap (at once where the length is declared), 400 when it ends too early,
        503 when there is no room or it takes too long.
        """
        length = declared_length(environ)
        if length > most:
            raise too_large(most)
        held: list[threading.BoundedSemaphore] = []
        try:
            if length > LARGE_BODY:
                self._hold_large(held)
            yield self._read(environ, length, most, held)
        finally:
            for semaphore in held:
                semaphore.release()

    def _hold_large(self, held: list[threading.BoundedSemaphore]) -> None:
        if not self._large.acquire(timeout=LARGE_WAIT):
            raise busy("Too many large bodies are being read.")
        held.append(self._large)

    def _read(self, environ: Environ, length: int, most: int, held: list[threading.BoundedSemaphore]) -> bytes:
        if not self._slots.acquire(timeout=SLOT_WAIT):
            raise busy("Too many bodies are being read.")
        key = threading.get_ident()
        started = time.monotonic()
        self._reading[key] = _Reading(started, environ.get("REMOTE_ADDR", ""), environ.get("SERVER_PORT", ""))
        try:
            if self._sweeper_pid != os.getpid():
                self._start_sweeper()
            if length >= 0:
                body: bytes = environ["wsgi.input"].read(length)
            else:
                body = self._read_chunked(environ["wsgi.input"], most, held)
        finally:
            del self._reading[key]
            self._slots.release()
        if len(body) < length:
            if time.monotonic() - started >= self._timeout:
                raise busy(f"The body took longer than {self._timeout:g} s.")
            raise Problem(400, f"The body ended after {len(body)} of {length} bytes.")
        return body

    def _read_chunked(
        self,
        stream: Any,  # noqa: ANN401 - the server's
        most: int,
        held: list[threading.BoundedSemaphore],
    ) -> bytes:
        pieces = []
        size = 0
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > most:
                raise too_large(most)
            if size > LARGE_BODY and not held:
                self._hold_large(held)
            pieces.append(piece)
        return b"".join(pieces)

    def _start_sweeper(self) -> None:
        with self._sweeper_lock:
            if self._sweeper_pid != os.getpid():
                self._sweeper_pid = os.getpid()
                threading.Thread(target=self._sweep, name="body-sweeper", daemon=True).start()

    def _sweep(self) -> None:
        while True:
            time.sleep(SWEEP_EVERY)
            late = time.monotonic() - self._timeout
            for reading in {reading[1:] for reading in list(self._reading.values()) if reading.since < late}:
                cut_connections(*reading)


def declared_length(environ: Environ) -> int:
    """Return the declared length in bytes, -1 when the body comes in chunks; raises `Problem` when it is no length."""
    text = environ.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in environ:
        if text:
            raise Problem(400, "Content-Length and Transfer-Encoding exclude each other.")
        return -1
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Problem(400, "Content-Length is not a number of bytes.")
    return int(text)


def too_large(most: int = MAX_BODY) -> Problem:
    """Return the answer to a body over the cap; it is counted, and that count is to be alarmed on."""
    return Problem(
        413,
        f"The body is larger than {most // 1024 // 1024} MiB.",
        hint="Send fewer alerts at once; in Alertmanager set max_alerts of the receiver, or group by more labels.",
    )


def cut_connections(address: str, port: str) -> None:
    """Shut down our connections from this address to our port, which ends any read that waits on one of them.

    The server does not tell which connection a request came on; an honest one that is cut with it is tried again.
    """
    try:
        descriptors = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    except OSError:
        return
    for descriptor in descriptors:
        try:
            connection = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            continue
        with connection:
            _shut_down(connection, address, port)


def _shut_down(connection: socket.socket, address: str, port: str) -> None:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    try:
        if connection.getpeername()[0] == address and str(connection.getsockname()[1]) == port:
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
