"""Connections with hard bounds under the adapter of requests: an answer has one deadline over all of it, and a name is
resolved once, judged, and connected to as it was judged.
"""

import http.client
import io
import socket
import time
from collections.abc import Mapping
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from workers.channels.addresses import connect

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
ADDRESSES = 256  # whose pools are remembered


class _BoundedStream(io.RawIOBase):
    """Reads a socket until a deadline over all reads together."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._seconds = sock.gettimeout() or ANSWER_SECONDS
        self._deadline = time.monotonic() + self._seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 (as the base class has it)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
            if self._sock.fileno() >= 0:  # kept alive: the next request must not inherit what was left of the time
                self._sock.settimeout(self._seconds)
        super().close()


class _BoundedSocket:
    """Gives http.client the one thing that it asks of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedStream(self._sock))


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:  # noqa: ANN401 (as http.client calls it)
        super().__init__(_BoundedSocket(sock), *args, **options)  # type: ignore[arg-type]


class _BoundedHTTPConnection(HTTPConnection):
    response_class = _BoundedResponse
    deny_private = False
    _held: list[bytes] | None = None

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 (as the base class has it)
        """Send head and body in one piece: in two, each of them wakes up the other side."""
        held: list[bytes] = []
        self._held = held
        try:
            super().request(*args, **options)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:  # noqa: ANN401 (as the base class has it)
        """Send some bytes, or keep them for when all of the request is there."""
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)

    def _new_conn(self) -> socket.socket:
        """Connect as the base class does and with its errors, but to addresses that were judged."""
        seconds = self.timeout if isinstance(self.timeout, float | int) else CONNECT_SECONDS
        try:
            return connect(
                self.host,
                self.port or self.default_port,
                seconds=seconds,
                options=self.socket_options or (),
                deny_private=self.deny_private,
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "the connection took too long") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection: {error}") from error


class _BoundedHTTPSConnection(_BoundedHTTPConnection, HTTPSConnection):
    """The same over TLS; names and certificates are checked against the host of the address."""


class _BoundedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _BoundedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection


class BoundedAdapter(HTTPAdapter):
    """The adapter of requests, over connections whose answers have a deadline."""

    pools: Mapping[str, type[HTTPConnectionPool]] = {"http": _BoundedHTTPPool, "https": _BoundedHTTPSPool}

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 (as the base class has it)
        """Make the pools of connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = dict(self.pools)
        self._pool_of: dict[str, Any] = {}

    def get_connection_with_tls_context(self, request: PreparedRequest, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Return the pool of an address, the same as before unless that was closed to make room for others."""
        url = request.url or ""
        pool = self._pool_of.get(url)
        if pool is None or pool.pool is None:
            if len(self._pool_of) >= ADDRESSES:
                self._pool_of.clear()
            pool = self._pool_of[url] = super().get_connection_with_tls_context(request, *args, **options)
        return pool


class _PublicHTTPConnection(_BoundedHTTPConnection):
    deny_private = True


class _PublicHTTPSConnection(_BoundedHTTPSConnection):
    deny_private = True


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class PublicAdapter(BoundedAdapter):
    """The same, over connections to the public internet alone."""

    pools: Mapping[str, type[HTTPConnectionPool]] = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}
