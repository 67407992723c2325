"""Who is on call over the API: the roles at an instant, and the plan of the rotations, as they are in force."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from incidents.oncall import OnCall
from incidents.presentation import instant
from incidents.rotations import NobodyOnCall, Shift, holder, preview
from incidents.teams import DEFAULT_TEAM, of_team
from incidents.values import Role
from receiver.api import answers
from receiver.api.answers import Answer, Instant
from receiver.api.reading import bad_parameter, text_in
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole

USUAL, LONGEST = timedelta(weeks=4), timedelta(days=366)
FARTHEST = timedelta(days=3660)


class ShiftAnswer(Answer, frozen=True, kw_only=True):
    """One person holding a rotation without a break."""

    person: str
    name: str
    start: Instant = msgspec.field(name="from")
    until: Instant
    override: bool


class PlanAnswer(Answer, frozen=True, kw_only=True):
    """A rotation and its shifts, first to last, each in its full length; where nobody holds it there is none."""

    rotation: str
    shifts: list[ShiftAnswer]


class PlansAnswer(Answer, frozen=True, kw_only=True):
    """The plans of the rotations, in the order of the rule files."""

    rotations: list[PlanAnswer]
    next: None = None


def _roles(services: Services, call: Call) -> Reply:
    oncall = services.api.rule_set().oncall
    team = text_in(call.query, "team") or DEFAULT_TEAM
    if team not in {DEFAULT_TEAM, *oncall.teams}:
        raise bad_parameter("team", f"There is no such team: there is {', '.join([DEFAULT_TEAM, *oncall.teams])}.")
    oncall, at = of_team(oncall, team), _instant_in(call, "at", call.now)
    return Reply({role.value: _holder(oncall, role, at) for role in Role})


def _holder(oncall: OnCall, role: Role, at: datetime) -> dict[str, Any]:
    rotation = oncall.rotations.get(oncall.roles.get(role, ""))
    try:
        shift = holder(rotation, at) if rotation else None
    except NobodyOnCall:
        shift = None
    if shift is None:
        return {"person": None, "name": None, "until": None}
    return {"person": shift.person, "name": oncall.people[shift.person].name, "until": instant(shift.until)}


def _plans(services: Services, call: Call) -> Reply:
    oncall = services.api.rule_set().oncall
    start = _instant_in(call, "from", call.now)
    until = _instant_in(call, "until", start + USUAL)
    if not start < until <= start + LONGEST:
        raise bad_parameter("until", f"until must lie after from, and at most {LONGEST.days} days after it.")
    names = call.query.get("rotation", ()) or tuple(oncall.rotations)
    for name in names:
        if name not in oncall.rotations:
            raise bad_parameter("rotation", f"There is no such rotation: there is {', '.join(oncall.rotations)}.")
    plans = [
        PlanAnswer(
            rotation=name,
            shifts=[_shown(shift, oncall) for shift in preview(oncall.rotations[name], start, until)],
        )
        for name in names
    ]
    return Reply(PlansAnswer(rotations=plans))


def _shown(shift: Shift, oncall: OnCall) -> ShiftAnswer:
    known = oncall.people.get(shift.person)
    return ShiftAnswer(
        person=shift.person,
        name=known.name if known is not None else "",
        start=instant(shift.start) or "",
        until=instant(shift.until) or "",
        override=shift.override,
    )


def _instant_in(call: Call, name: str, default: datetime) -> datetime:
    text = text_in(call.query, name)
    if not text:
        return default
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or abs(at - call.now) > FARTHEST:
        hint = "Write it like 2026-11-02T03:00:00Z."
        raise bad_parameter(name, f"{name} is no instant with an offset within ten years.", hint)
    return at.astimezone(UTC)


ROUTES = (
    Route(
        method="GET",
        path="/oncall",
        role=ApiRole.VIEWER,
        summary="Show who holds each role",
        handler=_roles,
        answer=answers.OnCallAnswer,
        query=(
            Parameter(name="team", description="By the rotations of this team, and not of the default team."),
            Parameter(name="at", description="At this instant; by default now."),
        ),
    ),
    Route(
        method="GET",
        path="/oncall/shifts",
        role=ApiRole.VIEWER,
        summary="Show the plan of the rotations, as it is in force",
        handler=_plans,
        answer=PlansAnswer,
        query=(
            Parameter(name="from", description="Shifts that end after this instant; by default now."),
            Parameter(name="until", description="Shifts that begin before this instant; by default four weeks later."),
            Parameter(name="rotation", description="This rotation alone.", many=True),
        ),
    ),
)
