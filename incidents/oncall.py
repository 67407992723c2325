"""People, channels, rotations, roles and paging policies: who is paged, when, and next. Pure values.

`incidents.rotations` computes who holds a rotation at an instant; `incidents.paging` who a step pages.
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import msgspec

from incidents.values import Role, Severity

# Kinds whose provider pages on its own: what happens here is told to it, whichever channel reached the person.
LIFECYCLE_KINDS = frozenset({"pagerduty"})


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reach somebody: a kind (`webhook`, `console`, ...) and its options as the operator wrote them."""

    name: str  # of a named channel, else `PERSON/1`, `PERSON/2`, ...
    kind: str
    options: dict[str, str | int | bool] = {}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can be paged, with the channels to try, first to last."""

    id: str
    name: str = ""
    email: str = ""  # by which calendars may name the person
    timezone: str = "UTC"
    channels: tuple[Channel, ...] = ()


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A person who stands in for the rotation from one instant until another."""

    start: datetime
    until: datetime
    person: str
    note: str = ""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """From which day a member takes turns, and from which no more, in the layer's zone; None: for ever."""

    joins: date | None = None
    leaves: date | None = None


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of some weekdays (0 is Monday) on the clock on the wall; past midnight where they end before they begin."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    start: time
    until: time


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Where the calendar of a layer is read: one of `url`, `url_file` (which holds the address) and `file`."""

    url: str = ""
    url_file: str = ""
    file: str = ""  # the name of the file among those of the rules
    digest: str = ""  # of the file's text
    refresh: timedelta = timedelta(minutes=15)


class Turn(NamedTuple):
    """Somebody holds a layer from `start` (UTC, inclusive) until `until` (UTC, exclusive)."""

    person: str
    start: datetime
    until: datetime


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """People who take turns, within hours: handoffs are wall-clock times in `timezone`, counted from `starting`.

    With `calendar` the turns are those that it names, first to last and without overlaps, and `order` is who has them.
    """

    timezone: str = "UTC"
    order: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()  # one for each place of the order, or none at all
    every: timedelta = timedelta(weeks=1)
    weekday: int | None = None  # 0 is Monday; None: the weekday of `starting`
    at: time = time(9, 0)
    starting: date = date(2026, 1, 5)
    hours: tuple[Hours, ...] = ()  # none: at all hours
    calendar: Calendar | None = None
    turns: tuple[Turn, ...] = ()


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a role when: `layers` from top to bottom, or else the one layer that its own fields describe."""

    id: str
    timezone: str = "UTC"
    order: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    every: timedelta = timedelta(weeks=1)
    weekday: int | None = None
    at: time = time(9, 0)
    starting: date = date(2026, 1, 5)
    hours: tuple[Hours, ...] = ()
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def every_layer(self) -> tuple[Layer, ...]:
        """The layers, top to bottom; there is at least one."""
        return self.layers or (
            Layer(
                timezone=self.timezone,
                order=self.order,
                terms=self.terms,
                every=self.every,
                weekday=self.weekday,
                at=self.at,
                starting=self.starting,
                hours=self.hours,
            ),
        )


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Whom one step pages, and how long it waits for an acknowledgement before the next (None: as the severity says).

    Targets: `incident_commander` (any role), `rotation:NAME`, `rotation:NAME+1` (the next in turn), a person's id,
    `channel:NAME`.
    """

    page: tuple[str, ...]
    acknowledge_within: timedelta | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that follow one another until somebody acknowledges; all of them, `rounds` times.

    With `hours` the first step waits for them, unless it is a SEV1; after `repage_after` of silence it begins again.
    """

    id: str
    steps: tuple[Step, ...]
    rounds: int = 3
    hours: Hours | None = None
    timezone: str = "UTC"  # of the hours
    repage_after: timedelta | None = None


class SeveritySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a severity asks of people."""

    acknowledge_within: timedelta = timedelta(minutes=30)
    update_every: timedelta | None = None
    postmortem: str = "none"  # required, optional, none
    stakeholders: tuple[str, ...] = ()


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """What a team has of its own: rotations for roles, the paging policy of its incidents, channels that are told."""

    id: str
    roles: dict[Role, str] = {}  # role -> rotation id
    paging: str = "default"
    announce: tuple[str, ...] = ()


INTERNAL, EXTERNAL, CUSTOMERS = AUDIENCE_KINDS = ("internal", "external", "customers")


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told together: over which channels, of which kind, and in which words (`incidents.document.templates`)."""

    name: str
    channels: tuple[str, ...] = ()  # by name
    kind: str = INTERNAL
    template: str = ""

    @property
    def is_external(self) -> bool:
        """Whether it is outside of the organisation: it is told nothing but what somebody wrote."""
        return self.kind != INTERNAL


class OnCall(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that paging needs of a rule set."""

    people: dict[str, Person] = {}
    channels: dict[str, Channel] = {}
    rotations: dict[str, Rotation] = {}
    roles: dict[Role, str] = {}  # role -> rotation id
    policies: dict[str, Policy] = {}  # `default` is used where a rule names none
    severities: dict[Severity, SeveritySettings] = {}
    watches_incidents: bool = False  # some rule is on incidents: whatever changes one lets the decider look at it
    announce: tuple[str, ...] = ()  # names of channels that are told of every incident
    teams: dict[str, Team] = {}
    audiences: dict[str, Audience] = {}
