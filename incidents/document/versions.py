"""Versions of the written parts: the tag that says which were read, and the difference between two texts. Pure."""

import difflib

from incidents.document.values import Edited, Part, Version
from incidents.incident import Incident
from incidents.timeline import SYSTEM

ANY = "*"  # in the place of a tag: whatever the versions are
MOST_DIFF = 64 * 1024  # characters


def summary_version(incident: Incident) -> int:
    """Return the version of the summary: 0 while there is none, 1 for that with which it was declared."""
    standing = summary_standing(incident)
    return standing.version if standing is not None else 0


def report_version(incident: Incident) -> int:
    """Return the version of the status report, 0 while there is none."""
    return incident.status_report.version if incident.status_report is not None else 0


def tag_of(incident: Incident) -> str:
    """Return what names the present versions of the written parts, and nothing else of an incident."""
    return f"s{summary_version(incident)}r{report_version(incident)}"


def summary_standing(incident: Incident) -> Edited | None:
    """Return the version of the summary that stands, when it was written and by whom; None while there is none."""
    if incident.summary_edit is not None or not incident.summary:
        return incident.summary_edit
    by = f"rule {incident.rule}" if incident.rule else SYSTEM
    return incident.summary_given or Edited(version=1, at=incident.declared_at, by=by)


def declared_summary(incident: Incident) -> Version | None:
    """Return the summary with which an incident was declared, as its first version; None once it was edited."""
    first = summary_standing(incident)
    if incident.summary_edit is not None or first is None:
        return None
    return Version(part=Part.SUMMARY, version=first.version, at=first.at, by=first.by, text=incident.summary)


def difference(before: str, after: str, *, names: tuple[str, str]) -> str:
    """Return how a text became another, as a unified diff; empty where they are the same."""
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), *names, lineterm="", n=3)
    return "\n".join(lines)[:MOST_DIFF]
