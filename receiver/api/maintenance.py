"""Maintenance over the API: plans it, lists it with that of the rule files, and ends it early."""

import secrets
from datetime import time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from incidents.errors import NotFound
from incidents.maintenance import Maintenance
from incidents.oncall import Hours
from incidents.presentation import instant
from incidents.store import maintenance as store
from receiver.api import texts, wire
from receiver.api.answers import Answer, Instant
from receiver.api.reading import unfit
from receiver.api.route import Call, Reply, Route, Services
from receiver.api.spans import span_of
from receiver.auth import ApiRole
from receiver.problems import Problem
from rules.maintaining import is_narrow, matchers_of
from rules.matchers import BadMatcher

LONGEST = timedelta(days=366)
MAX_MATCH = 4096
MAX_MATCHERS = 20
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NARROWER = """Name a label that must have a value; for everything send 'alertname=~".+"'."""
NO_ZONE = "No timezone was given: the hours are in UTC."

Id = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]+$", max_length=64)]
Match = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_MATCH)]
Time = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class WeeklyBody(wire.Body, frozen=True, kw_only=True):
    """Hours of some weekdays, on the clock on the wall of a zone."""

    weekdays: Annotated[list[Day], msgspec.Meta(min_length=1, max_length=7)]
    start: Time = msgspec.field(name="from")
    until: Time
    timezone: wire.Name | None = None


class MaintenanceBody(wire.Body, frozen=True, kw_only=True):
    """What plans maintenance: once, from now where `from` is left out, until an instant; or weekly."""

    match: Match | Annotated[list[Match], msgspec.Meta(min_length=1, max_length=MAX_MATCHERS)]
    id: Id | None = None
    start: wire.Instant | None = msgspec.field(default=None, name="from")
    until: wire.Instant | None = None
    weekly: WeeklyBody | None = None
    comment: wire.Text | None = None


class WeeklyAnswer(Answer, frozen=True, kw_only=True):
    """Hours of some weekdays, on the clock on the wall of a zone."""

    weekdays: list[str]
    start: str = msgspec.field(name="from")
    until: str
    timezone: str


class MaintenanceAnswer(Answer, frozen=True, kw_only=True):
    """A maintenance; `ends_in` is in seconds while it is in force, `next_from` is when it begins (again) otherwise."""

    id: str
    match: str
    start: Instant | None = msgspec.field(name="from")
    until: Instant | None
    weekly: WeeklyAnswer | None
    author: str
    comment: str
    origin: str
    state: str
    ends_in: int | None
    next_from: Instant | None
    holds: list[str]
    warnings: list[str]


class MaintenancesAnswer(Answer, frozen=True, kw_only=True):
    """The maintenance of the rule files, and then that of the API; what was over a week ago is forgotten."""

    maintenance: list[MaintenanceAnswer]
    next: None = None


def _shown(each: Maintenance, call: Call, origin: str, holds: list[str]) -> MaintenanceAnswer:
    now = each.hold_at(call.now)
    weekly = each.weekly
    return MaintenanceAnswer(
        id=each.id,
        match=each.match,
        start=instant(each.start),
        until=instant(each.until),
        weekly=None
        if weekly is None
        else WeeklyAnswer(
            weekdays=[DAYS[day] for day in weekly.weekdays],
            start=f"{weekly.start:%H:%M}",
            until=f"{weekly.until:%H:%M}",
            timezone=each.timezone,
        ),
        author=each.author,
        comment=each.comment,
        origin=origin,
        state="active" if now is not None else "over" if each.is_over(call.now) else "upcoming",
        ends_in=round((now.until - call.now).total_seconds()) if now is not None else None,
        next_from=instant(each.next_start(call.now)),
        holds=holds,
        warnings=[],
    )


def _list(services: Services, call: Call) -> Reply:
    held = store.held(services.api.links)
    shown = [(each, "rule files") for each in services.api.rule_set().maintenance]
    shown += [(each, "api") for each in store.planned(services.api.links)]
    visible = {name: services.api.incidents.get(name)[0] for names in held.values() for name in names}
    seen = {name for name, incident in visible.items() if incident.is_seen_by(call.reader)}
    found = [
        _shown(each, call, origin, [name for name in held.get(each.id, ()) if name in seen]) for each, origin in shown
    ]
    return Reply(MaintenancesAnswer(maintenance=found))


def _plan(services: Services, call: Call) -> Reply:
    """Plan maintenance, in force everywhere at once; its author is who calls."""
    body: MaintenanceBody = call.body
    match = _matchers(body)
    start, until, weekly = None, None, None
    if body.weekly is not None:
        weekly = _weekly(body, body.weekly)
    elif body.until is None:
        raise unfit("/until", "Say until when, or weekly.", "Maintenance without an end would be forgotten.")
    else:
        start, until = span_of(body.start, body.until, call.now, what="Maintenance", longest=LONGEST)
    planned = Maintenance(
        id=body.id or f"m-{secrets.token_hex(4)}",
        match=match,
        start=start,
        until=until,
        weekly=weekly,
        timezone=(body.weekly.timezone if body.weekly is not None else None) or "UTC",
        author=call.actor,
        comment=texts.one_line(body.comment or ""),
        created_at=call.now,
    )
    if planned.is_endless:
        raise unfit("/weekly", "This never ends: it leaves no minute of the week out.")
    if any(each.id == planned.id for each in services.api.rule_set().maintenance):
        raise Problem(409, f"The rule files have a maintenance {planned.id}.", hint="Choose another id.")
    try:
        store.add(services.api.links, planned, call.now)
    except store.Taken:
        raise Problem(
            409, f"There is a maintenance {planned.id} already.", hint="End it, or choose another id."
        ) from None
    except store.TooMany:
        raise Problem(409, f"{store.MOST} are planned, which is the most.", hint="End some of them.") from None
    shown = msgspec.structs.replace(
        _shown(planned, call, "api", []),
        warnings=[NO_ZONE] if body.weekly is not None and body.weekly.timezone is None else [],
    )
    return Reply(msgspec.to_builtins(shown))


def _matchers(body: MaintenanceBody) -> str:
    given = [body.match] if isinstance(body.match, str) else body.match
    try:
        matchers = [matcher for each in given for matcher in matchers_of(each)]
    except BadMatcher as error:
        raise unfit("/match", f"Match: {error}.", error.hint) from None
    if len(matchers) > MAX_MATCHERS:
        raise unfit("/match", f"There are {len(matchers)} matchers; at most {MAX_MATCHERS} are read.")
    if not is_narrow(matchers):
        detail = "Match holds for alerts without any label, so it would hold back everything."
        raise unfit("/match", detail, NARROWER)
    return ", ".join(map(str, matchers))


def _weekly(body: MaintenanceBody, weekly: WeeklyBody) -> Hours:
    if body.start is not None or body.until is not None:
        raise unfit("/weekly", "Maintenance is either weekly, or from an instant until another.")
    try:
        ZoneInfo(weekly.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        detail = f"There is no time zone {(weekly.timezone or '')[:64]!r}."
        raise unfit("/weekly/timezone", detail, "Write it like Europe/Berlin or UTC.") from None
    return Hours(
        weekdays=tuple(sorted({DAYS.index(day) for day in weekly.weekdays})),
        start=time.fromisoformat(weekly.start),
        until=time.fromisoformat(weekly.until),
    )


class EndedAnswer(Answer, frozen=True, kw_only=True):
    """A maintenance that is ended, and the incidents that it held."""

    id: str
    released: list[str]


def _end(services: Services, call: Call) -> Reply:
    """End it now; what it held is paged where something fires and nothing else holds it."""
    name = call.path["maintenance_id"]
    if any(each.id == name for each in services.api.rule_set().maintenance):
        hint = "Take it out of the rule files and reload; then this pages at once what it holds still."
        raise Problem(409, f"{name[:64]} stands in the rule files.", hint=hint)
    was_there, released = store.end(services.api.links, services.api.incidents, name, call.actor, call.now)
    if not was_there and not released:
        raise NotFound("maintenance", name[:64])
    seen = [each for each in released if services.api.incidents.get(each)[0].is_seen_by(call.reader)]
    return Reply({"id": name, "released": seen})


ROUTES = (
    Route(
        method="GET",
        path="/maintenance",
        role=ApiRole.VIEWER,
        summary="List the maintenance that is planned and in force",
        handler=_list,
        answer=MaintenancesAnswer,
    ),
    Route(
        method="POST",
        path="/maintenance",
        role=ApiRole.RESPONDER,
        summary="Plan maintenance, in which nobody is paged",
        handler=_plan,
        answer=MaintenanceAnswer,
        status=201,
        body=MaintenanceBody,
        problems={409: "The id is taken, or too many are planned."},
    ),
    Route(
        method="DELETE",
        path="/maintenance/{maintenance_id}",
        role=ApiRole.RESPONDER,
        summary="End maintenance, and page what it held",
        handler=_end,
        answer=EndedAnswer,
        body=wire.NothingBody,
        problems={409: "It stands in the rule files."},
    ),
)
