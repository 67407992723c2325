"""From step to step of a paging policy: begin, hold back, go on, begin the next round, stop. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from incidents.hours import stretch_at
from incidents.incident import Incident, Paging
from incidents.maintenance import REMIND_BEFORE, Hold, held_until, names_of
from incidents.oncall import OnCall, Policy, SeveritySettings, Step
from incidents.page import Page
from incidents.paging.pages import page_of
from incidents.paging.targets import Target, policy_of, targets_of
from incidents.timeline import Entry, EntryKind
from incidents.values import PageReason, Severity

HOURS = "hours"  # the reason why nobody is paged outside of those of a policy
NOBODY = "Nobody can be paged: no person or channel is configured for {targets}; add people, a rotation and roles"


class Called(NamedTuple):
    """What paging did: the incident after it, what to write on the timeline, and the pages that are due now."""

    incident: Incident
    entries: tuple[Entry, ...]
    pages: tuple[Page, ...]


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


def release(incident: Incident, oncall: OnCall, *, now: datetime) -> Called:
    """Page what maintenance held, as if it came just now."""
    if incident.paging is None:
        return Called(incident, (), ())
    freed = replace(incident.paging, holds=(), next_at=None)
    opens = _opens_at(incident, oncall, freed, now)
    if opens is not None:
        return _waits_for_hours(replace(incident, paging=freed), freed, opens, now)
    return _call(replace(incident, paging=freed), oncall, received_at=now, now=now, escalated=False)


def stop(incident: Incident) -> Incident:
    """Return the incident with no further step due."""
    if incident.paging is None or (incident.paging.next_at is None and not incident.paging.holds):
        return incident
    return replace(incident, paging=replace(incident.paging, next_at=None, holds=()))


def has_next_step(incident: Incident, oncall: OnCall) -> bool:
    """Whether another step follows in the present round."""
    paging = incident.paging
    return paging is not None and paging.step < len(policy_of(oncall, paging.policy).steps)


def looked_at(until: datetime, now: datetime) -> datetime:
    """Return when to look at what is held until an instant: shortly before, to remind of the end, and then at it."""
    return until - REMIND_BEFORE if until - now > REMIND_BEFORE else until


def _held(incident: Incident, paging: Paging, holds: tuple[Hold, ...], until: datetime, now: datetime) -> Called:
    """Page nobody until maintenance is over; a paging that is under way is not held back, and goes on as it is."""
    goes_on, names = _is_under_way(incident), names_of(holds)
    then = "the paging under way goes on" if goes_on else f"it pages when that is over, at {until:%Y-%m-%d %H:%M %Z}"
    data = {"reason": f"maintenance {names}", "maintenance": [hold.id for hold in holds]}
    text = f"Nobody was paged ({paging.reason}), for maintenance {names} is in force: {then}"
    entry = Entry(at=now, kind=EntryKind.PAGE_SUPPRESSED, text=text, data=data)
    if not goes_on:
        incident = replace(incident, paging=replace(paging, holds=holds, next_at=looked_at(until, now)))
    return Called(incident, (entry,), ())


def _is_under_way(incident: Incident) -> bool:
    """Whether a step is due that nothing holds back."""
    paging = incident.paging
    return paging is not None and paging.next_at is not None and not paging.holds


def _opens_at(incident: Incident, oncall: OnCall, paging: Paging, now: datetime) -> datetime | None:
    """Return when the hours of the policy begin, None where it pages at once; the gravest knows no hours."""
    policy = policy_of(oncall, paging.policy)
    if policy.hours is None or incident.severity is Severity.SEV1:
        return None
    stretch = stretch_at((policy.hours,), policy.timezone, now)
    return None if stretch.is_open else stretch.until


def _waits_for_hours(incident: Incident, paging: Paging, opens: datetime, now: datetime) -> Called:
    """Page nobody before the hours of the policy begin; a paging that is under way goes on as it is."""
    goes_on = _is_under_way(incident)
    then = "the paging under way goes on" if goes_on else f"it pages at {opens:%Y-%m-%d %H:%M %Z}, when they begin"
    text = f"Nobody was paged ({paging.reason}) outside of the hours of the policy {paging.policy}: {then}"
    data = {"reason": HOURS, "policy": paging.policy, "due": opens.isoformat()}
    entry = Entry(at=now, kind=EntryKind.PAGE_SUPPRESSED, text=text, data=data)
    if not goes_on:
        incident = replace(incident, paging=replace(paging, step=0, next_at=opens))
    return Called(incident, (entry,), ())


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
        targets = list(targets_of(step, incident, oncall, now))
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
        page_of(incident, replace(paging, reason=reason), target, received_at=received_at, now=now)
        for target in targets
    )
    paged = tuple(dict.fromkeys((*incident.paged, *(target.person for target in targets))))
    return Called(replace(incident, paging=paging, paged=paged), tuple(entries), pages)


def _wait(step: Step, incident: Incident, oncall: OnCall) -> timedelta:
    if step.acknowledge_within is not None:
        return step.acknowledge_within
    return oncall.severities.get(incident.severity, SeveritySettings()).acknowledge_within


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
