"""Who could not be reached if something broke now: people without channels, channels that failed last, calendars that
cannot be read, gaps. Pure.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from incidents.calendars import CalendarStatus, layers_of
from incidents.oncall import Channel, OnCall
from incidents.presentation import instant
from incidents.rotations import gaps

DAYS_AHEAD = 90
MOST_GAPS = 3  # of one rotation


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """How the last page over a channel went; `failed` says why it was not taken, and is empty where it was."""

    at: datetime
    failed: str = ""


class Unreachable(msgspec.Struct, frozen=True, kw_only=True):
    """A `person`, a `channel`, a `calendar` or a `rotation` over which nobody would be reached, and why."""

    what: str
    name: str
    why: str


def unreachable(
    oncall: OnCall,
    attempts: Mapping[str, Attempt],
    now: datetime,
    calendars: Mapping[str, CalendarStatus] = MappingProxyType({}),
) -> list[Unreachable]:
    """Return who cannot be reached.

    `attempts` are the last ones by the name of the channel, `calendars` how each was read last, by its id.
    """
    return [
        *_people(oncall, now),
        *_channels(oncall, attempts),
        *_calendars(oncall, calendars),
        *_rotations(oncall, now),
    ]


def _people(oncall: OnCall, now: datetime) -> Iterator[Unreachable]:
    for name in sorted(_paged(oncall, now)):
        person = oncall.people.get(name)
        if person is not None and not person.channels:
            yield Unreachable(what="person", name=name, why=f"{name} is on call, and has no channel")


def _paged(oncall: OnCall, now: datetime) -> set[str]:
    """Return everybody whom a rotation or a step may page."""
    targets = {target for policy in oncall.policies.values() for step in policy.steps for target in step.page}
    for rotation in oncall.rotations.values():
        targets |= {person for layer in rotation.every_layer for person in layer.order}
        targets |= {override.person for override in rotation.overrides if override.until > now}
    return targets


def _channels(oncall: OnCall, attempts: Mapping[str, Attempt]) -> Iterator[Unreachable]:
    for channel in _every_channel(oncall):
        last = attempts.get(channel.name)
        if last is not None and last.failed:
            why = f"the last attempt failed at {instant(last.at)}: {last.failed}"
            yield Unreachable(what="channel", name=channel.name, why=why)


def _every_channel(oncall: OnCall) -> Iterator[Channel]:
    named: dict[str, Channel] = {}
    for person in oncall.people.values():
        named |= {channel.name: channel for channel in person.channels}
    yield from (named | dict(oncall.channels)).values()


def _calendars(oncall: OnCall, statuses: Mapping[str, CalendarStatus]) -> Iterator[Unreachable]:
    for name, (_, rotations) in layers_of(oncall).items():
        status = statuses.get(name)
        whose = ", ".join(rotations)
        if status is None:
            yield Unreachable(what="calendar", name=whose, why="it has not been read yet")
        elif status.failed:
            since = f"was read last at {instant(status.good_at)}" if status.good_at is not None else "was never read"
            yield Unreachable(what="calendar", name=whose, why=f"it {since}: {status.failed}")
        elif status.unknown:
            named = ", ".join(repr(name[:60]) for name in status.unknown)
            yield Unreachable(what="calendar", name=whose, why=f"these events name nobody of people: {named}")


def _rotations(oncall: OnCall, now: datetime) -> Iterator[Unreachable]:
    for rotation in oncall.rotations.values():
        for start, until in gaps(rotation, start=now, days=DAYS_AHEAD)[:MOST_GAPS]:
            why = f"nobody holds it from {instant(start)} until {instant(until)}"
            yield Unreachable(what="rotation", name=rotation.id, why=why)
