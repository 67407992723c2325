"""What statistics say, as plain values: they are answered by the API as they are, and pictures are made of them."""

from enum import StrEnum

import msgspec

from incidents.values import Severity


class GroupedBy(StrEnum):
    """What the incidents may be grouped by; `person` is who commanded them."""

    SERVICE = "service"
    RULE = "rule"
    SEVERITY = "severity"
    PERSON = "person"


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took, in seconds: half of `count` took no longer than the median, nine of ten than p90."""

    median: float | None = None
    p90: float | None = None
    count: int = 0


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """From the start of the alert to declared, and from declared to the rest."""

    detect: Spread = Spread()
    acknowledge: Spread = Spread()
    mitigate: Spread = Spread()
    resolve: Spread = Spread()


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """A week that begins on a Monday (UTC); pages are null where they belong to no group."""

    begins_on: str
    incidents: int
    severities: dict[Severity, int]
    pages: int | None = None
    night_pages: int | None = None
    times: Times = Times()


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The incidents of one service, rule, severity or person; weeks without any are left out."""

    name: str
    incidents: int
    open: int
    resolved: int
    dismissed: int
    times: Times
    weeks: list[Week]
    pages: int | None = None
    night_pages: int | None = None


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the incidents that a rule declared were none; null before the first was closed."""

    rule: str
    declared: int
    open: int
    resolved: int
    dismissed: int
    precision: float | None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What one person had: pages, those at night, and incidents that the person commanded."""

    person: str
    pages: int
    night_pages: int
    incidents: int


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What the incidents that were declared between two instants come to, and the pages of those days."""

    since: str
    until: str
    by: GroupedBy
    incidents: int
    open: int
    resolved: int
    dismissed: int
    pages: int
    night_pages: int
    times: Times
    weeks: list[Week]
    groups: list[Group]
    groups_left_out: int
    rules: list[Precision]
    people: list[Load]
