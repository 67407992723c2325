"""Makes lines of the journal out of what was decided and the entries of the stream that it is about. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from incidents import keys
from incidents.clock import from_ms, to_ms
from incidents.journal.lines import WORDS, Became, Decided, Decision, Kind, Writing, encode_line
from incidents.journal.members import EntryId, entry_id
from incidents.store.connection import Command
from incidents.store.intake import KIND_INCOMING
from workers.entries import Cursor, read_cursor

NOTHING_MORE = Decision()


class Batch(NamedTuple):
    """One entry of the stream of decisions."""

    id: str
    decided: Decided


class _Head(msgspec.Struct, frozen=True):
    """What is kept of an alert that only repeats what is known."""

    fingerprint: str
    status: str


class _Brief(_Head, frozen=True):
    """The same, as an alert: one without labels."""

    labels: dict[str, str] = {}


class _Event(NamedTuple):
    entry: str
    place: int
    source: str
    received_ms: int
    is_incoming: bool
    raw: msgspec.Raw


Line = tuple[bytes, int, EntryId | None]  # its bytes, when it was decided (ms), and the entry that its event is from

_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_HEAD = msgspec.json.Decoder(_Head)


def range_commands(decided: Decided) -> list[Command]:
    """Return what asks for the entries that hold the events of a batch, in order."""
    start, end = _cursors(decided)
    commands: list[Command] = []
    if end.entry_id != start.entry_id:
        commands.append(("XRANGE", keys.stream(), f"({start.entry_id}", end.entry_id))
    if end.done:
        commands.append(("XRANGE", keys.stream(), f"({end.entry_id}", "+", "COUNT", 1))
    return commands


def lines_of(batch: Batch, raws: Sequence[Any]) -> list[Line]:
    """Return the lines of a batch: of its timers, of entries that could not be read, and of its events.

    Where entries are gone from the stream, they are the first: what is left is matched from the end.
    """
    decided = batch.decided
    lines = [*_timer_lines(batch)]
    events: list[_Event] = []
    start, end = _cursors(decided)
    for raw in raws:
        fields = dict(zip(raw[1][::2], raw[1][1::2], strict=True))
        name = raw[0].decode()
        if name in decided.unreadable:
            lines.append(_unreadable_line(decided, name, fields))
            continue
        found = list(_events_of(name, fields))
        is_partly = end.done and entry_id(name) > entry_id(end.entry_id)
        events += found[: end.done] if is_partly else found
    events = events[start.done :]
    first = max(len(decided.became) - len(events), 0)
    lines += [
        _event_line(decided, event, WORDS[decided.became[place]], decided.decisions.get(place, NOTHING_MORE))
        for place, event in enumerate(events, first)
        if place < len(decided.became)
    ]
    return lines


def _cursors(decided: Decided) -> tuple[Cursor, Cursor]:
    return read_cursor(decided.start.encode()), read_cursor(decided.end.encode())


def _events_of(name: str, fields: dict[bytes, bytes]) -> Iterator[_Event]:
    body = fields.get(b"b", b"")
    source = fields.get(b"s", b"").decode("utf-8", "replace")
    is_incoming = fields.get(b"k") == KIND_INCOMING.encode()
    received_ms = int(fields.get(b"t", b"0"))
    try:
        raws = _RAWS.decode(body)
    except msgspec.MsgspecError:
        return
    for place, raw in enumerate(raws):
        yield _Event(name, place, source, received_ms, is_incoming, raw)


def _event_line(decided: Decided, event: _Event, became: Became, decision: Decision) -> Line:
    is_brief = became is Became.REPEATED and not decision.said and not event.is_incoming
    alert = _brief(event.raw) if is_brief else event.raw
    line = Writing(
        id=f"{event.entry}.{event.place}",
        kind=Kind.INCOMING if event.is_incoming else Kind.ALERT,
        source=event.source,
        received_at=from_ms(event.received_ms),
        decided_at=decided.at,
        rules=decided.rules,
        became=became,
        said=decision.said,
        did=decision.did,
        error=decision.error,
        alert=None if event.is_incoming else alert,
        incoming=event.raw if event.is_incoming else None,
    )
    return encode_line(line), to_ms(decided.at), entry_id(event.entry)


def _brief(raw: msgspec.Raw) -> msgspec.Raw:
    """Return who it was that repeated itself: what it said is on the line of its first firing."""
    try:
        head = _HEAD.decode(raw)
    except msgspec.MsgspecError:
        return raw
    return msgspec.Raw(encode_line(_Brief(head.fingerprint, head.status)))


def _timer_lines(batch: Batch) -> Iterator[Line]:
    decided = batch.decided
    for index, ran in enumerate(decided.timers):
        line = Writing(
            id=f"{batch.id}.t{index}",
            kind=Kind.TIMER,
            received_at=decided.at,
            decided_at=decided.at,
            rules=decided.rules,
            became=Became.TAKEN,
            timer=ran.timer,
            due_at=ran.due_at,
            said=ran.decision.said,
            did=ran.decision.did,
        )
        yield encode_line(line), to_ms(decided.at), None


def _unreadable_line(decided: Decided, name: str, fields: dict[bytes, bytes]) -> Line:
    line = Writing(
        id=f"{name}.0",
        kind=Kind.UNREADABLE,
        source=fields.get(b"s", b"").decode("utf-8", "replace"),
        received_at=from_ms(int(fields.get(b"t", b"0"))),
        decided_at=decided.at,
        rules=decided.rules,
        became=Became.QUARANTINED,
        text=fields.get(b"b", b"").decode("utf-8", "replace"),
        error=decided.unreadable[name],
    )
    return encode_line(line), to_ms(decided.at), entry_id(name)
