"""Who holds a rotation at an instant, and who is next in turn: pure arithmetic on wall-clock handoffs.

Turns are counted from the rotation's `starting`, never from the present, so that every process at every time gives the
same answer. Before the first handoff the first of the order holds the rotation. It reads no clock and no store.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from incidents.errors import TocsinError
from incidents.oncall import Override, Rotation

_DAY = timedelta(days=1)
_NONE = timedelta(0)


class NobodyOnCall(TocsinError):
    """Nobody holds the rotation: its order is empty, and no override covers the instant."""

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
    shift = _shift_at(rotation, at)
    if shift is None:
        raise NobodyOnCall(rotation.id, at)
    if ahead == 0:
        return shift
    first = shift.person
    people = [first, *(person for person in _in_turn(rotation, at) if person != first)]
    person = people[ahead % len(people)]
    return msgspec.structs.replace(shift, person=person, override=shift.override and person == first)


def preview(rotation: Rotation, start: datetime, until: datetime) -> list[Shift]:
    """Return every shift that overlaps [start, until), first to last, each in its full length."""
    return list(_shifts(rotation, start, until))


def gaps(rotation: Rotation, *, start: datetime, days: int = 90) -> list[tuple[datetime, datetime]]:
    """Return the spans in the `days` after `start` in which nobody holds the rotation; none if all is well."""
    start, end = start.astimezone(UTC), start.astimezone(UTC) + timedelta(days=days)
    found, covered = [], start
    for shift in _shifts(rotation, start, end):
        if shift.start > covered:
            found.append((covered, shift.start))
        covered = shift.until
    if covered < end:
        found.append((covered, end))
    return found


def _shifts(rotation: Rotation, start: datetime, until: datetime) -> Iterator[Shift]:
    at = start
    while at < until:
        shift = _shift_at(rotation, at)
        if shift is None:
            later = [override.start for override in rotation.overrides if override.start > at]
            if not later:
                return
            at = min(later)
        else:
            yield shift
            at = shift.until


def _shift_at(rotation: Rotation, at: datetime) -> Shift | None:
    """Return the shift at an instant: the last-listed override that covers it, else the turn, cut by those above."""
    overrides = [override for override in rotation.overrides if override.start < override.until]
    for place in range(len(overrides) - 1, -1, -1):
        chosen = overrides[place]
        if chosen.start <= at < chosen.until:
            whole = Shift(person=chosen.person, start=chosen.start, until=chosen.until, override=True)
            return _cut(whole, overrides[place + 1 :], at)
    if not rotation.order:
        return None
    turn, start, until = _turn_at(rotation, at)
    return _cut(Shift(person=_person(rotation, turn), start=start, until=until), overrides, at)


def _cut(shift: Shift, above: list[Override], at: datetime) -> Shift:
    """Shorten a shift to the part around `at` that no override above it covers."""
    start = max([shift.start, *(override.until for override in above if override.until <= at)])
    until = min([shift.until, *(override.start for override in above if override.start > at)])
    return msgspec.structs.replace(shift, start=start.astimezone(UTC), until=until.astimezone(UTC))


def _person(rotation: Rotation, turn: int) -> str:
    return rotation.order[max(turn, 0) % len(rotation.order)]


def _in_turn(rotation: Rotation, at: datetime) -> list[str]:
    """Return everybody of the order once, starting with the turn after the one at `at`."""
    if not rotation.order:
        return []
    turn = max(_turn_at(rotation, at)[0], 0)
    return list(dict.fromkeys(_person(rotation, turn + step) for step in range(1, len(rotation.order) + 1)))


# ------------------------------------------------------------------------------------------------------------ handoffs


def _turn_at(rotation: Rotation, at: datetime) -> tuple[int, datetime, datetime]:
    """Return the number of the turn at an instant (0 begins at the first handoff), with its start and end in UTC."""
    zone, first = ZoneInfo(rotation.timezone), _first_handoff(rotation)
    turn = (at.astimezone(zone).replace(tzinfo=None) - first) // rotation.every
    # The estimate is off by what the zone's offset has moved; a turn that daylight saving made empty is skipped.
    while (start := _handoff(rotation, zone, first, turn)) > at:
        turn -= 1
    while (until := _handoff(rotation, zone, first, turn + 1)) <= at:
        turn, start = turn + 1, until
    return turn, start, until


def _first_handoff(rotation: Rotation) -> datetime:
    """Return the local time at which turn 0 begins: the rotation's weekday on or after `starting`."""
    day = rotation.starting
    if rotation.weekday is not None:
        day += timedelta(days=(rotation.weekday - day.weekday()) % 7)
    return datetime.combine(day, rotation.at.replace(tzinfo=None, fold=0))


def _handoff(rotation: Rotation, zone: tzinfo, first: datetime, turn: int) -> datetime:
    """Return the instant (UTC) at which a turn begins.

    Whole days, and parts that divide a day, keep to the clock on the wall; any other period is elapsed time.
    """
    every = rotation.every
    if every % _DAY == _NONE or _DAY % every == _NONE:
        return _instant(first + turn * every, zone)
    return _instant(first, zone) + turn * every


def _instant(local: datetime, zone: tzinfo) -> datetime:
    """Return the UTC instant of a local time: the first of two, or the first that exists after one that does not."""
    before, after = (local.replace(tzinfo=zone, fold=fold).utcoffset() or _NONE for fold in (0, 1))
    aware = local.replace(tzinfo=UTC)
    return aware - before if before >= after else _transition(aware - after, aware - before, zone)


def _transition(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the instant between two at which the zone's offset changes; offsets change on whole seconds."""
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    old = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == old else (low, middle)
    return high
