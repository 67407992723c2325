"""What is written into the live state document, and told to those who have to know. Pure values."""

from datetime import date

import msgspec
from msgspec import UNSET, UnsetType

from incidents.post_incident_actions import ActionState


class DocumentEdited(msgspec.Struct, frozen=True, kw_only=True):
    """A person writes a part of the live state document anew; `seen` is the tag of the versions that were read."""

    actor: str
    seen: str
    summary: str | None = None
    status_report: str | None = None


class Communicated(msgspec.Struct, frozen=True, kw_only=True):
    """A person told an audience something, or lets it be told over the channels of the audience (`send`)."""

    actor: str
    audience: str
    text: str
    channel: str = ""
    send: bool = False


class StakeholderAdded(msgspec.Struct, frozen=True, kw_only=True):
    """A person says who else has to know."""

    actor: str
    name: str
    kind: str
    external: bool


class TaskGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A person gives a task, or says what became of one (`task` is its id)."""

    actor: str
    text: str = ""
    person: str | None = None
    done: bool | None = None
    task: str = ""


class ObjectiveChecked(msgspec.Struct, frozen=True, kw_only=True):
    """A person says whether an objective is met that nothing measures."""

    actor: str
    id: str
    met: bool
    note: str = ""


class PostIncidentActionWritten(msgspec.Struct, frozen=True, kw_only=True):
    """A person writes a post-incident action down, or changes the one of this id; what is None stays as it is."""

    actor: str
    id: str = ""  # empty: a new one
    text: str | None = None
    owner: str | None = None
    due: date | UnsetType | None = UNSET
    link: str | None = None
    state: ActionState | None = None


class ReviewDue(msgspec.Struct, frozen=True, kw_only=True):
    """A timer says that the status report may be due for review."""


ByDocument = (
    DocumentEdited
    | Communicated
    | StakeholderAdded
    | TaskGiven
    | ObjectiveChecked
    | PostIncidentActionWritten
    | ReviewDue
)
