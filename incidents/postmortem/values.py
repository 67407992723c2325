"""The post-mortem as it is kept: its state, what people wrote, and every version of that. Pure values."""

from datetime import datetime
from enum import StrEnum

import msgspec

from incidents.oncall import SeveritySettings
from incidents.postmortem.record import AlertSpan
from incidents.values import Severity


class PostmortemState(StrEnum):
    """How far a post-mortem has come."""

    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"


class Section(StrEnum):
    """What only people can write, in the order in which it is read."""

    IMPACT = "impact"
    CAUSES = "causes"
    WENT_WELL = "went_well"
    WENT_BADLY = "went_badly"
    LUCKY = "lucky"
    LESSONS = "lessons"


TITLES = {
    Section.IMPACT: "Impact",
    Section.CAUSES: "Causes",
    Section.WENT_WELL: "What went well",
    Section.WENT_BADLY: "What went badly",
    Section.LUCKY: "Where we were lucky",
    Section.LESSONS: "What we learnt",
}
PROMPTS = {
    Section.IMPACT: "Who noticed it, inside and outside, and what could they not do? How many, and for how long?",
    Section.CAUSES: "What made it possible, what set it off, and why did nothing stop it? Name conditions, not people.",
    Section.WENT_WELL: "What found it, limited it or mended it as it should, and is worth keeping?",
    Section.WENT_BADLY: "What was missing, slow or misleading for those who worked on it?",
    Section.LUCKY: "What could have made it worse, and only by chance did not?",
    Section.LESSONS: "What do we know now that we did not know before, and who else should?",
}


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a section, by whom and when it was written."""

    text: str
    by: str
    at: datetime


class Postmortem(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a post-mortem beside the record; `version` grows with every change, 0 while nobody made one.

    `until` is the last entry of the timeline that belongs to it, once it is published: what comes later is not in it.
    """

    v: int = 1
    state: PostmortemState = PostmortemState.DRAFT
    version: int = 0
    sections: dict[Section, Written] = {}
    at: datetime | None = None
    by: str = ""
    until: str = ""
    # As at the last change: a resolved alert is remembered for three days, rules that were superseded for thirty.
    alerts: tuple[AlertSpan, ...] = ()
    severities: dict[Severity, SeveritySettings] = {}
