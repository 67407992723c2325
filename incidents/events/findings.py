"""What rules and Prometheus find out about an incident, and timers that look at it anew. Pure values."""

from datetime import datetime

import msgspec

from incidents.incident import BudgetBurnt, Objective, Stakeholder
from incidents.maintenance import Hold
from incidents.post_incident_actions import Overdue
from incidents.values import Criterion, Role, Severity


class FindingHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A rule holds for an identity: declares, reopens, adds a finding, or raises the severity."""

    rule: str
    criterion: Criterion
    severity: Severity
    title: str
    identity: dict[str, str]
    identity_key: str
    actor: str
    reason: str
    ruleset: str
    received_at: datetime
    policy: str = "default"
    summary: str = ""
    runbook: str = ""
    assign: tuple[Role, ...] = ()
    objectives: tuple[Objective, ...] = ()
    slos: tuple[str, ...] = ()  # whose error budget it burns
    reopen_seconds: float = 1800.0
    fires_again: bool = True  # a new firing, not a repeat judged by a new rule set: only that reopens
    mark: str = ""  # what it does is done once while the incident is open, and remembered under this name
    calls: bool = False  # calls people by its policy even where it is no graver than the incident
    stakeholders: tuple[str, ...] = ()
    customers: tuple[Stakeholder, ...] = ()  # of the SLO that it is about
    restricted: bool = False
    absorb_seconds: float = 0.0  # so long the incident takes the other findings of its identity in
    absorbed: dict[str, str] = {}  # the finding's own identity, where a storm takes it in
    holds: tuple[Hold, ...] = ()  # maintenance for which nobody is paged until it is over
    team: str = "default"  # whose incident it is, should this declare one
    began_at: datetime | None = None  # since when the alert fires that the rule is about
    overdue: tuple[Overdue, ...] = ()  # post-incident actions of its rule, should this declare one


class ClearDue(msgspec.Struct, frozen=True, kw_only=True):
    """A timer says that the alerts may have been clear for long enough."""


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is on it, as an alert or an action of its service says: the time-spent clock runs."""

    actor: str


class Unmeasured(msgspec.Struct, frozen=True, kw_only=True):
    """A rule could not be judged, for something in it cannot be measured."""

    rule: str
    reason: str


class ObjectivesMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """Facts came in: which measured objectives hold, by their ids; what is not known is not among them."""

    met: dict[str, bool]
    said: dict[str, str] = {}  # what was measured, in words


class BudgetMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an error budget a resolved incident burnt."""

    burnt: BudgetBurnt


ByFindings = FindingHeld | ClearDue | Touched | Unmeasured | ObjectivesMeasured | BudgetMeasured
