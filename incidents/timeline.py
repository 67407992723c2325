"""The timeline of an incident: a closed list of kinds, append-only entries, and the folding of storms.

A fold is one entry that stands for many alike: it is written once, and its count lives beside the timeline
(`incidents.keys.tally`), so that a thousand like alerts are one line. Pure.
"""

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec


class EntryKind(StrEnum):
    """What an entry tells of."""

    INCIDENT_DECLARED = "incident_declared"
    FINDING_ADDED = "finding_added"
    ALERT_FIRED = "alert_fired"
    ALERT_RESOLVED = "alert_resolved"
    ALERT_STALE = "alert_stale"
    SEVERITY_CHANGED = "severity_changed"
    ROLE_ASSIGNED = "role_assigned"
    HANDED_OVER = "handed_over"
    PAGE_SENT = "page_sent"
    PAGE_FAILED = "page_failed"
    PAGE_SUPPRESSED = "page_suppressed"
    PAGE_ACKNOWLEDGED = "page_acknowledged"
    PAGE_ESCALATED = "page_escalated"
    PAGE_EXHAUSTED = "page_exhausted"
    UNACKNOWLEDGED = "unacknowledged"
    NOTE = "note"
    COMMUNICATION = "communication"
    CORRECTIVE_ACTION = "corrective_action"
    TASK = "task"
    STATUS_REPORT = "status_report"
    DOCUMENT_EDITED = "document_edited"
    STAKEHOLDER_ADDED = "stakeholder_added"
    REMINDER = "reminder"
    OBJECTIVE_MET = "objective_met"
    OBJECTIVE_UNMET = "objective_unmet"
    POST_INCIDENT_ACTION = "post_incident_action"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    DISMISSED = "dismissed"
    MERGED = "merged"


SYSTEM = "tocsin"  # the actor of what nobody in particular did


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a timeline; the store gives it its id."""

    v: int = 1
    at: datetime
    kind: EntryKind
    actor: str = SYSTEM
    text: str
    data: dict[str, Any] = {}
    fold: str = ""  # the name of the fold whose count the store keeps


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is read back: with its id, and with its fold counted."""

    id: str
    at: datetime
    kind: EntryKind
    actor: str
    text: str
    data: dict[str, Any]


FOLD_FOR_MS = 3_600_000  # a fold takes in like alerts for an hour, then a new line begins


@lru_cache(maxsize=4096)
def fold_name(kind: EntryKind, source: str, alertname: str) -> str:
    """Return what makes two alerts "like": kind of entry, source and alert name."""
    return f"{kind}|{source}|{alertname}"


def folded(entry: Entry, count: int) -> str:
    """Return the text of an entry that stands for `count` alike."""
    return entry.text if count <= 1 else f"{entry.text} (and {count - 1} more like it)"
