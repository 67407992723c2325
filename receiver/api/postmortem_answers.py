"""What the calls of the post-mortem take and answer, one type each; the OpenAPI document is made of them."""

from enum import StrEnum

from incidents.postmortem.draft import Draft
from incidents.postmortem.values import PostmortemState, Section
from incidents.values import Severity
from receiver.api import wire
from receiver.api.answers import Answer, Cursor, Instant


class Wanted(StrEnum):
    """Whether a post-mortem is asked for."""

    REQUIRED = "required"
    OPTIONAL = "optional"


class PostmortemBody(wire.Body, frozen=True, kw_only=True):
    """Sections for people, each written anew; what is left out stays as it is, and an empty text empties one."""

    impact: wire.Text | None = None
    causes: wire.Text | None = None
    went_well: wire.Text | None = None
    went_badly: wire.Text | None = None
    lucky: wire.Text | None = None
    lessons: wire.Text | None = None


class PostmortemStateBody(wire.Body, frozen=True, kw_only=True):
    """How far the post-mortem has come."""

    state: PostmortemState


class PostmortemAnswer(Draft, frozen=True, kw_only=True):
    """A post-mortem: what the record says, and what people wrote."""


class WrittenAnswer(Answer, frozen=True, kw_only=True):
    """A section as somebody wrote it."""

    text: str
    by: str
    at: Instant


class PostmortemVersionAnswer(Answer, frozen=True, kw_only=True):
    """A version of what people wrote."""

    version: int
    state: PostmortemState
    at: Instant | None
    by: str
    sections: dict[Section, WrittenAnswer]


class PostmortemVersionsAnswer(Answer, frozen=True, kw_only=True):
    """Every version of what people wrote, the latest first."""

    versions: list[PostmortemVersionAnswer]
    next: None = None


class WantedAnswer(Answer, frozen=True, kw_only=True):
    """A resolved incident of which a post-mortem is wanted, and how far that has come."""

    id: str
    title: str
    severity: Severity
    team: str
    resolved_at: Instant | None
    wanted: str
    state: PostmortemState


class WantedPageAnswer(Answer, frozen=True, kw_only=True):
    """Some of them, the latest first; a page may hold fewer than the limit."""

    postmortems: list[WantedAnswer]
    next: Cursor
