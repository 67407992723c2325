"""What can happen to an incident: the events of the transition table. Pure values."""

from datetime import date, datetime

import msgspec
from msgspec import UNSET, UnsetType

from incidents.incident import BudgetBurnt, Incident, Objective, Stakeholder
from incidents.maintenance import Hold
from incidents.post_incident_actions import ActionState, Overdue
from incidents.timeline import SYSTEM
from incidents.values import Criterion, PageReason, Role, Severity


class FindingHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A rule holds for an identity: declares, reopens, adds a finding, or raises the severity."""

    rule: str
    criterion: Criterion
    severity: Severity
    title: str
    identity: dict[str, str]
    identity_key: str
    actor: str
    reason: str
    ruleset: str
    received_at: datetime
    policy: str = "default"
    summary: str = ""
    runbook: str = ""
    assign: tuple[Role, ...] = ()
    objectives: tuple[Objective, ...] = ()
    slos: tuple[str, ...] = ()  # whose error budget it burns
    reopen_seconds: float = 1800.0
    fires_again: bool = True  # a new firing, not a repeat judged by a new rule set: only that reopens
    mark: str = ""  # what it does is done once while the incident is open, and remembered under this name
    calls: bool = False  # calls people by its policy even where it is no graver than the incident
    stakeholders: tuple[str, ...] = ()
    customers: tuple[Stakeholder, ...] = ()  # of the SLO that it is about
    restricted: bool = False
    absorb_seconds: float = 0.0  # so long the incident takes the other findings of its identity in
    absorbed: dict[str, str] = {}  # the finding's own identity, where a storm takes it in
    holds: tuple[Hold, ...] = ()  # maintenance for which nobody is paged until it is over
    team: str = "default"  # whose incident it is, should this declare one
    began_at: datetime | None = None  # since when the alert fires that the rule is about
    overdue: tuple[Overdue, ...] = ()  # post-incident actions of its rule, should this declare one


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


class Mitigate(msgspec.Struct, frozen=True, kw_only=True):
    """Customers no longer feel it."""

    actor: str
    note: str = ""


class Resolve(msgspec.Struct, frozen=True, kw_only=True):
    """A person says that it is over; `override` is the reason why unmet objectives do not matter."""

    actor: str
    note: str = ""
    override: str = ""


class ClearDue(msgspec.Struct, frozen=True, kw_only=True):
    """A timer says that the alerts may have been clear for long enough."""


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


class Unacknowledge(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody is on it after all; paging begins again."""

    actor: str
    note: str = ""


class RoleGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A person gives a role to somebody, or takes it away (None); a commander hands over unless it is `at_once`."""

    actor: str
    role: Role
    person: str | None
    at_once: bool = False
    lately: tuple[str, ...] = ()  # the last entries of the timeline, for the brief


class ActionTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A person did something about it; `action` is of which kind: a rollback, a restart."""

    actor: str
    action: str
    text: str


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is on it, as an alert or an action of its service says: the time-spent clock runs."""

    actor: str


class Unmeasured(msgspec.Struct, frozen=True, kw_only=True):
    """A rule could not be judged, for something in it cannot be measured."""

    rule: str
    reason: str


class ObjectivesMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """Facts came in: which measured objectives hold, by their ids; what is not known is not among them."""

    met: dict[str, bool]
    said: dict[str, str] = {}  # what was measured, in words


class BudgetMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an error budget a resolved incident burnt."""

    burnt: BudgetBurnt


class StepDue(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody acknowledged in time: the next step of the paging policy."""


class HoldChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Maintenance no longer holds the paging: what fires is outside of it, or the one named `ended` was ended early."""

    ended: str = ""
    actor: str = SYSTEM
    holds: tuple[Hold, ...] = ()  # what holds it from now on, where nothing was ended


class PageDelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A provider took a page."""

    page_id: str
    person: str
    channel: str
    kind: str
    attempt: int
    repeat: bool
    reason: PageReason
    answer: str = ""  # of the provider, for people
    provider_id: str = ""  # what the provider calls it
    audience: str = ""  # of a communication


class PageFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt did not reach its provider; `again_at` is when it is tried again, None when the page is given up."""

    page_id: str
    person: str
    channel: str
    kind: str
    attempt: int
    error: str
    again_at: datetime | None = None
    permanent: bool = False  # the provider's verdict: trying again on this channel cannot help
    audience: str = ""  # of a communication


class PageSuppressed(msgspec.Struct, frozen=True, kw_only=True):
    """A page was not sent, for it was no longer needed."""

    page_id: str
    person: str
    why: str


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


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The store was restored from a backup that is of this instant."""

    of: datetime


Event = (
    FindingHeld
    | DeclaredByHand
    | Acknowledge
    | Mitigate
    | Resolve
    | ClearDue
    | Reopen
    | Dismiss
    | Escalate
    | Note
    | Unacknowledge
    | RoleGiven
    | ActionTaken
    | Touched
    | Unmeasured
    | ObjectivesMeasured
    | BudgetMeasured
    | StepDue
    | HoldChanged
    | PageDelivered
    | PageFailed
    | PageSuppressed
    | DocumentEdited
    | Communicated
    | StakeholderAdded
    | TaskGiven
    | ReviewDue
    | MergedInto
    | TakenIn
    | ObjectiveChecked
    | PostIncidentActionWritten
    | Restored
)
