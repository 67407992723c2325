"""An incident and the entries of its timeline as the API, pages and command line show it. Pure."""

from datetime import UTC, datetime
from typing import Any

from incidents.incident import AlertTally, Incident, Objective
from incidents.timeline import TimelineEntry
from incidents.values import Role


def instant(at: datetime | None) -> str | None:
    """Return an instant as `2026-11-02T03:00:00.000Z`, None for none."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def incident_json(incident: Incident, alerts: AlertTally) -> dict[str, Any]:
    """Return an incident with the names of the API."""
    paging = incident.paging
    return {
        "id": incident.id,
        "title": incident.title,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "criterion": incident.criterion.value,
        "rule": incident.rule,
        "team": incident.team,
        "findings": [
            {
                "rule": finding.rule,
                "criterion": finding.criterion.value,
                "severity": finding.severity.value,
                "at": instant(finding.at),
            }
            for finding in incident.findings
        ],
        "identity": incident.identity,
        "declared_at": instant(incident.declared_at),
        "acknowledged_at": instant(incident.acknowledged_at),
        "mitigated_at": instant(incident.mitigated_at),
        "resolved_at": instant(incident.resolved_at),
        # Those of a merged incident are counted with the one that goes on.
        "alerts": {"firing": 0, "resolved": 0}
        if incident.merged_into
        else {"firing": alerts.firing, "resolved": alerts.resolved},
        "roles": {
            Role.INCIDENT_COMMANDER.value: incident.roles.incident_commander,
            Role.COMMUNICATIONS.value: incident.roles.communications,
            Role.ENGINEER_IN_CHARGE.value: incident.roles.engineer_in_charge,
            "engineers": list(incident.roles.engineers),
        },
        "summary": incident.summary,
        "runbook": incident.runbook,
        "objectives": [_objective(objective) for objective in incident.objectives],
        "stakeholders": [
            {"name": stakeholder.name, "kind": stakeholder.kind, "external": stakeholder.external}
            for stakeholder in incident.stakeholders
        ],
        "restricted": incident.restricted,
        "merged_into": incident.merged_into or None,
        "merged": [merged.id for merged in incident.merged],
        "overdue_actions": overdue_json(incident),
        "next_page_at": instant(paging.next_at) if paging else None,
        "version": incident.version,
    }


def overdue_json(incident: Incident) -> list[dict[str, Any]]:
    """Return how many actions of which earlier incidents were overdue when an incident was declared."""
    return [{"incident": each.incident, "count": each.count} for each in incident.overdue_actions]


def entry_json(entry: TimelineEntry) -> dict[str, Any]:
    """Return an entry of the timeline with the names of the API."""
    return {
        "id": entry.id,
        "at": instant(entry.at),
        "kind": entry.kind.value,
        "actor": entry.actor,
        "text": entry.text,
        "data": entry.data,
    }


def _objective(objective: Objective) -> dict[str, Any]:
    return {
        "id": objective.id,
        "text": objective.text,
        "kind": objective.kind,
        "met_at": instant(objective.met_at),
        "met_by": objective.met_by or None,
    }
