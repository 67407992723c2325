"""Who holds a rotation at an instant, and who is next in turn, over its layers and overrides. Pure.

Overrides come first, then the layers from top to bottom: the first that is open and has somebody decides. It reads no
clock and no store; every process at every time gives the same answer.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from incidents.errors import TocsinError
from incidents.hours import FIRST, LAST
from incidents.oncall import Rotation
from incidents.turns import Span, following, span_at


class NobodyOnCall(TocsinError):
    """Nobody holds the rotation: no layer is open or has members, and no override covers the instant."""

    def __init__(self, rotation: str, at: datetime) -> None:
        self.rotation = rotation
        self.at = at
        super().__init__(f"nobody holds the rotation {rotation!r} at {at.isoformat()}: add people to its order")


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One person holding a rotation without a break, from `start` (UTC, inclusive) until `until` (UTC, exclusive)."""

    person: str
    start: datetime
    until: datetime
    override: bool = False


def holder(rotation: Rotation, at: datetime, *, ahead: int = 0) -> Shift:
    """Return who holds the rotation at an aware instant; with `ahead`, the so-manieth next in turn after that person.

    The next in turn is another person wherever the rotation has one; the bounds are those of the shift at `at`.
    Where overrides overlap, the later-listed wins. Raises NobodyOnCall.
    """
    span, override = _found_at(rotation, at)
    if span.person is None:
        raise NobodyOnCall(rotation.id, at)
    shift = _shift(span, span.person, override=override)
    if ahead == 0:
        return shift
    first = shift.person
    people = [first, *(person for person in _in_turn(rotation, at) if person != first)]
    person = people[ahead % len(people)]
    return msgspec.structs.replace(shift, person=person, override=override and person == first)


def preview(rotation: Rotation, start: datetime, until: datetime) -> list[Shift]:
    """Return every shift that overlaps [start, until), first to last, each in its full length."""
    spans = _spans(rotation, start, until)
    return [_shift(span, span.person, override=override) for span, override in spans if span.person is not None]


def gaps(rotation: Rotation, *, start: datetime, days: int = 90) -> list[tuple[datetime, datetime]]:
    """Return the spans in the `days` after `start` in which nobody holds the rotation; none if all is well."""
    start = start.astimezone(UTC)
    end = start + timedelta(days=days)
    found: list[tuple[datetime, datetime]] = []
    for span, _ in _spans(rotation, start, end):
        if span.person is None:
            begin, close = max(span.start, start), min(span.until, end)
            if found and found[-1][1] == begin:
                begin = found.pop()[0]
            found.append((begin, close))
    return found


def _spans(rotation: Rotation, start: datetime, until: datetime) -> Iterator[tuple[Span, bool]]:
    at = start
    while at < until:
        found = _found_at(rotation, at)
        yield found
        at = found[0].until


def _found_at(rotation: Rotation, at: datetime) -> tuple[Span, bool]:
    """Return who holds the rotation at an instant, as long as all that was asked says the same, and if by override."""
    start, until = FIRST, LAST
    for override in reversed(rotation.overrides):
        if override.start <= at < override.until:
            return Span(override.person, max(start, override.start), min(until, override.until)), True
        if override.start >= override.until:
            continue
        if override.until <= at:
            start = max(start, override.until)
        else:
            until = min(until, override.start)
    for layer in rotation.every_layer:
        span = span_at(layer, at)
        start, until = max(start, span.start), min(until, span.until)
        if span.person is not None:
            return Span(span.person, start, until), False
    return Span(None, start, until), False


def _in_turn(rotation: Rotation, at: datetime) -> list[str]:
    """Return everybody once: who follows in the layer that decides, who holds the other layers, and the others."""
    layers = rotation.every_layer
    held = [span_at(layer, at).person for layer in layers]
    deciding = next((layer for layer, person in zip(layers, held, strict=True) if person is not None), None)
    people = [] if deciding is None else following(deciding, at)
    people += [person for person in held if person is not None]
    people += [person for layer in layers for person in following(layer, at)]
    return list(dict.fromkeys(people))


def _shift(span: Span, person: str, *, override: bool) -> Shift:
    return Shift(person=person, start=span.start.astimezone(UTC), until=span.until.astimezone(UTC), override=override)
