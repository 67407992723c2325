"""What statistics know of an incident, in few bytes: it is written in the commit that closes the incident. Pure."""

from datetime import datetime

import msgspec

from incidents.clock import to_ms
from incidents.incident import Incident
from incidents.values import IncidentStatus, Severity

SERVICE = "service"


class Summary(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An incident in short; instants are milliseconds. A new field goes to the end and has a default."""

    v: int = 1
    status: IncidentStatus
    severity: Severity
    rule: str | None
    service: str
    team: str
    commander: str | None
    declared: int
    began: int | None = None
    acknowledged: int | None = None
    mitigated: int | None = None
    resolved: int | None = None
    restricted: bool = False
    merged: bool = False  # it is part of another, which counts


def summary_of(incident: Incident) -> Summary:
    """Return what statistics keep of an incident."""
    return Summary(
        status=incident.status,
        severity=incident.severity,
        rule=incident.rule,
        service=incident.identity.get(SERVICE, ""),
        team=incident.team,
        commander=incident.roles.incident_commander,
        declared=to_ms(incident.declared_at),
        began=_ms(incident.began_at),
        acknowledged=_ms(incident.acknowledged_at),
        mitigated=_ms(incident.mitigated_at),
        resolved=_ms(None if incident.merged_into else incident.resolved_at),  # it is another one that goes on
        restricted=incident.restricted,
        merged=bool(incident.merged_into),
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)
