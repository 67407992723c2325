"""Keys as plain values, whatever kind they are of: read and written by commands that every version of a store has.

A value is a kind and its rows: one text for a string, members for a set or list, pairs for a hash or sorted set, id and
fields for a stream. Nothing here depends on how a store keeps them inside.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from incidents.errors import TocsinError
from incidents.store.connection import Command, Link, checked

GONE = "none"
STREAM = "stream"
NEVER = 0  # the instant at which it lapses
STREAM_AT_ONCE = 500  # entries
ROWS_AT_ONCE = 500
BYTES_AT_ONCE = 256 * 1024
NOTHING = "0-0"

Row = bytes | tuple[bytes, Any]

READS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "string": ("GET", ()),
    "hash": ("HGETALL", ()),
    "set": ("SMEMBERS", ()),
    "zset": ("ZRANGE", (0, -1, "WITHSCORES")),
    "list": ("LRANGE", (0, -1)),
    STREAM: ("XINFO", ()),
}
PAIRED = frozenset({"hash", "zset"})


class UnknownKind(TocsinError):
    """A key of a kind that Tocsin does not use."""


class Value(NamedTuple):
    """What a key holds; `lapses_ms` is when it lapses, `last` the last id that a stream ever gave."""

    kind: str
    rows: list[Row]
    lapses_ms: int = NEVER
    last: str = ""


def read_values(link: Link, names: Sequence[str], now_ms: int) -> dict[str, Value]:
    """Return what some keys hold, each as it is at some instant of the reading; those that are gone are `GONE`."""
    if not names:
        return {}
    kinds = [kind.decode() for kind in checked(link.ask([("TYPE", name) for name in names]))]
    commands: list[Command] = []
    for name, kind in zip(names, kinds, strict=True):
        commands += [_read_command(name, kind), ("PTTL", name)]
    # A key that lapsed or changed its kind since is refused here: it was changed, so it is read again.
    answered = link.ask(commands)
    found: dict[str, Value] = {}
    for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        reply, left = answered[2 * index], answered[2 * index + 1]
        if kind == GONE or reply is None or isinstance(reply, Exception):
            found[name] = Value(GONE, [])
        elif kind == STREAM:
            found[name] = _stream(link, name, reply, left, now_ms)
        else:
            found[name] = Value(kind, _rows(kind, reply), _lapses(left, now_ms))
    return found


def write_commands(name: str, value: Value) -> Iterator[Command]:
    """Yield what writes a key that is not there; a long one in several commands."""
    for rows in slices(value.rows):
        yield from rows_commands(name, value.kind, rows)
    yield from end_commands(name, value)


def rows_commands(name: str, kind: str, rows: Sequence[Any]) -> Iterator[Command]:
    """Yield what adds rows to a key."""
    if not rows:
        return
    if kind == "string":
        yield ("SET", name, rows[0])
    elif kind == "hash":
        yield ("HSET", name, *(part for row in rows for part in row))
    elif kind == "zset":
        yield ("ZADD", name, *(part for member, score in rows for part in (score, member)))
    elif kind == "set":
        yield ("SADD", name, *rows)
    elif kind == "list":
        yield ("RPUSH", name, *rows)
    elif kind == STREAM:
        yield from (("XADD", name, entry_id, *fields) for entry_id, fields in rows)
    else:
        raise UnknownKind(f"{name} is of the kind {kind[:40]!r}, which Tocsin does not use")


def end_commands(name: str, value: Value) -> Iterator[Command]:
    """Yield what follows the rows: a stream goes on after the last id that it gave, and what lapses lapses then."""
    if value.kind == STREAM and value.last not in {"", NOTHING}:
        if not value.rows:  # an empty stream is made with a group, which then goes
            yield ("XGROUP", "CREATE", name, "made", "0", "MKSTREAM")
            yield ("XGROUP", "DESTROY", name, "made")
        yield ("XSETID", name, value.last)
    if value.lapses_ms:
        yield ("PEXPIREAT", name, value.lapses_ms)


def slices(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield rows in slices of bounded number and size, at least one, which may be empty."""
    start = size = 0
    for place, row in enumerate(rows):
        weight = _weight(row)
        if place > start and (place - start >= ROWS_AT_ONCE or size + weight > BYTES_AT_ONCE):
            yield rows[start:place]
            start, size = place, 0
        size += weight
    yield rows[start:]


def _weight(row: Any) -> int:
    return len(row) if isinstance(row, bytes) else sum(_weight(part) for part in row)


def _read_command(name: str, kind: str) -> Command:
    if kind == GONE:
        return ("GET", name)
    if kind not in READS:
        raise UnknownKind(f"{name} is of the kind {kind!r}, which Tocsin does not use")
    command, rest = READS[kind]
    return (command, "STREAM", name) if kind == STREAM else (command, name, *rest)


def _rows(kind: str, reply: Any) -> list[Row]:
    if kind == "string":
        return [reply]
    if kind in PAIRED:
        return list(zip(reply[::2], reply[1::2], strict=True))
    return list(reply)


def _stream(link: Link, name: str, described: list[Any], left: int, now_ms: int) -> Value:
    facts = dict(zip(described[::2], described[1::2], strict=True))
    rows: list[Row] = []
    start = "-"
    while True:
        page = link.one("XRANGE", name, start, "+", "COUNT", STREAM_AT_ONCE)
        rows += [(entry_id, tuple(fields)) for entry_id, fields in page]
        if len(page) < STREAM_AT_ONCE:
            return Value(STREAM, rows, _lapses(left, now_ms), facts[b"last-generated-id"].decode())
        start = f"({page[-1][0].decode()}"


def _lapses(left: int, now_ms: int) -> int:
    return now_ms + left if left >= 0 else NEVER
