"""Small closed vocabularies of the domain, as they are stored and shown."""

from enum import StrEnum


class AlertStatus(StrEnum):
    """What the sender says of one alert; the status of its group is never looked at."""

    FIRING = "firing"
    RESOLVED = "resolved"


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    DECLARED = "declared"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


OPEN_STATUSES = frozenset({IncidentStatus.DECLARED, IncidentStatus.ACKNOWLEDGED, IncidentStatus.MITIGATED})


class Severity(StrEnum):
    """How grave an incident is; `SEV1` is the gravest."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"

    @property
    def rank(self) -> int:
        """1 for the gravest, 4 for the least."""
        return int(self.value[3])


def gravest(*severities: Severity) -> Severity:
    """Return the gravest of one or more severities."""
    return min(severities, key=lambda severity: severity.rank)


class Criterion(StrEnum):
    """Why something is an incident: the five criteria of the practice, and three of monitoring itself."""

    SLO_BREACH = "slo_breach"
    CORRECTIVE_ACTION = "corrective_action"
    TIME_SPENT = "time_spent"
    DATA_ISSUE = "data_issue"
    CUSTOMER_VISIBLE = "customer_visible"
    ALERT_STORM = "alert_storm"
    SIGNAL_LOST = "signal_lost"
    OTHER = "other"


class Role(StrEnum):
    """What a person does in an incident; each is held by one person, but for `engineer`."""

    INCIDENT_COMMANDER = "incident_commander"
    COMMUNICATIONS = "communications"
    ENGINEER_IN_CHARGE = "engineer_in_charge"
    ENGINEER = "engineer"

    @property
    def standing(self) -> str:
        """Who holds the role is this, in a sentence: `the incident commander`, `responsible for communications`."""
        if self is Role.COMMUNICATIONS:
            return "responsible for communications"
        return f"{'an' if self is Role.ENGINEER else 'the'} {self.value.replace('_', ' ')}"


class PageReason(StrEnum):
    """Why somebody is paged."""

    DECLARED = "declared"
    ESCALATED = "escalated"
    REOPENED = "reopened"
    UNACKNOWLEDGED = "unacknowledged"
    BACKUP = "backup"
    TEST = "test"
