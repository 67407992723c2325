"""What the calls of the live state document take and answer, one type each; the OpenAPI document is made of them."""

from receiver.api import wire
from receiver.api.answers import Answer, Cursor, EntryAnswer, Instant, OverdueAnswer


class DocumentBody(wire.Body, frozen=True, kw_only=True):
    """Written parts, each anew; what is left out stays as it is."""

    summary: wire.Text | None = None
    status_report: wire.Text | None = None


class PartyAnswer(Answer, frozen=True, kw_only=True):
    """Somebody who has to know; `role` is the role that the person has in the incident."""

    name: str
    kind: str
    external: bool
    role: str | None
    at: Instant | None
    by: str


class TimelineAnswer(Answer, frozen=True, kw_only=True):
    """How many entries the timeline has, and the last."""

    entries: int
    last: EntryAnswer | None


class SummaryAnswer(Answer, frozen=True, kw_only=True):
    """The summary, for readers who are no engineers; version 0 while there is none."""

    text: str
    version: int
    at: Instant | None
    by: str
    age_seconds: int | None


class TaskAnswer(Answer, frozen=True, kw_only=True):
    """What somebody was asked to do during the incident."""

    id: str
    text: str
    person: str | None
    by: str
    at: Instant
    done: bool
    done_at: Instant | None
    done_by: str


class StatusReportAnswer(SummaryAnswer, frozen=True, kw_only=True):
    """The full technical state; `review_due`: it is older than the severity allows."""

    update_every_seconds: int | None
    review_due_at: Instant | None
    review_due: bool
    tasks: list[TaskAnswer]


class DocumentObjectiveAnswer(Answer, frozen=True, kw_only=True):
    """A condition for "resolved", and whether it is met."""

    id: str
    text: str
    kind: str
    met: bool
    met_at: Instant | None
    met_by: str


class DocumentActionAnswer(Answer, frozen=True, kw_only=True):
    """What is to be done after the incident."""

    id: str
    text: str
    owner: str | None
    due: str | None
    link: str | None
    state: str
    overdue: bool
    at: Instant
    by: str


class OwnerAnswer(Answer, frozen=True, kw_only=True):
    """In which role a part is looked after, and by whom."""

    role: str | None
    person: str | None


class PartAnswer(Answer, frozen=True, kw_only=True):
    """Who looks after a part, how old it is, and where its history is."""

    part: str
    owner: OwnerAnswer
    changed_at: Instant | None
    age_seconds: int | None
    history: str


class DocumentAnswer(Answer, frozen=True, kw_only=True):
    """The live state document."""

    stakeholders: list[PartyAnswer]
    timeline: TimelineAnswer
    summary: SummaryAnswer
    status_report: StatusReportAnswer
    objectives: list[DocumentObjectiveAnswer]
    post_incident_actions: list[DocumentActionAnswer]
    overdue_actions: list[OverdueAnswer]
    parts: list[PartAnswer]


class VersionAnswer(Answer, frozen=True, kw_only=True):
    """One version of a written part, and what it changed; of other parts an entry of the timeline, without a number."""

    part: str
    version: int | None
    at: Instant
    by: str
    text: str
    diff: str


class VersionsAnswer(Answer, frozen=True, kw_only=True):
    """The history of a part, oldest first."""

    versions: list[VersionAnswer]
    next: Cursor


class DraftAnswer(Answer, frozen=True, kw_only=True):
    """What an audience could be told now; without channels it is told by people."""

    audience: str
    kind: str
    channels: list[str]
    text: str
