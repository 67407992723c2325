"""When the status report is due for review: `update_every` of the severity after it was written, then once a period.

The instant stands in the incident, and its timer follows from it: a restart neither loses nor repeats a reminder. Pure.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from incidents.incident import Incident
from incidents.oncall import OnCall, SeveritySettings


def update_every(incident: Incident, oncall: OnCall) -> timedelta | None:
    """Return how often the severity of an incident asks for a status report, None where it does not."""
    every = oncall.severities.get(incident.severity, SeveritySettings()).update_every
    return every if every is not None and every > timedelta() else None


def with_review(before: Incident | None, after: Incident, oncall: OnCall, now: datetime) -> Incident:
    """Return an incident with the instant at which its status report is due for review."""
    due = _due(before, after, oncall, now)
    return after if due == after.review_due_at else replace(after, review_due_at=due)


def _due(before: Incident | None, after: Incident, oncall: OnCall, now: datetime) -> datetime | None:
    due = after.review_due_at
    if not after.is_open:
        return due
    every = update_every(after, oncall)
    if every is None:
        return None
    if before is None or due is None or not before.is_open or after.status_report != before.status_report:
        return now + every
    if after.severity is not before.severity:
        return min(due, now + every)
    return due


def reviewed_at(incident: Incident) -> datetime:
    """Return when the status report was written last, else since when it could have been."""
    report = incident.status_report
    return max(report.at, incident.opened_at) if report is not None else incident.opened_at


def is_overdue(incident: Incident, oncall: OnCall, now: datetime) -> bool:
    """Whether the status report of an open incident is older than its severity allows."""
    every = update_every(incident, oncall)
    return incident.is_open and every is not None and now >= reviewed_at(incident) + every


def standing(incident: Incident, now: datetime) -> list[str]:
    """Return how the status report and the tasks of an incident stand, a line each, for whoever takes over."""
    report = incident.status_report
    waiting = [f"{each.text} ({each.person or 'nobody'})" for each in incident.tasks if each.done_at is None]
    lines = [f"Tasks open: {'; '.join(waiting)}."] if waiting else []
    if report is not None:
        lines.append(f"Status report: version {report.version} by {report.by}, {in_words(now - report.at)} old.")
    return lines


def in_words(span: timedelta) -> str:
    """Return a span of time in words, such as `45 min` or `2 h 5 min`."""
    minutes = max(0, int(span.total_seconds() // 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [f"{days} d" * bool(days), f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)]
    return " ".join(part for part in parts if part) or "less than a minute"
