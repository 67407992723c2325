"""Who is on call: each rotation now and next, its picture, who stands in, maintenance, and who would not be reached."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from incidents.oncall import OnCall, Person
from incidents.reaching import Attempt
from incidents.rota.picture import picture_of
from incidents.rotations import Shift, preview
from incidents.store.reaching import last_attempts
from receiver.auth import ApiRole
from receiver.problems import Problem
from receiver.web.rendering import words
from receiver.web.route import Page, PageRoute, Raw, Redirect, Visit

AHEAD = timedelta(weeks=4)
_OVERRIDES, _MAINTENANCE = "/oncall/overrides", "/maintenance"


class Reached(NamedTuple):
    """A way to reach somebody; `last` is how the last page went that took it."""

    kind: str
    last: Attempt | None


class Held(NamedTuple):
    """A rotation: who holds it now (None: nobody), who comes next, and what it is for."""

    name: str
    person: Person | None
    now: Shift | None
    following: Shift | None
    following_name: str
    reached: tuple[Reached, ...]
    roles: tuple[str, ...]
    calendar: str  # the path of its feed, a secret; empty where who looks may not have it


def _show(visit: Visit, problem: Problem | None = None, form: str = "") -> Page:
    """Return the page; `problem` is of the form of that name, which was refused."""
    oncall = visit.services.api.rule_set().oncall
    attempts = last_attempts(visit.services.api.links)
    calendars = _calendars(visit)
    values = {
        "rotations": [_held(oncall, name, attempts, calendars.get(name, ""), visit.now) for name in oncall.rotations],
        "unreachable": visit.ask("/oncall/unreachable")["unreachable"],
        "overrides": visit.ask(_OVERRIDES)["overrides"],
        "maintenance": visit.ask(_MAINTENANCE)["maintenance"],
        "people": list(oncall.people),
        "external_url": visit.services.api.external_url,
        "problem": problem,
        "form": form,
        "typed": visit.form if form else {},
    }
    return Page("oncall.html", values, problem.status if problem else 200)


def _calendars(visit: Visit) -> Mapping[str, str]:
    if not visit.may(ApiRole.RESPONDER):
        return {}
    return {each["rotation"]: each["path"] for each in visit.ask("/oncall/calendars")["calendars"]}


def _held(oncall: OnCall, name: str, attempts: Mapping[str, Attempt], calendar: str, now: datetime) -> Held:
    shifts = preview(oncall.rotations[name], now, now + AHEAD)
    present = next((shift for shift in shifts if shift.start <= now), None)
    following = next((shift for shift in shifts if shift.start > now), None)
    person = oncall.people.get(present.person) if present is not None else None
    channels = person.channels if person is not None else ()
    return Held(
        name=name,
        person=person,
        now=present,
        following=following,
        following_name=_name(oncall, following),
        reached=tuple(Reached(channel.kind, attempts.get(channel.name)) for channel in channels),
        roles=tuple(_roles(oncall, name)),
        calendar=calendar,
    )


def _name(oncall: OnCall, shift: Shift | None) -> str:
    person = oncall.people.get(shift.person) if shift is not None else None
    return (person.name or person.id) if person is not None else ""


def _roles(oncall: OnCall, rotation: str) -> list[str]:
    own = [words(role) for role, held_by in oncall.roles.items() if held_by == rotation]
    teams = [
        f"{words(role)} of {name}"
        for name, team in oncall.teams.items()
        for role, held_by in team.roles.items()
        if held_by == rotation
    ]
    return [*own, *teams]


def _get(visit: Visit) -> Page | Redirect:
    return _show(visit)


def _picture(visit: Visit) -> Raw:
    oncall = visit.services.api.rule_set().oncall
    until = visit.now + AHEAD
    shifts = {name: preview(rotation, visit.now, until) for name, rotation in oncall.rotations.items()}
    return Raw(picture_of(shifts, oncall.people, visit.now, until).encode(), "image/svg+xml; charset=utf-8")


def _stand_in(visit: Visit) -> Page | Redirect:
    return _made(visit, "override", _OVERRIDES, ("rotation", "person", "note"), "{person} stands in for {rotation}.")


def _plan(visit: Visit) -> Page | Redirect:
    return _made(visit, "maintenance", _MAINTENANCE, ("match", "comment"), "Planned as {id}: nobody is paged for it.")


def _made(visit: Visit, form: str, path: str, fields: tuple[str, ...], told: str) -> Page | Redirect:
    """Make what a form describes: texts as they are, and from when until when in UTC."""
    body: dict[str, Any] = {name: visit.form[name].strip() for name in fields if visit.form.get(name, "").strip()}
    body |= {name: in_utc(visit.form[name]) for name in ("from", "until") if visit.form.get(name)}
    try:
        answer = visit.perform("POST", path, body)
    except Problem as problem:
        return _show(visit, problem, form)
    return Redirect("/oncall", told.format_map(answer))


def in_utc(text: str) -> str:
    """Return an instant as a browser sends it, `2026-11-02T03:00`, as one in UTC; any other text as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).isoformat()


def _end_override(visit: Visit) -> Page | Redirect:
    answer = visit.perform("DELETE", f"{_OVERRIDES}/{{override_id}}", {})
    return Redirect("/oncall", f"{answer['person']} no longer stands in for {answer['rotation']}.")


def _end_maintenance(visit: Visit) -> Page | Redirect:
    answer = visit.perform("DELETE", f"{_MAINTENANCE}/{{maintenance_id}}", {})
    paged = ", ".join(answer["released"])
    return Redirect("/oncall", f"{answer['id']} is over{f'; what it held is paged: {paged}' if paged else ''}.")


ROUTES = (
    PageRoute(method="GET", path="/oncall", role=ApiRole.VIEWER, handler=_get),
    PageRoute(method="GET", path="/oncall/picture.svg", role=ApiRole.VIEWER, handler=_picture),
    PageRoute(method="POST", path="/oncall/overrides", role=ApiRole.RESPONDER, handler=_stand_in),
    PageRoute(method="POST", path="/oncall/overrides/{override_id}", role=ApiRole.RESPONDER, handler=_end_override),
    PageRoute(method="POST", path="/oncall/maintenance", role=ApiRole.RESPONDER, handler=_plan),
    PageRoute(
        method="POST", path="/oncall/maintenance/{maintenance_id}", role=ApiRole.RESPONDER, handler=_end_maintenance
    ),
)
