"""A rule set as plain values: what was loaded and checked, ready to be matched and evaluated. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

import msgspec

from incidents.maintenance import Maintenance
from incidents.oncall import OnCall
from incidents.values import Criterion, Role, Severity
from rules.conditions import BudgetRemaining, BurnRate, Condition, Query
from rules.matchers import Matcher
from rules.slos import Slo


class Mode(StrEnum):
    """Whether a rule acts, only records what it would have done, or rests."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    OFF = "off"


class Subject(StrEnum):
    """What a rule looks at (`on`)."""

    ALERT = "alert"
    ACTION = "action"
    INCIDENT = "incident"
    HEARTBEAT = "heartbeat"


class Objective(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One condition for "resolved": measured, or checked off by a person (`manual`)."""

    id: str
    text: str = ""
    manual: bool = False
    alerts_clear_for: timedelta | None = None
    measure: BurnRate | BudgetRemaining | Query | None = None


class Tier(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """When a rule holds at one severity, and what is done then; titles are templates."""

    index: int  # from 1, top to bottom
    condition: Condition | None = None
    declare: Severity | None = None
    escalate_by: int = 0
    page: str | None = None
    assign: tuple[Role, ...] = ()
    attach_only: bool = False
    absorb: timedelta | None = None
    title: str = ""
    summary: str = ""
    runbook: str = ""
    stakeholders: tuple[str, ...] = ()
    objectives: tuple[Objective, ...] = ()
    restricted: bool = False


class Spread(msgspec.Struct, frozen=True, gc=False):
    """A label whose different values are counted, and over which spans, shortest first."""

    label: str
    withins: tuple[timedelta, ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One rule; `window_id` changes with id, matchers and identity, so that a changed rule counts anew."""

    id: str
    criterion: Criterion = Criterion.OTHER
    on: Subject = Subject.ALERT
    matchers: tuple[Matcher, ...] = ()
    identity: tuple[str, ...]
    tiers: tuple[Tier, ...]
    mode: Mode = Mode.ENFORCE
    reopen_within: timedelta
    window_id: str
    withins: tuple[timedelta, ...] = ()  # of its `count` and `distinct` conditions, without repeats, shortest first
    spreads: tuple[Spread, ...] = ()  # of its `distinct` conditions, one for each label
    flaps: tuple[timedelta, ...] = ()  # of its `flaps` conditions, without repeats, shortest first
    timed_by_touch: bool = False  # a condition of it counts from the first touch
    absorbs: bool = False  # a tier of it takes other findings in
    measured: bool = False  # a condition of it is measured by Prometheus
    slo: str = ""  # it waits for no alert: it is looked at when Prometheus tells of this SLO
    file: str = ""
    line: int = 0


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule takes where it says nothing."""

    identity: tuple[str, ...] = ("service",)
    reopen_within: timedelta = timedelta(minutes=30)


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that must keep coming: alerts that these matchers hold for; missed even if it never came."""

    id: str
    matchers: tuple[Matcher, ...]
    expect_every: timedelta


class TeamRule(msgspec.Struct, frozen=True, kw_only=True):
    """A team by its name, and the matchers that say which incidents are its own."""

    team: str
    matchers: tuple[Matcher, ...]


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the rule files say; `hash` is the first 16 hex digits over their names and texts."""

    hash: str
    rules: tuple[Rule, ...] = ()
    normalize: Mapping[str, tuple[str, ...]] = {}
    defaults: Defaults = Defaults()
    oncall: OnCall = OnCall()
    heartbeats: tuple[Heartbeat, ...] = ()
    teams: tuple[TeamRule, ...] = ()  # which incidents are whose; the first that holds
    maintenance: tuple[Maintenance, ...] = ()
    slos: Mapping[str, Slo] = {}
    burn_rules: tuple[Rule, ...] = ()  # those that the SLOs bring along

    @property
    def every_rule(self) -> tuple[Rule, ...]:
        """The rules of the files, and those that the SLOs bring along."""
        return (*self.rules, *self.burn_rules)

    def rule(self, rule_id: str) -> Rule | None:
        """Return a rule by its id."""
        return next((rule for rule in self.every_rule if rule.id == rule_id), None)
