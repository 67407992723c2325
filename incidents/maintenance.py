"""Maintenance: times in which what is declared pages nobody until they are over. Pure values, and their arithmetic.

What a maintenance matches is judged by the rules; an incident remembers only what held its paging, and when.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from incidents.hours import LAST, stretch_at
from incidents.oncall import Hours

REMIND_BEFORE = timedelta(minutes=15)  # an end is announced so long before it comes


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """One maintenance as it holds the paging of an incident; `until` is exclusive."""

    id: str
    start: datetime
    until: datetime


class Maintenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Once, from `start` until `until`, or every week within `weekly`; `match` is as one writes matchers."""

    id: str
    match: str
    start: datetime | None = None
    until: datetime | None = None
    weekly: Hours | None = None
    timezone: str = "UTC"
    author: str = ""
    comment: str = ""
    created_at: datetime | None = None  # of one that came by the API

    def hold_at(self, at: datetime) -> Hold | None:
        """Return from when to when it is in force around an instant, None where it is not."""
        if self.weekly is not None:
            stretch = stretch_at((self.weekly,), self.timezone, at)
            return Hold(id=self.id, start=stretch.start, until=stretch.until) if stretch.is_open else None
        if self.start is None or self.until is None or not self.start <= at < self.until:
            return None
        return Hold(id=self.id, start=self.start, until=self.until)

    def next_start(self, at: datetime) -> datetime | None:
        """Return when it begins next, None where it is in force or will never be again."""
        if self.weekly is not None:
            stretch = stretch_at((self.weekly,), self.timezone, at)
            return None if stretch.is_open else stretch.until
        return self.start if self.start is not None and at < self.start else None

    def is_over(self, at: datetime) -> bool:
        """Whether it will never be in force again."""
        return self.weekly is None and (self.until is None or self.until <= at)

    @property
    def is_endless(self) -> bool:
        """Whether it leaves no minute of the week out."""
        return (
            self.weekly is not None
            and stretch_at((self.weekly,), self.timezone, LAST - timedelta(days=60)).until == LAST
        )


def holds_at(maintenances: Iterable[Maintenance], now: datetime) -> tuple[Hold, ...]:
    """Return what holds at an instant, and what goes on from there without a break."""
    planned = list(maintenances)
    found: dict[str, Hold] = {}
    at: datetime | None = now
    while at is not None:
        new = [hold for each in planned if each.id not in found and (hold := each.hold_at(at)) is not None]
        found.update((hold.id, hold) for hold in new)
        at = max((hold.until for hold in new), default=None)
    return tuple(found.values())


def held_until(holds: Iterable[Hold], now: datetime) -> datetime | None:
    """Return until when these hold without a break, None where none holds now."""
    at = now
    for hold in sorted(holds, key=lambda each: each.start):
        if hold.start <= at < hold.until:
            at = hold.until
    return at if at > now else None


def names_of(holds: Iterable[Hold]) -> str:
    """Return the ids of what holds, for people."""
    return ", ".join(hold.id for hold in holds)
