"""Copies the store as it is at one instant, while others work on it, and writes such a copy into an empty store.

The store itself tells which keys change while they are read; those are read again, the last of them while writes wait
for some milliseconds. So all keys are from the same instant, and nobody is kept waiting for the size of the store.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from incidents import events, keys
from incidents.backups import BackupWriter, End, Part, packed_row, unpacked_row
from incidents.clock import from_ms
from incidents.errors import StoreConflict, StoreError, StoreUnavailable
from incidents.keyring import PREFIX, is_momentary
from incidents.oncall import OnCall
from incidents.store.connection import Command, Link, Links, checked
from incidents.store.incidents import Incidents
from incidents.store.logical import GONE, Value, end_commands, read_values, rows_commands, slices

KEYS_AT_ONCE = 200
SCANNED = 1000
CHANNEL = "__redis__:invalidate"
FEW = 500  # changed keys: few enough to be read while writes wait
ROUNDS = 10
PAUSE_MS = 2000
PAUSED_AT_MOST = 1.5  # seconds: what was read later may be from after the pause
ANSWER_SECONDS = 60.0  # one large value may take the store a while
ROUNDS_AHEAD = 5  # in which much that changed is read before writes wait
DELETED_AT_ONCE = 500
LINES_AT_ONCE = 50  # written before the store's answers are read
Progress = Callable[[float], None]


class StoreInUse(StoreError):
    """Somebody works on the store into which a backup was to be restored."""


class StoreNotEmpty(StoreError):
    """The store into which a backup was to be restored holds something."""


class Copied(NamedTuple):
    """What a backup holds: how many keys, how many lines, and of which instant it is."""

    keys: int
    lines: int
    at: datetime


class Restored(NamedTuple):
    """What a restore did: of which instant the store is now, how many keys it has, and how many pages were dropped."""

    at: datetime
    keys: int
    pages_dropped: int


class Copier:
    """Copies one store into one file."""

    def __init__(self, url: str, writer: BackupWriter) -> None:
        self._link = Link(url, answer_seconds=ANSWER_SECONDS)
        self._changes = Link(url, answer_seconds=ANSWER_SECONDS)
        self._writer = writer
        self._known: set[str] = set()

    def copy(self, progress: Progress = lambda _: None) -> Copied:
        """Copy everything; raises `StoreUnavailable`, and `StoreConflict` where too much changes all the time."""
        try:
            self._follow()
            names = sorted(self._names())
            for start in range(0, len(names), KEYS_AT_ONCE):
                self._write(self._read(names[start : start + KEYS_AT_ONCE]))
                progress(start / len(names))
            for tried in range(ROUNDS):
                changed = self._changed()
                if len(changed) > FEW and tried < ROUNDS_AHEAD:
                    self._write(self._read(sorted(changed)))
                    continue
                at_ms = self._finish(changed)
                if at_ms is not None:
                    progress(1.0)
                    self._writer.write(End(at_ms=at_ms, keys=len(self._known), lines=self._writer.lines + 1))
                    return Copied(len(self._known), self._writer.lines, from_ms(at_ms))
        finally:
            self._link.drop()
            self._changes.drop()
        raise StoreConflict("the store changes faster than it can be copied; try again when less is going on")

    def _follow(self) -> None:
        """Let the store tell from now on which keys change."""
        self._changes.one("SUBSCRIBE", CHANNEL)
        follow = ("CLIENT", "TRACKING", "ON", "REDIRECT", self._changes.client_id, "BCAST", "PREFIX", PREFIX)
        self._link.one(*follow)

    def _changed(self) -> set[str]:
        """Return the keys that changed since the last look."""
        found: set[str] = set()
        for pushed in self._changes.pushed("so far"):
            if pushed[2] is None:
                raise StoreConflict("the store was emptied while it was copied")
            found.update(name.decode() for name in pushed[2])
        return {name for name in found if not is_momentary(name)}

    def _names(self) -> set[str]:
        return {name for name in names_in(self._link) if not is_momentary(name)}

    def _read(self, names: Iterable[str]) -> dict[str, Value]:
        seconds, microseconds = self._link.one("TIME")
        return read_values(self._link, list(names), int(seconds) * 1000 + int(microseconds) // 1000)

    def _finish(self, changed: set[str]) -> int | None:
        """Read what changed while writes wait, and answer of which instant the copy is; None where it took too long."""
        began = time.monotonic()
        self._link.one("CLIENT", "PAUSE", PAUSE_MS, "WRITE")
        try:
            changed |= self._changed()
            seconds, microseconds = self._link.one("TIME")
            values = self._read(sorted(changed))
            is_whole = time.monotonic() - began < PAUSED_AT_MOST
        finally:
            self._link.one("CLIENT", "UNPAUSE")
        self._write(values)
        return int(seconds) * 1000 + int(microseconds) // 1000 if is_whole else None

    def _write(self, values: dict[str, Value]) -> None:
        for name, value in values.items():
            if value.kind == GONE:
                if name in self._known:
                    self._writer.write(Part(key=name, kind=GONE))
                    self._known.discard(name)
                continue
            self._known.add(name)
            for part in _parts(name, value):
                self._writer.write(part)


def _parts(name: str, value: Value) -> Iterator[Part]:
    """Yield a key as lines of bounded size."""
    every = list(slices(value.rows))
    for place, rows in enumerate(every):
        is_last = place == len(every) - 1
        yield Part(
            key=name,
            kind=value.kind,
            rows=[packed_row(row) for row in rows],
            first=place == 0,
            last=is_last,
            lapses_ms=value.lapses_ms if is_last else 0,
            last_id=value.last if is_last else "",
        )


def names_in(link: Link) -> Iterator[str]:
    """Yield the keys of Tocsin in a store; one that comes or goes meanwhile may be missed, or come twice."""
    cursor = "0"
    while True:
        answer, names = link.one("SCAN", cursor, "MATCH", f"{PREFIX}*", "COUNT", SCANNED)
        yield from (name.decode() for name in names)
        cursor = answer.decode()
        if cursor == "0":
            return


def counted_keys(number: int) -> str:
    """Return a number of keys in words."""
    return "one key" if number == 1 else f"{number} keys"


class Restorer:
    """Writes a backup into one store, on which nobody else works."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._link = Link(url, answer_seconds=ANSWER_SECONDS)

    def prepare(self, *, force: bool) -> None:
        """See to it that the store is empty, by emptying it with `force`; raises `StoreInUse` and `StoreNotEmpty`."""
        at_work = {
            "a decider": keys.lease(),
            "a page worker": keys.pager_lingers(),
            "a facts worker": keys.facts_linger(),
            "the journal's writer": keys.journal_lease(),
        }
        found = checked(self._link.ask([("EXISTS", key) for key in at_work.values()]))
        busy = [who for who, is_there in zip(at_work, found, strict=True) if is_there]
        if busy:
            raise StoreInUse(f"{' and '.join(busy)} works on this store: stop every part of Tocsin first")
        names = sorted({name for name in names_in(self._link) if not is_momentary(name)})
        if names and not force:
            half = self._link.one("EXISTS", keys.restoring())
            what = (
                "a restore that was broken off left a part behind"
                if half
                else f"Tocsin has {counted_keys(len(names))} there"
            )
            raise StoreNotEmpty(f"the store is not empty: {what}; with --force all of it is deleted first")
        self._link.one("SET", keys.restoring(), "1")
        for start in range(0, len(names), DELETED_AT_ONCE):
            self._link.one("UNLINK", *names[start : start + DELETED_AT_ONCE])

    def write(self, lines: Iterable[Part | End]) -> Restored:
        """Write what a backup holds; pages that were due are dropped. Raises `StoreUnavailable`."""
        end = None
        waiting: list[Command] = []
        size = 0
        for line in lines:
            if isinstance(line, End):
                end = line
                continue
            waiting += _commands(line)
            size += 1
            if size >= LINES_AT_ONCE:
                checked(self._link.ask(waiting))
                waiting, size = [], 0
        checked(self._link.ask(waiting))
        if end is None:
            raise StoreUnavailable("the backup has no end")
        return Restored(from_ms(end.at_ms), end.keys, self._drop_pages())

    def stop_paging(self, of: datetime, now: datetime) -> tuple[str, ...]:
        """Let no open incident page; return the ids of those that would have."""
        names = sorted(name.decode() for name in self._link.one("SMEMBERS", keys.incidents_open()))
        stopped = []
        with Links(self._url) as links:
            incidents = Incidents(links, lambda _: OnCall())  # nobody is called, so nobody has to be known
            for name in names:
                done = incidents.apply(name, events.Restored(of=of), now=now)
                if done.reason == "paging stopped":
                    stopped.append(name)
        return tuple(stopped)

    def finish(self) -> None:
        """Say that the store is whole, and that no decider of before may commit into it."""
        checked(self._link.ask([("MULTI",), ("INCR", keys.fence()), ("DEL", keys.restoring()), ("EXEC",)]))
        self._link.drop()

    def _drop_pages(self) -> int:
        """Drop what was due to be sent; what an incident waits for is its own."""
        pages = [name.decode() for name in self._link.one("ZRANGE", keys.pages_due(), 0, -1)]
        gone = [keys.page(name) for name in pages]
        checked(self._link.ask([("DEL", keys.pages_due(), *gone)]))
        return len(pages)


def _commands(part: Part) -> Iterator[Command]:
    if part.first:
        yield ("DEL", part.key)
    if part.kind == GONE:
        return
    rows = [unpacked_row(row) for row in part.rows]
    yield from rows_commands(part.key, part.kind, rows)
    if part.last:
        yield from end_commands(part.key, Value(part.kind, rows, part.lapses_ms, part.last_id))
