"""What the API answers, one type each; the OpenAPI document is made of them.

An incident is rendered by `incidents.presentation`; here is only its description.
"""

from typing import Annotated, Any

import msgspec

from incidents.timeline import EntryKind
from incidents.values import AlertStatus, Criterion, IncidentStatus, Severity
from rules.explain.values import Explanation

Instant = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Cursor = Annotated[str | None, msgspec.Meta(description="Give it as `after` for the next page; null after the last.")]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What all answers have in common."""


class FindingAnswer(Answer, frozen=True, kw_only=True):
    """One rule that held."""

    rule: str
    criterion: Criterion
    severity: Severity
    at: Instant


class CountsAnswer(Answer, frozen=True, kw_only=True):
    """How many alerts of an incident fire and are resolved."""

    firing: int
    resolved: int


class RolesAnswer(Answer, frozen=True, kw_only=True):
    """Who holds which role, by person id."""

    incident_commander: str | None
    communications: str | None
    engineer_in_charge: str | None
    engineers: list[str]


class ObjectiveAnswer(Answer, frozen=True, kw_only=True):
    """A condition for "resolved", since when it is met as far as that was noted, and by whom."""

    id: str
    text: str
    kind: str
    met_at: Instant | None
    met_by: str | None


class OverdueAnswer(Answer, frozen=True, kw_only=True):
    """How many post-incident actions of an earlier incident were overdue when this one was declared."""

    incident: str
    count: int


class StakeholderAnswer(Answer, frozen=True, kw_only=True):
    """Somebody who has to know."""

    name: str
    kind: str
    external: bool


class IncidentAnswer(Answer, frozen=True, kw_only=True):
    """An incident."""

    id: str
    title: str
    status: IncidentStatus
    severity: Severity
    criterion: Criterion
    rule: str | None
    team: str
    findings: list[FindingAnswer]
    identity: dict[str, str]
    declared_at: Instant
    acknowledged_at: Instant | None
    mitigated_at: Instant | None
    resolved_at: Instant | None
    alerts: CountsAnswer
    roles: RolesAnswer
    summary: str
    runbook: str
    objectives: list[ObjectiveAnswer]
    stakeholders: list[StakeholderAnswer]
    restricted: bool
    merged_into: str | None
    merged: list[str]
    overdue_actions: list[OverdueAnswer]
    next_page_at: Instant | None
    version: int


class CommandAnswer(IncidentAnswer, frozen=True, kw_only=True):
    """The incident after a command, and what the command came to in a word; `note` where there is more to say."""

    outcome: str
    note: str = ""


class IncidentsAnswer(Answer, frozen=True, kw_only=True):
    """Some incidents, newest first."""

    incidents: list[IncidentAnswer]
    next: Cursor


class EntryAnswer(Answer, frozen=True, kw_only=True):
    """One entry of a timeline; `data.count` is how many alike it stands for."""

    id: str
    at: Instant
    kind: EntryKind
    actor: str
    text: str
    data: dict[str, Any]


class EntriesAnswer(Answer, frozen=True, kw_only=True):
    """Some entries of a timeline, oldest first."""

    entries: list[EntryAnswer]
    next: Cursor


class AlertAnswer(Answer, frozen=True, kw_only=True):
    """An alert as it is remembered; `stale`: it should be firing, and was not heard of for long."""

    source: str
    fingerprint: str
    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str
    starts_at: Instant
    ends_at: Instant | None
    last_seen: Instant
    stale: bool
    incidents: list[str]


class AlertsAnswer(Answer, frozen=True, kw_only=True):
    """Some alerts, those heard of last first."""

    alerts: list[AlertAnswer]
    next: Cursor


class QuarantinedAnswer(Answer, frozen=True, kw_only=True):
    """An event in quarantine; in lists its text is cut."""

    id: str
    at: Instant
    source: str
    reason: str
    text: str
    requeueable: bool


class QuarantineAnswer(Answer, frozen=True, kw_only=True):
    """Some events in quarantine, latest first."""

    events: list[QuarantinedAnswer]
    next: Cursor


class RequeuedAnswer(Answer, frozen=True, kw_only=True):
    """An event that was sent through the stream once more, under the id of its entry."""

    id: str
    event_id: str


class ActionAnswer(Answer, frozen=True, kw_only=True):
    """A corrective action that was taken into the stream, under the id of its entry."""

    event_id: str


class AuditEntryAnswer(Answer, frozen=True, kw_only=True):
    """Something that was changed, or credentials that were refused: then `count` says how many."""

    id: str
    at: Instant
    actor: str
    action: str
    target: str
    outcome: str
    request_id: str
    address: str
    count: int


class AuditAnswer(Answer, frozen=True, kw_only=True):
    """Some entries of the audit log, latest first."""

    entries: list[AuditEntryAnswer]
    next: Cursor


class HolderAnswer(Answer, frozen=True, kw_only=True):
    """Who holds a role and until when; null where no rotation says so."""

    person: str | None
    name: str | None
    until: Instant | None


class OnCallAnswer(Answer, frozen=True, kw_only=True):
    """Who holds each role now."""

    incident_commander: HolderAnswer
    communications: HolderAnswer
    engineer_in_charge: HolderAnswer
    engineer: HolderAnswer


class WouldBeAnswer(Answer, frozen=True, kw_only=True):
    """An incident that a rule in shadow mode would have declared; `alerts` counts firings."""

    rule: str
    severity: Severity
    criterion: Criterion
    identity: dict[str, str]
    first_at: Instant
    last_at: Instant
    alerts: int
    firing: int


class ShadowAnswer(Answer, frozen=True, kw_only=True):
    """What rules in shadow mode would have declared, latest first."""

    shadow_incidents: list[WouldBeAnswer]
    next: Cursor


class ExplainAnswer(Answer, frozen=True, kw_only=True):
    """Why something is what it is: a few lines about all of it, then one explanation for each event or alert."""

    summary: list[str]
    explanations: list[Explanation]
    next: Cursor


class ProblemAnswer(Answer, frozen=True, kw_only=True):
    """What went wrong (RFC 9457); further members depend on it."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
    pointer: str = ""
