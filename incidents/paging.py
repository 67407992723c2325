"""Who is paged by which step of a policy, and what comes after it. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from incidents.hours import stretch_at
from incidents.incident import Incident, Paging
from incidents.maintenance import REMIND_BEFORE, Hold, held_until, names_of
from incidents.oncall import OnCall, Policy, Rotation, SeveritySettings, Step
from incidents.page import CHANNEL_PREFIX, News, Page
from incidents.rotations import NobodyOnCall, holder
from incidents.timeline import Entry, EntryKind
from incidents.values import PageReason, Role, Severity

ROTATION_PREFIX = "rotation:"
HOURS = "hours"  # the reason why nobody is paged outside of those of a policy
DEFAULT_POLICY = Policy(id="default", steps=(Step(page=(Role.INCIDENT_COMMANDER.value,)),))
NOBODY = "Nobody can be paged: no person or channel is configured for {targets}; add people, a rotation and roles"


class Target(NamedTuple):
    """One person (or `channel:NAME`) to page, with the role in which, if any."""

    person: str
    role: str | None


class Called(NamedTuple):
    """What paging did: the incident after it, what to write on the timeline, and the pages that are due now."""

    incident: Incident
    entries: tuple[Entry, ...]
    pages: tuple[Page, ...]


def policy_of(oncall: OnCall, policy_id: str) -> Policy:
    """Return a policy by name, else the default, else one that pages the commander."""
    return oncall.policies.get(policy_id) or oncall.policies.get("default") or DEFAULT_POLICY


def commander_on_duty(oncall: OnCall, role: Role, now: datetime) -> str | None:
    """Return who holds a role by its rotation at an instant, None where no rotation is configured for it."""
    rotation_id = oncall.roles.get(role)
    rotation = oncall.rotations.get(rotation_id) if rotation_id else None
    return _holder(rotation, now) if rotation else None


def _holder(rotation: Rotation, now: datetime, ahead: int = 0) -> str | None:
    try:
        return holder(rotation, now, ahead=ahead).person
    except NobodyOnCall:
        return None


def begin(
    incident: Incident,
    oncall: OnCall,
    *,
    policy: str,
    reason: PageReason,
    received_at: datetime,
    now: datetime,
    holds: tuple[Hold, ...] = (),
) -> Called:
    """Start paging from the first step, whatever was under way before; later, while maintenance holds it."""
    start = incident.paging.start + 1 if incident.paging else 1
    paging = Paging(policy=policy_of(oncall, policy).id, reason=reason, start=start)
    until = held_until(holds, now)
    if until is not None:
        return _held(incident, paging, holds, until, now)
    opens = _opens_at(incident, oncall, paging, now)
    if opens is not None:
        return _waits_for_hours(incident, paging, opens, now)
    return _call(replace(incident, paging=paging), oncall, received_at=received_at, now=now, escalated=False)


def next_step(incident: Incident, oncall: OnCall, *, now: datetime) -> Called:
    """Go on to the next step, or the next round; after the last round say that the policy is exhausted."""
    if incident.paging is None:
        return Called(incident, (), ())
    policy = policy_of(oncall, incident.paging.policy)
    advanced = _advance(incident.paging, policy)
    if incident.paging.step == 0:  # its hours have begun
        return _call(replace(incident, paging=advanced), oncall, received_at=now, now=now, escalated=False)
    if advanced is None:
        return _exhausted(incident, policy, now)
    return _call(replace(incident, paging=advanced), oncall, received_at=now, now=now, escalated=True)


def _held(incident: Incident, paging: Paging, holds: tuple[Hold, ...], until: datetime, now: datetime) -> Called:
    """Page nobody until maintenance is over; a paging that is under way is not held back, and goes on as it is."""
    waits = incident.paging is not None and incident.paging.next_at is not None and not incident.paging.holds
    names = names_of(holds)
    then = "the paging under way goes on" if waits else f"it pages when that is over, at {until:%Y-%m-%d %H:%M %Z}"
    data = {"reason": f"maintenance {names}", "maintenance": [hold.id for hold in holds]}
    text = f"Nobody was paged ({paging.reason}), for maintenance {names} is in force: {then}"
    entry = Entry(at=now, kind=EntryKind.PAGE_SUPPRESSED, text=text, data=data)
    if not waits:
        incident = replace(incident, paging=replace(paging, holds=holds, next_at=looked_at(until, now)))
    return Called(incident, (entry,), ())


def _opens_at(incident: Incident, oncall: OnCall, paging: Paging, now: datetime) -> datetime | None:
    """Return when the hours of the policy begin, None where it pages at once; the gravest knows no hours."""
    policy = policy_of(oncall, paging.policy)
    if policy.hours is None or incident.severity is Severity.SEV1:
        return None
    stretch = stretch_at((policy.hours,), policy.timezone, now)
    return None if stretch.is_open else stretch.until


def _waits_for_hours(incident: Incident, paging: Paging, opens: datetime, now: datetime) -> Called:
    """Page nobody before the hours of the policy begin; a paging that is under way goes on as it is."""
    waits = incident.paging is not None and incident.paging.next_at is not None and not incident.paging.holds
    then = "the paging under way goes on" if waits else f"it pages at {opens:%Y-%m-%d %H:%M %Z}, when they begin"
    text = f"Nobody was paged ({paging.reason}) outside of the hours of the policy {paging.policy}: {then}"
    data = {"reason": HOURS, "policy": paging.policy, "due": opens.isoformat()}
    entry = Entry(at=now, kind=EntryKind.PAGE_SUPPRESSED, text=text, data=data)
    if not waits:
        incident = replace(incident, paging=replace(paging, step=0, next_at=opens))
    return Called(incident, (entry,), ())


def looked_at(until: datetime, now: datetime) -> datetime:
    """Return when to look at what is held until an instant: shortly before, to remind of the end, and then at it."""
    return until - REMIND_BEFORE if until - now > REMIND_BEFORE else until


def release(incident: Incident, oncall: OnCall, *, now: datetime) -> Called:
    """Page what maintenance held, as if it came just now."""
    if incident.paging is None:
        return Called(incident, (), ())
    freed = replace(incident.paging, holds=(), next_at=None)
    opens = _opens_at(incident, oncall, freed, now)
    if opens is not None:
        return _waits_for_hours(replace(incident, paging=freed), freed, opens, now)
    return _call(replace(incident, paging=freed), oncall, received_at=now, now=now, escalated=False)


def has_next_step(incident: Incident, oncall: OnCall) -> bool:
    """Whether another step follows in the present round."""
    paging = incident.paging
    return paging is not None and paging.step < len(policy_of(oncall, paging.policy).steps)


def stop(incident: Incident) -> Incident:
    """Return the incident with no further step due."""
    if incident.paging is None or (incident.paging.next_at is None and not incident.paging.holds):
        return incident
    return replace(incident, paging=replace(incident.paging, next_at=None, holds=()))


def over(incident: Incident, *, now: datetime) -> tuple[Page, ...]:
    """Return what tells everybody who was paged that it is over."""
    if incident.paging is None:
        return ()
    return tuple(
        _page(incident, incident.paging, Target(person, None), received_at=now, now=now, over=True)
        for person in incident.paged
    )


def _advance(paging: Paging, policy: Policy) -> Paging | None:
    if paging.step < len(policy.steps):
        return replace(paging, step=paging.step + 1)
    if paging.round < policy.rounds:
        return replace(paging, step=1, round=paging.round + 1)
    return None


def _call(incident: Incident, oncall: OnCall, *, received_at: datetime, now: datetime, escalated: bool) -> Called:
    """Page the present step; a step that reaches nobody gives way to the next one at once."""
    paging = incident.paging
    assert paging is not None  # noqa: S101 - both callers have just set it
    policy = policy_of(oncall, paging.policy)
    entries: list[Entry] = []
    while True:
        step = policy.steps[paging.step - 1]
        targets = list(_targets(step, incident, oncall, now))
        if targets:
            break
        entries.append(_nobody(step, now))
        if paging.step >= len(policy.steps):
            break
        paging = replace(paging, step=paging.step + 1)
    reason = PageReason.UNACKNOWLEDGED if escalated else paging.reason
    paging = replace(paging, next_at=now + _wait(step, incident, oncall))
    if escalated and targets:
        entries.append(_escalated(paging, targets, now))
    pages = tuple(
        _page(incident, replace(paging, reason=reason), target, received_at=received_at, now=now) for target in targets
    )
    paged = tuple(dict.fromkeys((*incident.paged, *(target.person for target in targets))))
    return Called(replace(incident, paging=paging, paged=paged), tuple(entries), pages)


def _wait(step: Step, incident: Incident, oncall: OnCall) -> timedelta:
    if step.acknowledge_within is not None:
        return step.acknowledge_within
    return oncall.severities.get(incident.severity, SeveritySettings()).acknowledge_within


def _targets(step: Step, incident: Incident, oncall: OnCall, now: datetime) -> Iterator[Target]:
    seen: set[str] = set()
    for name in step.page:
        target = _target(name, incident, oncall, now)
        if target is not None and target.person not in seen:
            seen.add(target.person)
            yield target


def _target(name: str, incident: Incident, oncall: OnCall, now: datetime) -> Target | None:
    if name in set(Role):
        role = Role(name)
        person = incident.roles.holder(role) or commander_on_duty(oncall, role, now)
        return Target(person, name) if person else None
    if name.startswith(ROTATION_PREFIX):
        rotation_id, _, ahead = name.removeprefix(ROTATION_PREFIX).partition("+")
        rotation = oncall.rotations.get(rotation_id)
        person = _holder(rotation, now, int(ahead or 0)) if rotation else None
        return Target(person, None) if person else None
    known = (
        name.removeprefix(CHANNEL_PREFIX) in oncall.channels
        if name.startswith(CHANNEL_PREFIX)
        else name in oncall.people
    )
    return Target(name, None) if known else None


def _page(
    incident: Incident, paging: Paging, target: Target, *, received_at: datetime, now: datetime, over: bool = False
) -> Page:
    stage = "over" if over else stage_of(paging)
    return Page(
        id=f"{incident.id}.{paging.start}.{stage}.{target.person}",
        over=over,
        incident_id=incident.id,
        person=target.person,
        role=target.role,
        step=paging.step,
        round=paging.round,
        reason=paging.reason,
        ruleset=incident.ruleset,
        created_at=now,
        received_at=received_at,
    )


def stage_of(paging: Paging) -> str:
    """Return how a page's id names the step: `ROUND.STEP`."""
    return f"{paging.round}.{paging.step}"


def news(incident: Incident, target: str, kind: News, *, channel: str, now: datetime, text: str = "") -> Page:
    """Return what tells somebody over one channel, expecting nothing back; newer news of a kind take its place."""
    paging = incident.paging or Paging(policy="", reason=PageReason.DECLARED)
    stage = kind.value if kind in {News.OVER, News.ACKNOWLEDGED} else f"{kind.value}{incident.version}"
    return Page(
        id=f"{incident.id}.{paging.start}.{stage}.{target}.{channel}",
        over=True,
        news=kind,
        text=text,
        incident_id=incident.id,
        person=target,
        channel=channel,
        role=None,
        step=paging.step,
        round=paging.round,
        reason=paging.reason,
        ruleset=incident.ruleset,
        created_at=now,
        received_at=now,
    )


def handover_page(incident: Incident, person: str, *, text: str, now: datetime) -> Page:
    """Return the page that asks somebody to take the command over; each asking is a page of its own."""
    paging = incident.paging or Paging(policy="", reason=PageReason.ESCALATED)
    asked = _page(incident, paging, Target(person, Role.INCIDENT_COMMANDER.value), received_at=now, now=now)
    name = f"{incident.id}.{paging.start}.handover{incident.version}.{person}"
    return replace(asked, id=name, reason=PageReason.ESCALATED, text=text, handover=True)


def _nobody(step: Step, now: datetime) -> Entry:
    targets = ", ".join(step.page)
    return Entry(
        at=now, kind=EntryKind.PAGE_FAILED, text=NOBODY.format(targets=targets), data={"targets": list(step.page)}
    )


def _escalated(paging: Paging, targets: list[Target], now: datetime) -> Entry:
    people = ", ".join(target.person for target in targets)
    return Entry(
        at=now,
        kind=EntryKind.PAGE_ESCALATED,
        text=f"Not acknowledged in time: step {paging.step} of round {paging.round} pages {people}",
        data={"step": paging.step, "round": paging.round, "people": [target.person for target in targets]},
    )


def _exhausted(incident: Incident, policy: Policy, now: datetime) -> Called:
    over = f"all {policy.rounds} rounds" if policy.rounds > 1 else "the one round"
    text = f"Nobody acknowledged: {over} of the paging policy {policy.id} {'are' if policy.rounds > 1 else 'is'} over"
    entry = Entry(at=now, kind=EntryKind.PAGE_EXHAUSTED, text=text, data={"policy": policy.id, "rounds": policy.rounds})
    return Called(stop(incident), (entry,), ())
