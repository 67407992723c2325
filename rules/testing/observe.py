"""What there is to compare with: incidents, pages and entries of a simulation as plain fields. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from incidents.clock import from_ms
from incidents.incident import Incident
from incidents.timeline import Entry, folded
from incidents.values import PageReason
from rules.simulation.events import Sent
from rules.simulation.simulation import Simulation

INSTANTS = ("declared_at", "acknowledged_at", "mitigated_at", "resolved_at")


class Got(NamedTuple):
    """One thing that is there; `fields` have the names that test files use."""

    name: str  # of the incident that it is or belongs to
    fields: dict[str, Any]


def incidents_of(simulation: Simulation, start: datetime) -> list[Got]:
    """Return every incident that was declared so far, the first first."""
    return [Got(name, _incident(simulation, each, start)) for name, each in simulation.store.incidents.items()]


def _incident(simulation: Simulation, incident: Incident, start: datetime) -> dict[str, Any]:
    alerts = simulation.store.tally(incident.id)
    return {
        "id": incident.id,
        "identity": incident.identity,
        "severity": incident.severity.value,
        "status": incident.status.value,
        "rule": incident.rule or "",
        "criterion": incident.criterion.value,
        "title": incident.title,
        "summary": incident.summary,
        "runbook": incident.runbook,
        "findings": tuple(finding.rule for finding in incident.findings),
        "commander": incident.roles.incident_commander or "",
        "acknowledged_by": incident.acknowledged_by,
        "alerts": {"firing": alerts.firing, "resolved": alerts.resolved},
        "stakeholders": tuple(each.name for each in incident.stakeholders),
        "restricted": incident.restricted,
        **{name: _since(getattr(incident, name), start) for name in INSTANTS},
    }


def would_be_of(simulation: Simulation, start: datetime) -> list[Got]:
    """Return every incident that rules in shadow mode would have declared so far, the first first."""
    return [
        Got(
            "",
            {
                "rule": each.rule,
                "criterion": each.criterion,
                "severity": each.severity,
                "identity": each.identity,
                "declared_at": from_ms(each.first_ms) - start,
                "alerts": each.alerts,
            },
        )
        for each in simulation.store.would_be
    ]


def pages_of(simulation: Simulation, start: datetime) -> list[Got]:
    """Return every page that was sent so far, also those that reached nobody."""
    sent = (each for each in simulation.sent if not each.page.over and each.outcome != "suppressed")
    return [Got(each.page.incident_id, _page(each, start)) for each in sent]


def escalations_of(simulation: Simulation, start: datetime) -> list[Got]:
    """Return the pages that were sent because nobody acknowledged the step before."""
    reason = PageReason.UNACKNOWLEDGED.value
    return [page for page in pages_of(simulation, start) if page.fields["reason"] == reason]


def _page(sent: Sent, start: datetime) -> dict[str, Any]:
    page = sent.page
    return {
        "to": page.person,
        "at": sent.at - start,
        "step": page.step,
        "round": page.round,
        "role": page.role or "",
        "reason": page.reason.value,
        "incident": page.incident_id,
        "outcome": sent.outcome,
    }


def entries_of(simulation: Simulation, start: datetime, names: Iterable[str] | None = None) -> list[Got]:
    """Return the entries of timelines, the earliest first; of all incidents unless some are named."""
    timelines = simulation.store.timelines
    found = [(name, entry) for name in (timelines if names is None else names) for entry in timelines.get(name, ())]
    found.sort(key=lambda each: each[1].at)
    return [Got(name, _entry(simulation, name, entry, start)) for name, entry in found]


def _entry(simulation: Simulation, name: str, entry: Entry, start: datetime) -> dict[str, Any]:
    count = simulation.store.tallies.get(name, {}).get(f"fold:{entry.fold}", 1) if entry.fold else 1
    return {
        "at": entry.at - start,
        "kind": entry.kind.value,
        "by": entry.actor,
        "text": folded(entry, count),
        "incident": name,
    }


def _since(at: datetime | None, start: datetime) -> timedelta | None:
    return None if at is None else at - start
