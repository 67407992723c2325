"""Connections to Redis or Valkey: one packed write for many commands, bounded waits, and one error for "not now".

A pipeline of the client library turns every command after WATCH into a round trip of its own, so commands are packed
here: WATCH with all loads is one write, MULTI to EXEC another.
"""

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, cast

from hiredis import ProtocolError, Reader, pack_command
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from incidents.errors import StoreUnavailable, TocsinError

Command = tuple[Any, ...]

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.5  # senders wait five seconds at most: an answer must be out before
NO_RETRY = 0
IDLE_SECONDS = 0.5  # a link that was used so lately is taken as alive: looking costs as much as asking
READ_BYTES = 128 * 1024
NOT_NOW = (
    *("OOM", "MISCONF", "READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS"),
    *("NOAUTH", "WRONGPASS", "EXECABORT", "NOSCRIPT"),
)
UNBOUNDED = 2**31  # the pool only makes our connections, and counts those that were dropped too


def pool_for(url: str, *, answer_seconds: float = ANSWER_SECONDS, max_connections: int = 64) -> ConnectionPool:
    """Return a pool of connections for a URL (`redis://`, `rediss://`, `unix://`) that fail fast and never retry."""
    return ConnectionPool.from_url(
        url,
        socket_timeout=answer_seconds,
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(NoBackoff(), NO_RETRY),
        protocol=2,
        max_connections=max_connections,
    )


def client_for(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """Return a client of the library, for what is not on the way of an alert."""
    return Redis(connection_pool=pool_for(url, answer_seconds=answer_seconds))


class Replies(list[Any]):
    """Replies in the order of their questions; `has_refusals` says whether any of them, or of theirs, is an error."""

    has_refusals = False


class Link:
    """One connection of our own. Not for two threads at once.

    The client library connects (TLS, credentials, database); the exchange itself is ours, for its way through the
    library costs as much as the store does.
    """

    def __init__(self, url: str, *, scripts: Sequence[str] = (), answer_seconds: float = ANSWER_SECONDS) -> None:
        self._pool = pool_for(url, answer_seconds=answer_seconds, max_connections=UNBOUNDED)
        self._scripts = scripts
        self._answer_seconds = answer_seconds
        self._connection: Connection | None = None
        self._wire: _Wire | None = None
        self.client_id = 0
        self.idle_since = 0.0

    def ask(
        self, commands: Sequence[Command], *, timeout: float | None = None, meanwhile: Callable[[], None] | None = None
    ) -> Replies:
        """Send all commands in one write and return their replies; refused ones are returned as errors.

        `meanwhile` is called between writing and reading, while the store works. Raises `StoreUnavailable` where the
        store is away, too slow, full or read-only.
        """
        with self._dropped_on_error():
            wire = self._connected()
            wire.send(pack(commands))
            if meanwhile is not None:
                meanwhile()
            return wire.replies(len(commands), timeout or self._answer_seconds)

    def one(self, *command: Any, timeout: float | None = None) -> Any:
        """Send one command and return its reply; raises what the store refused."""
        return checked(self.ask([command], timeout=timeout))[0]

    def pushed(self, mark: str) -> list[Any]:
        """Return what was pushed up to now to a link that subscribed; `mark` goes along and comes back."""
        with self._dropped_on_error():
            wire = self._connected()
            wire.send(pack([("PING", mark)]))
            found: list[Any] = []
            while (reply := wire.replies(1, self._answer_seconds)[0]) != [b"pong", mark.encode()]:
                found.append(reply)
            return found

    def is_stale(self) -> bool:
        """Whether the other side closed an idle connection: nothing is expected, yet there is something to read."""
        return self._wire is not None and self._wire.has_something()

    def drop(self) -> None:
        """Forget the connection; the next question makes a new one."""
        connection, self._connection, self._wire = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(RedisError, OSError):
                connection.disconnect()

    @contextlib.contextmanager
    def _dropped_on_error(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable:
            self.drop()
            raise
        except (RedisError, ProtocolError, OSError) as error:
            self.drop()
            raise StoreUnavailable(f"the store does not answer: {error}") from error
        except BaseException:
            # A signal may strike between write and read: a reply left unread would answer the next question.
            self.drop()
            raise

    def _connected(self) -> "_Wire":
        if self._wire is None:
            self._connection = cast("Connection", self._pool.make_connection())
            self._connection.connect()
            self._wire = _Wire(self._connection)
            self._wire.send(pack([("CLIENT", "ID"), *(("SCRIPT", "LOAD", script) for script in self._scripts)]))
            prepared = self._wire.replies(1 + len(self._scripts), self._answer_seconds)
            self.client_id = int(checked(prepared)[0])
        return self._wire


class _Wire:
    """The socket of a connection that the library has made, and the replies on it."""

    def __init__(self, connection: Connection) -> None:
        made: socket.socket | None = connection._sock  # noqa: SLF001 - the library has no other name for it
        if made is None:
            raise StoreUnavailable("the connection to the store was lost as it was made")
        self._socket = made
        self._reader = Reader(replyError=self._refusal)
        self._has_refusals = False
        self._buffer = bytearray(READ_BYTES)
        self._timeout = -1.0

    def send(self, data: bytes) -> None:
        """Write all of it."""
        self._socket.sendall(data)

    def replies(self, count: int, timeout: float) -> Replies:
        """Return so many replies; each piece of them must come within `timeout` seconds."""
        if timeout != self._timeout:
            self._socket.settimeout(timeout)
            self._timeout = timeout
        self._has_refusals = False
        replies = Replies()
        while len(replies) < count:
            reply = self._reader.gets()
            if reply is False:
                read = self._socket.recv_into(self._buffer)
                if not read:
                    raise StoreUnavailable("the store closed the connection")
                self._reader.feed(self._buffer, 0, read)  # type: ignore[arg-type] # it takes any buffer
            else:
                replies.append(_usable(reply))
        replies.has_refusals = self._has_refusals
        return replies

    def _refusal(self, text: str) -> ResponseError:
        self._has_refusals = True
        return ResponseError(text)

    def has_something(self) -> bool:
        """Whether there is something to read, be it the end."""
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        return bool(poller.poll(0))


def pack(commands: Sequence[Command]) -> bytes:
    """Return what sends all commands in one write; the client library's own way costs several times as much."""
    return b"".join([pack_command(command) for command in commands])


def _usable(reply: Any) -> Any:
    """Let refusals that mean "not now" end the exchange, wherever they stand."""
    if isinstance(reply, ResponseError) and str(reply).startswith(NOT_NOW):
        raise StoreUnavailable(f"the store refuses: {reply}")
    return reply


def checked(replies: list[Any]) -> list[Any]:
    """Return the replies; raises `StoreUnavailable` for a refusal among them, also within EXEC: nothing rolls back."""
    if isinstance(replies, Replies) and not replies.has_refusals:
        return replies
    for reply in replies:
        if isinstance(reply, ResponseError):
            raise StoreUnavailable(f"the store refuses: {reply}") from reply
        if isinstance(reply, list):
            checked(reply)
    return replies


class Links:
    """A few links that threads borrow."""

    def __init__(self, url: str, *, scripts: Sequence[str] = ()) -> None:
        self._url = url
        self._scripts = scripts
        self._idle: list[Link] = []  # the last one used is lent first; a list's own methods are safe for threads

    @contextlib.contextmanager
    def borrow(self) -> Iterator[Link]:
        """Lend a link for as long as the block runs; one that WATCHes must be dropped or unwatched by the block."""
        try:
            link = self._idle.pop()
        except IndexError:
            link = Link(self._url, scripts=self._scripts)
        else:
            if time.monotonic() - link.idle_since > IDLE_SECONDS and link.is_stale():
                link.drop()
        try:
            yield link
        except TocsinError:
            raise
        except BaseException:
            # Whatever it was watching, the next borrower must not.
            link.drop()
            raise
        finally:
            link.idle_since = time.monotonic()
            self._idle.append(link)

    def close(self) -> None:
        """Close every idle link."""
        while self._idle:
            self._idle.pop().drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
