"""Connections to Redis or Valkey: one packed write for many commands, bounded waits, and one error for "not now".

A pipeline of the client library turns every command after WATCH into a round trip of its own, so commands are packed
here: WATCH with all loads is one write, MULTI to EXEC another.
"""

import contextlib
import queue
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self, cast

from hiredis import pack_command
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from incidents.errors import StoreUnavailable, TocsinError

Command = tuple[Any, ...]

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.5  # senders wait five seconds at most: an answer must be out before
NO_RETRY = 0
IDLE_SECONDS = 0.5  # a link that was used so lately is taken as alive: looking costs as much as asking
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


class Link:
    """One connection of our own. Not for two threads at once."""

    def __init__(self, url: str, *, scripts: Sequence[str] = (), answer_seconds: float = ANSWER_SECONDS) -> None:
        self._pool = pool_for(url, answer_seconds=answer_seconds, max_connections=UNBOUNDED)
        self._scripts = scripts
        self._connection: Connection | None = None
        self.client_id = 0
        self.idle_since = 0.0

    def ask(self, commands: Sequence[Command], *, timeout: float | None = None) -> list[Any]:
        """Send all commands in one write and return their replies; refused ones are returned as errors.

        Raises `StoreUnavailable` where the store is away, too slow, full or read-only.
        """
        try:
            connection = self._connected()
            connection.send_packed_command(pack(commands), check_health=False)
            return [_usable(self._read(connection, timeout)) for _ in commands]
        except StoreUnavailable:
            self.drop()
            raise
        except (RedisError, OSError) as error:
            self.drop()
            raise StoreUnavailable(f"the store does not answer: {error}") from error
        except BaseException:
            # A signal may strike between write and read: a reply left unread would answer the next question.
            self.drop()
            raise

    def one(self, *command: Any, timeout: float | None = None) -> Any:
        """Send one command and return its reply; raises what the store refused."""
        return checked(self.ask([command], timeout=timeout))[0]

    def is_stale(self) -> bool:
        """Whether the other side closed an idle connection: nothing is expected, yet there is something to read."""
        try:
            return self._connection is not None and bool(self._connection.can_read(timeout=0))
        except (RedisError, OSError):
            return True

    def drop(self) -> None:
        """Forget the connection; the next question makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(RedisError, OSError):
                connection.disconnect()

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = cast("Connection", self._pool.make_connection())
            connection.connect()
            preparation: list[Command] = [("CLIENT", "ID"), *(("SCRIPT", "LOAD", script) for script in self._scripts)]
            connection.send_packed_command(pack(preparation), check_health=False)
            self.client_id = int(connection.read_response())
            for _ in self._scripts:
                connection.read_response()
            self._connection = connection
        return self._connection

    @staticmethod
    def _read(connection: Connection, timeout: float | None) -> Any:
        try:
            if timeout is None:
                return connection.read_response(disconnect_on_error=False)
            return connection.read_response(disconnect_on_error=False, timeout=timeout)
        except (RedisConnectionError, RedisTimeoutError):
            raise
        except ResponseError as error:
            return error


def pack(commands: Sequence[Command]) -> list[bytes]:
    """Return what sends all commands in one write; the client library's own way costs several times as much."""
    return [b"".join([pack_command(command) for command in commands])]


def _usable(reply: Any) -> Any:
    """Let refusals that mean "not now" end the exchange, wherever they stand."""
    if isinstance(reply, ResponseError):
        text = str(reply)
        if isinstance(reply, NoScriptError) or text.startswith(
            ("OOM", "MISCONF", "READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "NOAUTH", "WRONGPASS", "EXECABORT")
        ):
            raise StoreUnavailable(f"the store refuses: {text}")
    return reply


def checked(replies: list[Any]) -> list[Any]:
    """Return the replies; raises `StoreUnavailable` for a refusal among them, also within EXEC: nothing rolls back."""
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
        self._idle: queue.LifoQueue[Link] = queue.LifoQueue()

    @contextlib.contextmanager
    def borrow(self) -> Iterator[Link]:
        """Lend a link for as long as the block runs; one that WATCHes must be dropped or unwatched by the block."""
        try:
            link = self._idle.get_nowait()
            if time.monotonic() - link.idle_since > IDLE_SECONDS and link.is_stale():
                link.drop()
        except queue.Empty:
            link = Link(self._url, scripts=self._scripts)
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
            self._idle.put(link)

    def close(self) -> None:
        """Close every idle link."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
