"""An incident as it is stored; only `incidents.transitions` makes a new one from an old one. Pure."""

from datetime import datetime
from typing import Any

import msgspec

from incidents.document.values import Edited, Task
from incidents.maintenance import Hold
from incidents.post_incident_actions import ActionState, OpenAction, Overdue, PostIncidentAction
from incidents.values import OPEN_STATUSES, Criterion, IncidentStatus, PageReason, Role, Severity

SERVICE = "service"  # the label whose value corrective actions name


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that held for the identity of an incident."""

    rule: str
    criterion: Criterion
    severity: Severity
    at: datetime


class Roles(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds which role, by person id."""

    incident_commander: str | None = None
    communications: str | None = None
    engineer_in_charge: str | None = None
    engineers: tuple[str, ...] = ()

    @property
    def holders(self) -> tuple[str, ...]:
        """Everybody who has a role."""
        held = (self.incident_commander, self.communications, self.engineer_in_charge, *self.engineers)
        return tuple(person for person in held if person)

    def holder(self, role: Role) -> str | None:
        """Return who holds a role that one person holds; the first of the engineers for `engineer`."""
        if role is Role.ENGINEER:
            return self.engineers[0] if self.engineers else None
        holder: str | None = getattr(self, role.value)
        return holder


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """How far the paging of an incident has come; `next_at` is when the next step is due, None when none is."""

    policy: str
    reason: PageReason
    start: int = 1  # how often paging was started: a new start makes new pages
    round: int = 1
    step: int = 1
    next_at: datetime | None = None
    holds: tuple[Hold, ...] = ()  # maintenance for which nobody is paged yet; `next_at` is then when that is looked at
    repage_at: datetime | None = None  # acknowledged: when it pages again, should nothing be heard until then

    @property
    def due_at(self) -> datetime | None:
        """When something is due: the next step, or paging again."""
        return self.next_at or self.repage_at


class Objective(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A measurable condition for "resolved"; `params` are as the rule wrote them."""

    id: str
    text: str
    kind: str  # alerts_clear_for, manual, burn_rate, budget_remaining, query
    seconds: float = 0.0  # of alerts_clear_for
    params: dict[str, Any] = {}
    met_at: datetime | None = None
    met_by: str = ""
    note: str = ""  # of whoever checked it last


class Stakeholder(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has to know: a person, a group or a customer, and whether they are outside of the organisation."""

    name: str
    kind: str = "other"  # engineer, communications, management, customer, other
    external: bool = False
    at: datetime | None = None  # when it was added
    by: str = ""  # who did; empty: a rule, a severity or an SLO


class BudgetBurnt(msgspec.Struct, frozen=True, kw_only=True):
    """How many minutes of an SLO's error budget burnt while an incident was open, or why that is not known."""

    slo: str
    minutes: float | None
    of_minutes: float  # the whole budget of the SLO's window
    at: datetime
    why: str = ""


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """Who was asked to take the command over, by whom and when; in force until that person acknowledges."""

    to: str
    by: str
    at: datetime


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that was merged into another, as that one remembers it: its identity leads to it from then on."""

    id: str
    identity: dict[str, str]
    identity_key: str
    at: datetime


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident; `version` grows with every change of it, counts of alerts live elsewhere."""

    v: int = 1
    id: str
    title: str
    status: IncidentStatus
    severity: Severity
    criterion: Criterion
    rule: str | None
    team: str = "default"
    findings: tuple[Finding, ...] = ()
    identity: dict[str, str]
    identity_key: str
    declared_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    roles: Roles = Roles()
    paging: Paging | None = None
    paged: tuple[str, ...] = ()  # everybody who was paged: they are told when it is over
    objectives: tuple[Objective, ...] = ()
    summary: str = ""
    runbook: str = ""
    ruleset: str = ""
    reopen_seconds: float = 1800.0
    version: int = 1
    slos: tuple[str, ...] = ()  # whose error budget it burns
    burnt: tuple[BudgetBurnt, ...] = ()  # measured once it is resolved
    reopened_at: datetime | None = None  # the last time
    touched_at: datetime | None = None  # since when somebody has been on it: the time-spent clock
    touched_by: str = ""
    stakeholders: tuple[Stakeholder, ...] = ()
    restricted: bool = False  # seen only by those with a role in it, and by admins
    absorbs_until: datetime | None = None  # a storm: so long it takes the other findings of its identity in
    marks: tuple[str, ...] = ()  # what rules did to it since it was opened, each once: `RULE#TIER`, `RULE?`
    handover: Handover | None = None
    summary_edit: Edited | None = None  # None: as it was declared
    status_report: Edited | None = None  # its text is with its versions
    review_due_at: datetime | None = None  # when it is to be reminded of the status report
    tasks: tuple[Task, ...] = ()
    merged_into: str = ""  # the id of the incident that it is part of now
    merged: tuple[Merged, ...] = ()  # those that are part of this one
    post_incident_actions: tuple[PostIncidentAction, ...] = ()
    overdue_actions: tuple[Overdue, ...] = ()  # of earlier incidents of its rule, when it was declared
    summary_given: Edited | None = None  # who gave the summary that is not edited yet; None: the rule
    began_at: datetime | None = None  # since when the alert fired for which it was declared: the time to detect

    @property
    def opened_at(self) -> datetime:
        """When it was declared or, if it was, reopened."""
        return self.reopened_at or self.declared_at

    @property
    def identity_keys(self) -> tuple[str, ...]:
        """Its identity and those of the incidents that were merged into it: findings of each are its own."""
        return (self.identity_key, *(each.identity_key for each in self.merged))

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it is about, with those of the incidents that were merged into it."""
        named = (each.get(SERVICE) for each in (self.identity, *(merged.identity for merged in self.merged)))
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def is_open(self) -> bool:
        """Whether it still needs people."""
        return self.status in OPEN_STATUSES

    @property
    def is_held(self) -> bool:
        """Whether only a person may resolve it: the data of customers is theirs to verify."""
        return any(finding.criterion is Criterion.DATA_ISSUE for finding in self.findings)

    def is_seen_by(self, person: str | None) -> bool:
        """Whether somebody may see it: a restricted one only who has a role in it or was paged for it.

        None stands for somebody who sees everything.
        """
        return person is None or not self.restricted or person in {*self.roles.holders, *self.paged}

    @property
    def dedup_key(self) -> str:
        """The name under which providers know every page of this incident."""
        return f"{self.id}-{int(self.declared_at.timestamp() * 1000):x}"


class AlertTally(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts of an incident fire and are resolved, and since when none fires."""

    firing: int = 0
    resolved: int = 0
    clear_since: datetime | None = None


def incident_number(incident_id: str) -> int:
    """Return the number in `INC-2026-0001`."""
    return int(incident_id.rsplit("-", 1)[1])


def incident_id(year: int, number: int) -> str:
    """Return the id of the n-th incident of a year, such as `INC-2026-0001`."""
    return f"INC-{year}-{number:04d}"


def open_actions(incident: Incident) -> tuple[OpenAction, ...]:
    """Return the post-incident actions that are to be done still, as they are indexed."""
    if incident.merged_into:
        return ()
    # What people declared is of the rule that found it too, or that had found what was merged into it.
    rule = incident.rule or next((finding.rule for finding in incident.findings), "")
    return tuple(
        OpenAction(incident=incident.id, rule=rule, due=each.due, restricted=incident.restricted)
        for each in incident.post_incident_actions
        if each.state is ActionState.OPEN
    )
