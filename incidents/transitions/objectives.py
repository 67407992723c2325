"""Resolution objectives: which hold, and how long alerts must be clear. Pure."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from incidents.events import FindingHeld
from incidents.incident import AlertTally, Incident, Objective
from incidents.timeline import SYSTEM
from incidents.values import Criterion

DEFAULT_OBJECTIVE = Objective(
    id="alerts-clear", text="No alert of it fires for 15 minutes", kind="alerts_clear_for", seconds=900.0
)

MANUAL, CLEAR = "manual", "alerts_clear_for"
DATA_VERIFIED = Objective(
    id="data-verified", text="The customers' data was verified to be intact and secure", kind=MANUAL
)


def wanted_objectives(event: FindingHeld) -> tuple[Objective, ...]:
    """Return the objectives that a finding brings: a data issue is never over before a person has verified the data."""
    asked = event.objectives
    if event.criterion is Criterion.DATA_ISSUE and not any(each.kind == MANUAL for each in asked):
        return (*asked, DATA_VERIFIED)
    return asked


def first_objectives(event: FindingHeld) -> tuple[Objective, ...]:
    """Return the objectives of an incident that a finding declares: without any of its rule, the alerts are clear."""
    wanted = wanted_objectives(event)
    return wanted if event.objectives else (DEFAULT_OBJECTIVE, *wanted)


def unmet_objectives(incident: Incident, alerts: AlertTally, now: datetime) -> tuple[Objective, ...]:
    """Return the objectives that do not hold at an instant; what is measured is met when facts said so."""
    return tuple(objective for objective in incident.objectives if not _is_met(objective, alerts, now))


def clear_for(incident: Incident) -> timedelta | None:
    """Return how long no alert may fire before the incident can resolve by itself, None where it never does."""
    waits = [objective.seconds for objective in incident.objectives if objective.kind == CLEAR]
    return None if incident.is_held or not waits else timedelta(seconds=max(waits))


def next_clear(incident: Incident) -> timedelta | None:
    """Return after how long without a firing alert something is to be noted, or resolved; None where nothing is."""
    waits = [each.seconds for each in incident.objectives if each.kind == CLEAR and each.met_at is None]
    return timedelta(seconds=min(waits)) if waits else None


def with_clear(
    incident: Incident, alerts: AlertTally, now: datetime
) -> tuple[tuple[Objective, ...], tuple[Objective, ...]]:
    """Return the objectives with those noted as met for which the alerts are clear, and which were not before."""
    new = [
        each
        for each in incident.objectives
        if each.kind == CLEAR and each.met_at is None and _is_met(each, alerts, now)
    ]
    found = tuple(replace(each, met_at=now, met_by=SYSTEM) if each in new else each for each in incident.objectives)
    return found, tuple(new)


def is_noted_clear(objective: Objective) -> bool:
    """Whether it was noted of an objective that the alerts are clear."""
    return objective.kind == CLEAR and objective.met_at is not None


def measured_anew(incident: Incident) -> tuple[Objective, ...]:
    """Return the objectives of an incident that is opened again: what was found before says nothing of it."""
    return tuple(replace(objective, met_at=None, met_by="", note="") for objective in incident.objectives)


def _is_met(objective: Objective, alerts: AlertTally, now: datetime) -> bool:
    if objective.kind == CLEAR:
        since = alerts.clear_since
        return alerts.firing == 0 and since is not None and now - since >= timedelta(seconds=objective.seconds)
    return objective.met_at is not None
