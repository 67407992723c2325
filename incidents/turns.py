"""Turns of one layer of a rotation: when each begins, and which member holds it. Arithmetic on wall-clock handoffs,
or a search among the turns of a calendar.

Turns are counted from the layer's `starting`, never from the present, so that every process at every time gives the
same answer. Before the first handoff the first of the order holds the layer.
"""

from bisect import bisect_right
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from incidents.hours import FIRST, LAST, instant_of, stretch_at
from incidents.oncall import Layer, Term

_DAY = timedelta(days=1)
_NONE = timedelta(0)
_ALWAYS = Term()


class Span(NamedTuple):
    """Who holds a layer from `start` until `until` (UTC, exclusive); nobody outside its hours or without members."""

    person: str | None
    start: datetime
    until: datetime


def span_at(layer: Layer, at: datetime) -> Span:
    """Return who holds a layer at an instant, and from when until when that is so."""
    if layer.calendar is not None:
        return _in_calendar(layer, at)
    stretch = stretch_at(layer.hours, layer.timezone, at)
    if not stretch.is_open:
        return Span(None, stretch.start, stretch.until)
    held = _held_at(layer, at)
    return Span(held.person, max(held.start, stretch.start), min(held.until, stretch.until))


def following(layer: Layer, at: datetime) -> list[str]:
    """Return everybody of the layer once, starting with the turn after the one at `at`."""
    if layer.calendar is not None:
        after = bisect_right(layer.turns, at, key=lambda turn: turn.start)
        return list(dict.fromkeys(turn.person for turn in (*layer.turns[after:], *layer.turns[:after])))
    if not layer.order:
        return []
    turn = max(_turn_at(layer, at).number, 0)
    places = (_place_of(layer, turn + step) for step in range(1, len(layer.order) + 1))
    return list(dict.fromkeys(layer.order[place] for place in places if place is not None))


def _in_calendar(layer: Layer, at: datetime) -> Span:
    after = bisect_right(layer.turns, at, key=lambda turn: turn.start)
    before = layer.turns[after - 1] if after else None
    if before is not None and at < before.until:
        return Span(*before)
    until = layer.turns[after].start if after < len(layer.turns) else LAST
    return Span(None, FIRST if before is None else before.until, until)


# ------------------------------------------------------------------------------------------------------------- members


class _Era(NamedTuple):
    """The places of the order that take turns from one turn on, and which of them begins."""

    first_turn: int
    places: tuple[int, ...]
    begins: int

    def place_of(self, turn: int) -> int | None:
        """Return the place that has a turn of this era."""
        return self.places[(self.begins + turn - self.first_turn) % len(self.places)] if self.places else None


def _held_at(layer: Layer, at: datetime) -> Span:
    if not layer.order:
        return Span(None, FIRST, LAST)
    turn = _turn_at(layer, at)
    place = _place_of(layer, turn.number)
    leaves = None if place is None else _instant_of_day(layer, _term(layer, place).leaves)
    if place is None or leaves is None or leaves >= turn.until:
        return Span(None if place is None else layer.order[place], turn.start, turn.until)
    if at < leaves:
        return Span(layer.order[place], turn.start, leaves)
    # Whoever leaves amid a turn is followed at once by who would be next.
    return Span(_successor(layer, turn.number, leaves), leaves, turn.until)


def _successor(layer: Layer, turn: int, at: datetime) -> str | None:
    places = (_place_of(layer, turn + step) for step in range(1, len(layer.order) + 1))
    return next((layer.order[place] for place in places if place is not None and _is_member(layer, place, at)), None)


def _place_of(layer: Layer, turn: int) -> int | None:
    """Return the place in the order that has a turn; None where nobody is a member."""
    turn = max(turn, 0)
    if not layer.terms:
        return turn % len(layer.order)
    return next(era for era in reversed(_eras(layer)) if era.first_turn <= turn).place_of(turn)


@lru_cache(maxsize=256)
def _eras(layer: Layer) -> tuple[_Era, ...]:
    """Return the eras between changes of membership, each of which goes on where the one before it ended."""
    dates = {day for term in layer.terms for day in (term.joins, term.leaves) if day is not None}
    turns = {0, *(max(_first_turn_from(layer, day), 0) for day in dates)}
    eras: list[_Era] = []
    for turn in sorted(turns):
        start = _handoff(layer, turn)
        places = tuple(place for place in range(len(layer.order)) if _is_member(layer, place, start))
        held = eras[-1].place_of(turn - 1) if eras else None
        later = [place for place in places if held is not None and place > held]
        eras.append(_Era(turn, places, places.index(later[0]) if later else 0))
    return tuple(eras)


def _first_turn_from(layer: Layer, day: date) -> int:
    at = _instant_of_day(layer, day) or FIRST
    turn = _turn_at(layer, at)
    return turn.number if turn.start == at else turn.number + 1


def _is_member(layer: Layer, place: int, at: datetime) -> bool:
    term = _term(layer, place)
    joins, leaves = _instant_of_day(layer, term.joins), _instant_of_day(layer, term.leaves)
    return (joins is None or joins <= at) and (leaves is None or at < leaves)


def _term(layer: Layer, place: int) -> Term:
    return layer.terms[place] if layer.terms else _ALWAYS


def _instant_of_day(layer: Layer, day: date | None) -> datetime | None:
    return None if day is None else instant_of(datetime.combine(day, time()), ZoneInfo(layer.timezone))


# ------------------------------------------------------------------------------------------------------------ handoffs


class _Turn(NamedTuple):
    number: int  # 0 begins at the first handoff
    start: datetime
    until: datetime


def _turn_at(layer: Layer, at: datetime) -> _Turn:
    zone, first = ZoneInfo(layer.timezone), _first_handoff(layer)
    number = (at.astimezone(zone).replace(tzinfo=None) - first) // layer.every
    # The estimate is off by what the zone's offset has moved; a turn that daylight saving made empty is skipped.
    while (start := _start_of(layer, zone, first, number)) > at:
        number -= 1
    while (until := _start_of(layer, zone, first, number + 1)) <= at:
        number, start = number + 1, until
    return _Turn(number, start, until)


def _handoff(layer: Layer, number: int) -> datetime:
    return _start_of(layer, ZoneInfo(layer.timezone), _first_handoff(layer), number)


def _first_handoff(layer: Layer) -> datetime:
    """Return the local time at which turn 0 begins: the layer's weekday on or after `starting`."""
    day = layer.starting
    if layer.weekday is not None:
        day += timedelta(days=(layer.weekday - day.weekday()) % 7)
    return datetime.combine(day, layer.at.replace(tzinfo=None, fold=0))


def _start_of(layer: Layer, zone: tzinfo, first: datetime, number: int) -> datetime:
    """Return the instant (UTC) at which a turn begins.

    Whole days, and parts that divide a day, keep to the clock on the wall; any other period is elapsed time.
    """
    every = layer.every
    if every % _DAY == _NONE or _DAY % every == _NONE:
        return instant_of(first + number * every, zone)
    return instant_of(first, zone) + number * every
