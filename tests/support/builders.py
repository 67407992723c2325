"""Builders of values for tests: every field has a default, so a test names only what it is about."""

from datetime import UTC, datetime

from incidents.alert import Alert, fingerprint_of
from incidents.values import AlertStatus
from rules.loading.rule_set import SourceFile, load_rule_set
from rules.model import RuleSet

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

ONCALL = """
people:
  amira: {channels: [{webhook: {url: "http://127.0.0.1:9/amira"}}]}
  bo: {channels: [{webhook: {url: "http://127.0.0.1:9/bo"}}]}
rotations:
  commanders:
    timezone: UTC
    handoff: {every: 1w, weekday: monday, at: "00:00", starting: 2026-01-05}
    order: [amira, bo]
roles:
  incident_commander: {rotation: commanders}
paging:
  default:
    steps:
    - {page: incident_commander, acknowledge_within: 5m}
    - {page: rotation:commanders+1, acknowledge_within: 5m}
"""

CRITICAL = """
rules:
- id: critical
  match: 'severity="critical"'
  declare: SEV2
"""


def alert(
    name: str = "DiskFull",
    *,
    status: str = "firing",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    **labels: str,
) -> Alert:
    """An alert; `severity` is critical and `service` is db unless said otherwise."""
    every = {"alertname": name, "severity": "critical", "service": "db"} | labels
    return Alert(
        fingerprint=fingerprint_of(every),
        status=AlertStatus(status),
        labels={key: value for key, value in every.items() if value},
        starts_at=starts_at,
        ends_at=ends_at,
    )


def rule_set(rules: str = CRITICAL, oncall: str = ONCALL, now: datetime = NOW) -> RuleSet:
    """A rule set from text; fails loudly when it does not load."""
    loaded = load_rule_set(source_files(rules, oncall), now=now)
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    return loaded.rule_set


def source_files(*texts: str) -> list[SourceFile]:
    """Rule files of these texts."""
    return [SourceFile(name=f"{number}.yml", text=text) for number, text in enumerate(texts)]
