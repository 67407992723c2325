"""Who is paged next for an incident, and when, as things stand now. Pure: what paging would do then is done in vain."""

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from incidents.incident import Incident, Paging
from incidents.maintenance import held_until, names_of
from incidents.oncall import OnCall
from incidents.paging import steps
from incidents.teams import of_team


class Upcoming(NamedTuple):
    """What is paged next: `people` at `at`; nobody where there are none, and then `why` says why not."""

    at: datetime | None
    people: tuple[str, ...]
    why: str = ""
    alarming: bool = False  # nobody is on it, and nobody will be told


def upcoming(incident: Incident, oncall: OnCall) -> Upcoming:
    """Return who is paged next for an incident by the on-call settings in force."""
    present = incident.paging
    if not incident.is_open:
        return Upcoming(None, (), "It is over")
    if present is None:
        return Upcoming(None, (), "Nobody is paged for it", alarming=incident.acknowledged_at is None)
    if present.next_at is None:
        return _without_step(incident, present)
    oncall = of_team(oncall, incident.team)
    if present.holds:
        # It is looked at before the end, to remind of that; paged at the end.
        over = held_until(present.holds, present.next_at) or present.next_at
        called = steps.release(replace(incident), oncall, now=over)
        return Upcoming(over, _people(called), f"when maintenance {names_of(present.holds)} is over")
    called = steps.next_step(incident, oncall, now=present.next_at)
    if called.pages:
        hours = "" if present.step else f"when the hours of the policy {present.policy} begin"
        return Upcoming(present.next_at, _people(called), hours)
    why = "all rounds are over then" if called.incident.paging and called.incident.paging.next_at is None else ""
    return Upcoming(present.next_at, (), why or "no such person or channel is configured", alarming=True)


def _without_step(incident: Incident, present: Paging) -> Upcoming:
    if incident.acknowledged_at is None:
        if present.holds:
            why = f"Maintenance {names_of(present.holds)} is over, and nothing fires: what fires again is paged"
            return Upcoming(None, (), why)
        return Upcoming(None, (), "All rounds of paging are over, and nobody acknowledged", alarming=True)
    by = incident.acknowledged_by or "Somebody"
    if present.repage_at is not None:
        return Upcoming(present.repage_at, (by,), f"unless {by} is heard of until then")
    return Upcoming(None, (), f"{by} acknowledged")


def _people(called: steps.Called) -> tuple[str, ...]:
    return tuple(dict.fromkeys(page.person.removeprefix("channel:") for page in called.pages))
