"""Reads the calendars of rotations, again and again, and puts what it read in force; the last good copy stays.

Nothing here decides who is on call: an answer that is no calendar, or names nobody, changes nothing, and is told of.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog

from incidents.calendars import CalendarStatus, Copy, horizon, layers_of, turns_of, unknown_of
from incidents.errors import TocsinError
from incidents.oncall import Calendar, Layer
from incidents.rota.reading import BadCalendar, read_calendar
from incidents.store.calendars import CalendarStates
from incidents.store.rulesets import RuleSets
from rules.model import RuleSet
from workers.channels.http import Answer
from workers.stepping import Stepping

LOG = structlog.get_logger()

STEP_SECONDS = 1.0
FILE_EVERY = timedelta(minutes=1)  # what lies in the store costs nothing to look at


class Client(Protocol):
    """What gets an address."""

    def get(self, url: str, headers: dict[str, str]) -> Answer:
        """Return the answer, whatever its status; raises `TocsinError` when there is none."""


class _Known(NamedTuple):
    """What was read of a calendar: its text, by which the day's events are found anew, and the tag of that text."""

    text: str | bytes
    etag: str = ""


class Calendars(Stepping):
    """Keeps the calendars of the rules in force. One thread steps."""

    def __init__(
        self,
        *,
        rule_set: Callable[[], RuleSet],
        stored: RuleSets,
        states: CalendarStates,
        client: Client,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__("calendars", seconds=STEP_SECONDS, failed="calendars_not_read")
        self._rule_set = rule_set
        self._stored = stored
        self._states = states
        self._client = client
        self._now = now
        self._due: dict[str, float] = {}  # in monotonic time
        self._known: dict[str, _Known] = {}
        self._copies: dict[str, Copy] = {}  # those of the rules in force
        self._in_force = ""  # the name of the rules that these are of
        self._failed: dict[str, str] = {}

    def step(self) -> None:
        """Read the calendars that are due, and put what changed in force."""
        rule_set = self._rule_set()
        wanted = layers_of(rule_set.oncall)
        if rule_set.hash != self._in_force:
            self._copies = self._stored.calendars(rule_set.hash)
            self._in_force = rule_set.hash
        copies = {name: self._copies[name] for name in wanted if name in self._copies}
        for name, (layer, rotations) in wanted.items():
            if self._due.get(name, 0.0) <= time.monotonic() and layer.calendar is not None:
                every = layer.calendar.refresh if not layer.calendar.file else FILE_EVERY
                self._due[name] = time.monotonic() + every.total_seconds()
                self._look(name, layer, rotations, copies, rule_set)
        if copies != self._copies and self._stored.publish_calendars(rule_set.hash, copies):
            self._in_force = ""
            LOG.info("calendars_in_force", calendars=len(copies))
        self._states.forget_all_but(wanted)

    def _look(
        self, name: str, layer: Layer, rotations: tuple[str, ...], copies: dict[str, Copy], rule_set: RuleSet
    ) -> None:
        """Read one calendar; where that fails what was known stays, and its recurring events go on."""
        now, people, failed, before = self._now(), rule_set.oncall.people, "", self._known.get(name)
        try:
            self._known[name] = self._text(name, layer, rule_set)
        except (TocsinError, OSError, ValueError) as error:
            failed = _said(error)
        try:
            known = self._known.get(name)
            if known is not None and (known != before or _is_old(copies.get(name), now)):
                copy = read_calendar(known.text, layer.timezone, now)
                if not turns_of(copy, people):
                    raise BadCalendar(_names_nobody(copy, unknown_of(copy, people)))
                copies[name] = copy
        except BadCalendar as error:
            failed = str(error)
            del self._known[name]  # so that what is mended is not taken for the same
        if failed != self._failed.get(name, ""):
            self._failed[name] = failed
            LOG.warning("calendar_not_read", rotations=rotations, reason=failed) if failed else LOG.info(
                "calendar_read_again", rotations=rotations
            )
        self._tell(name, layer, rotations, copies.get(name), rule_set, failed)

    def _tell(
        self,
        name: str,
        layer: Layer,
        rotations: tuple[str, ...],
        copy: Copy | None,
        rule_set: RuleSet,
        failed: str,
    ) -> None:
        now, before = self._now(), self._states.known().get(name)
        good_at = now if not failed else before.good_at if before is not None else None
        refresh = layer.calendar.refresh if layer.calendar is not None else timedelta(0)
        unknown = unknown_of(copy, rule_set.oncall.people) if copy is not None else ()
        status = CalendarStatus(
            rotations=rotations, at=now, good_at=good_at, failed=failed, refresh=refresh, unknown=unknown
        )
        self._states.keep(name, status)

    def _text(self, name: str, layer: Layer, rule_set: RuleSet) -> _Known:
        """Return the text of a calendar as it is now; raises `TocsinError`, `OSError` and `ValueError`."""
        calendar = layer.calendar
        if calendar is None or calendar.file:
            name = calendar.file if calendar is not None else ""
            text = dict(self._stored.text(rule_set.hash).files).get(name)
            if text is None:
                raise BadCalendar(f"{name} is not among the rules in force")
            return _Known(text)
        known = self._known.get(name)
        answer = self._client.get(_address(calendar), {"If-None-Match": known.etag} if known and known.etag else {})
        if answer.status_code == 304 and known is not None:
            return known
        if answer.status_code != 200:
            moved = "; redirects are not followed: give the final address" if 300 <= answer.status_code < 400 else ""
            raise BadCalendar(f"answered {answer.status}{moved}")
        if not answer.content:
            raise BadCalendar("the answer was empty, or broke off")
        return _Known(answer.content, answer.etag)


def _address(calendar: Calendar) -> str:
    return calendar.url or Path(calendar.url_file).read_text(encoding="utf-8").strip()


def _is_old(copy: Copy | None, now: datetime) -> bool:
    return copy is None or copy.since != horizon(now)[0]


def _names_nobody(copy: Copy, unknown: tuple[str, ...]) -> str:
    named = ", ".join(repr(name[:60]) for name in unknown)
    said = f"no event from {copy.since:%Y-%m-%d} until {copy.until:%Y-%m-%d} names a person"
    return said + (f"; there is {named}" if named else "")


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the file of its address cannot be read: {error.strerror or error}"
    return str(error)[:300]
