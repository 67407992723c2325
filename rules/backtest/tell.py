"""A backtest in words and as JSON. Pure."""

from typing import Any

import msgspec

from rules.backtest.compare import Comparison
from rules.backtest.outcome import Outcome, WouldBe

LISTED = 10


def summary_lines(outcome: Outcome) -> list[str]:
    """Return the figures that matter most, first."""
    days = max((outcome.until - outcome.since).total_seconds() / 86400, 1 / 24)
    grave = ", ".join(f"{number} {severity}" for severity, number in outcome.by_severity.items() if number)
    pages = len(outcome.pages)
    span = f"{outcome.since:%Y-%m-%d %H:%M} to {outcome.until:%Y-%m-%d %H:%M} UTC"
    late = outcome.begins_late
    said = f"; the first came {late:%Y-%m-%d}: what is remembered may begin there" if late else ""
    return [
        f"{span}: {days:.1f} days, {outcome.events} events{said}",
        _counted(len(outcome.incidents), "incident") + (f" ({grave})" if grave else ""),
        f"{_counted(pages, 'page')} ({pages / days:.1f} a day), {outcome.night_pages} at night",
        f"{outcome.alerts} alerts, {outcome.alerts_without_incident} of them made no incident",
    ]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return what changes, what would be missed first."""
    pages = f"{comparison.pages:+d} pages, {comparison.night_pages:+d} at night"
    lines = [f"Against the other rules: {pages}, {comparison.same} incidents the same"]
    lines += _listed("missed: no alert of these makes an incident any more", comparison.missed)
    lines += _listed("added: the other rules declare none of these", comparison.added)
    lines += _listed("removed: their alerts belong to another incident", comparison.removed)
    for pair in comparison.severity_changed[:LISTED]:
        lines.append(f"  severity {pair.there.severity} -> {pair.here.severity}: {_named(pair.here)}")
    if len(comparison.severity_changed) > LISTED:
        lines.append(f"  and {len(comparison.severity_changed) - LISTED} more of another severity")
    return lines


def _listed(what: str, incidents: tuple[WouldBe, ...]) -> list[str]:
    if not incidents:
        return []
    lines = [f"  {len(incidents)} {what}", *(f"    {_named(incident)}" for incident in incidents[:LISTED])]
    if len(incidents) > LISTED:
        lines.append(f"    and {len(incidents) - LISTED} more (--output json has them all)")
    return lines


def _named(incident: WouldBe) -> str:
    return f"{incident.declared_at:%Y-%m-%d %H:%M} {incident.severity} {incident.rule}: {incident.title}"


def as_json(outcome: Outcome, comparison: Comparison | None) -> dict[str, Any]:
    """Return everything as plain JSON values."""
    told: dict[str, Any] = msgspec.to_builtins(outcome)
    told["night_pages"] = outcome.night_pages
    told["by_severity"] = {severity.value: number for severity, number in outcome.by_severity.items()}
    told["comparison"] = None if comparison is None else msgspec.to_builtins(comparison)
    return told
