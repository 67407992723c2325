"""What rules would have made of the past: incidents, pages, nights. Plain values."""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from incidents.incident import Incident
from incidents.statistics.nights import is_night
from incidents.values import Criterion, Severity
from rules.durations import format_duration


class WouldPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page that would have been sent; `local` is the paged person's own time."""

    incident: str
    rule: str
    severity: Severity
    person: str
    reason: str
    at: datetime
    local: datetime

    @property
    def at_night(self) -> bool:
        """Whether it would have woken somebody."""
        return is_night(self.local)


class WouldBe(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that would have been declared, with the alerts that belonged to it."""

    id: str
    title: str
    rule: str
    criterion: Criterion
    severity: Severity
    identity: dict[str, str]
    identity_key: str
    rules: tuple[str, ...]  # of all its findings
    declared_at: datetime
    ended_at: datetime | None
    alerts: frozenset[str]
    reopened: int = 0

    @property
    def lasted(self) -> str:
        """How long it would have lasted, in whole minutes."""
        if self.ended_at is None:
            return "not over"
        return format_duration(timedelta(minutes=round((self.ended_at - self.declared_at).total_seconds() / 60)))


class RuleLoad(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule would have caused."""

    rule: str
    incidents: int = 0
    pages: int = 0
    night_pages: int = 0
    held: int = 0  # how often it held, for incidents that were open already too
    errors: int = 0

    @property
    def is_busy(self) -> bool:
        """Whether it did anything."""
        return bool(self.incidents or self.pages or self.held or self.errors)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """All that rules would have made of a stretch of the past."""

    since: datetime
    until: datetime
    first_at: datetime | None = None  # when the first event came
    ruleset: str
    events: int
    alerts: int
    alerts_without_incident: int
    incidents: tuple[WouldBe, ...]
    pages: tuple[WouldPage, ...]
    rules: tuple[RuleLoad, ...]

    @property
    def night_pages(self) -> int:
        """How many pages would have woken somebody."""
        return sum(page.at_night for page in self.pages)

    @property
    def begins_late(self) -> datetime | None:
        """When the first event came, where that is so late that nothing may be remembered from before."""
        late = self.first_at is not None and self.first_at - self.since > (self.until - self.since) / 5
        return self.first_at if late else None

    @property
    def pages_of(self) -> Counter[str]:
        """How many pages each incident would have sent."""
        return Counter(page.incident for page in self.pages)

    @property
    def idle_rules(self) -> tuple[str, ...]:
        """The rules that never held and never failed."""
        return tuple(load.rule for load in self.rules if not load.is_busy)

    @property
    def busy_rules(self) -> tuple[RuleLoad, ...]:
        """The rules that held or failed, the loudest first."""
        return tuple(load for load in self.rules if load.is_busy)

    @property
    def by_severity(self) -> dict[Severity, int]:
        """How many incidents there would have been of each severity, the gravest first."""
        counted = Counter(incident.severity for incident in self.incidents)
        return {severity: counted[severity] for severity in Severity}


def would_be(incident: Incident, alerts: frozenset[str], reopened: int) -> WouldBe:
    """Return an incident of a simulation as what would have been."""
    return WouldBe(
        id=incident.id,
        title=incident.title,
        rule=incident.rule or "",
        criterion=incident.criterion,
        severity=incident.severity,
        identity=incident.identity,
        identity_key=incident.identity_key,
        rules=tuple(finding.rule for finding in incident.findings),
        declared_at=incident.declared_at,
        ended_at=incident.resolved_at,
        alerts=alerts,
        reopened=reopened,
    )


def local_time(at: datetime, timezone: str) -> datetime:
    """Return an instant by the clock of a person; UTC where nobody's zone is known."""
    return at.astimezone(ZoneInfo(timezone or "UTC"))
