"""The bodies that the API takes, one type each: they are decoded by it, and described by it in the OpenAPI document."""

from datetime import datetime
from typing import Annotated

import msgspec

from incidents.values import Role, Severity

MAX_TEXT = 64 * 1024  # characters
MAX_TITLE = 300
MAX_LABELS = 32
MAX_NAME = 128
MAX_VALUE = 1024

Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Labels = Annotated[
    dict[
        Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)],
        Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_VALUE)],
    ],
    msgspec.Meta(max_length=MAX_LABELS),
]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every body has in common: an unknown field is a mistake, and is named."""


class NothingBody(Body, frozen=True, kw_only=True):
    """No field at all."""


class NotedBody(Body, frozen=True, kw_only=True):
    """What acknowledges, mitigates or reopens."""

    note: Text | None = None


class ResolveBody(Body, frozen=True, kw_only=True):
    """What resolves; `override` is the reason why unmet objectives do not matter."""

    note: Text | None = None
    override: Text | None = None


class DismissBody(Body, frozen=True, kw_only=True):
    """What says that it was no incident, and why."""

    reason: Text


class EscalateBody(Body, frozen=True, kw_only=True):
    """What changes the severity, or pages more people by a paging policy; neither: pages by the present one again."""

    severity: Severity | None = None
    page: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] | None = None


class NoteBody(Body, frozen=True, kw_only=True):
    """What is written on the timeline; `corrects` is the id of an entry that it sets right."""

    text: Text
    corrects: Annotated[str, msgspec.Meta(min_length=1, max_length=41)] | None = None


class ActionBody(Body, frozen=True, kw_only=True):
    """A corrective action: of which kind, to which service, in words, and when if it was not just now."""

    kind: Name
    service: Name
    text: Text | None = None
    at: Instant | None = None


class IncidentActionBody(Body, frozen=True, kw_only=True):
    """A corrective action against this incident."""

    kind: Name
    text: Text


class RoleBody(Body, frozen=True, kw_only=True):
    """What gives a role, or takes it away (`person` null); `handover` false: a commander is relieved at once."""

    role: Role
    person: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] | None
    handover: bool = True


class DeclareBody(Body, frozen=True, kw_only=True):
    """What declares an incident by hand."""

    title: Title
    severity: Severity
    identity: Labels | None = None
    summary: Text | None = None
