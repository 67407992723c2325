"""What people do about an incident: say how it stands, call for more people, write things down. Pure values."""

import msgspec

from incidents.incident import Incident, Stakeholder
from incidents.values import Role, Severity


class DeclaredByHand(msgspec.Struct, frozen=True, kw_only=True):
    """A person declares an incident."""

    actor: str
    title: str
    severity: Severity
    identity: dict[str, str]
    identity_key: str
    summary: str = ""
    ruleset: str = ""
    team: str = "default"
    customers: tuple[Stakeholder, ...] = ()  # of the SLO that its identity names


class Acknowledge(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is on it; the paging stops."""

    actor: str
    note: str = ""


class Unacknowledge(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody is on it after all; paging begins again."""

    actor: str
    note: str = ""


class Mitigate(msgspec.Struct, frozen=True, kw_only=True):
    """Customers no longer feel it."""

    actor: str
    note: str = ""


class Resolve(msgspec.Struct, frozen=True, kw_only=True):
    """A person says that it is over; `override` is the reason why unmet objectives do not matter."""

    actor: str
    note: str = ""
    override: str = ""


class Reopen(msgspec.Struct, frozen=True, kw_only=True):
    """A person says that it is not over."""

    actor: str
    note: str = ""


class Dismiss(msgspec.Struct, frozen=True, kw_only=True):
    """A person says that it was no incident."""

    actor: str
    reason: str


class Escalate(msgspec.Struct, frozen=True, kw_only=True):
    """A person changes the severity, or asks for more people."""

    actor: str
    severity: Severity | None = None
    page: str = ""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A person writes something down; `corrects` is the id of the entry that it sets right."""

    actor: str
    text: str
    corrects: str = ""


class ActionTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A person did something about it; `action` is of which kind: a rollback, a restart."""

    actor: str
    action: str
    text: str


class RoleGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A person gives a role to somebody, or takes it away (None); a commander hands over unless it is `at_once`."""

    actor: str
    role: Role
    person: str | None
    at_once: bool = False
    lately: tuple[str, ...] = ()  # the last entries of the timeline, for the brief


class MergedInto(msgspec.Struct, frozen=True, kw_only=True):
    """A person says that an incident is part of another, which goes on."""

    actor: str
    into: str
    note: str = ""


class TakenIn(msgspec.Struct, frozen=True, kw_only=True):
    """The same, told to the incident that goes on: with the other as it was."""

    actor: str
    other: Incident
    note: str = ""


ByPeople = (
    DeclaredByHand
    | Acknowledge
    | Unacknowledge
    | Mitigate
    | Resolve
    | Reopen
    | Dismiss
    | Escalate
    | Note
    | ActionTaken
    | RoleGiven
    | MergedInto
    | TakenIn
)
