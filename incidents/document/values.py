"""What the live state document keeps beside the timeline: how its written parts stand, their versions, tasks. Pure."""

from datetime import datetime
from enum import StrEnum

import msgspec

MOST_TASKS = 200
MOST_STAKEHOLDERS = 200


class Part(StrEnum):
    """The parts of the live state document, in the order in which they are read."""

    STAKEHOLDERS = "stakeholders"
    TIMELINE = "timeline"
    SUMMARY = "summary"
    STATUS_REPORT = "status_report"
    OBJECTIVES = "objectives"
    POST_INCIDENT_ACTIONS = "post_incident_actions"


WRITTEN = (Part.SUMMARY, Part.STATUS_REPORT)  # those that people write; the others are made of what happens


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """The last version of a written part: which it is, when it was written and by whom."""

    version: int
    at: datetime
    by: str


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a written part, kept for ever."""

    v: int = 1
    part: Part
    version: int
    at: datetime
    by: str
    text: str


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody was asked to do during the incident."""

    id: str
    text: str
    person: str = ""  # empty: nobody in particular
    by: str
    at: datetime
    done_at: datetime | None = None
    done_by: str = ""
