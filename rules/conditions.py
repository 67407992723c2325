"""The closed list of conditions that a tier may ask for: plain values that do not know how they are measured.

Values of a rule set are trees that live long, so the garbage collector need not look at them (`gc=False`).
"""

from datetime import timedelta
from enum import StrEnum

import msgspec

from rules.matchers import Matcher


class Match(msgspec.Struct, frozen=True, gc=False, tag="match"):
    """All matchers hold for the labels."""

    matchers: tuple[Matcher, ...]


class FiringFor(msgspec.Struct, frozen=True, gc=False, tag="firing_for"):
    """The alert has been firing so long without a break."""

    duration: timedelta


class Count(msgspec.Struct, frozen=True, gc=False, tag="count"):
    """So many different alerts of the identity were firing at any time in the window."""

    gte: int
    within: timedelta


class All(msgspec.Struct, frozen=True, gc=False, tag="all"):
    """Every one holds."""

    conditions: tuple["Condition", ...]


class Any(msgspec.Struct, frozen=True, gc=False, tag="any"):
    """At least one holds."""

    conditions: tuple["Condition", ...]


class None_(msgspec.Struct, frozen=True, gc=False, tag="none"):  # noqa: N801 -- `None` is taken
    """Not one holds."""

    conditions: tuple["Condition", ...]


class Distinct(msgspec.Struct, frozen=True, gc=False, tag="distinct"):
    """So many different values of a label among the alerts of the window."""

    label: str
    gte: int
    within: timedelta


class Flaps(msgspec.Struct, frozen=True, gc=False, tag="flaps"):
    """So many changes between firing and resolved in the window."""

    gte: int
    within: timedelta


class WorkedFor(msgspec.Struct, frozen=True, gc=False, tag="worked_for"):
    """Someone has been on it so long."""

    duration: timedelta


class OpenFor(msgspec.Struct, frozen=True, gc=False, tag="open_for"):
    """The incident has been open so long."""

    duration: timedelta


class UnacknowledgedFor(msgspec.Struct, frozen=True, gc=False, tag="unacknowledged_for"):
    """Nobody has acknowledged the incident for so long."""

    duration: timedelta


class AbsentFor(msgspec.Struct, frozen=True, gc=False, tag="absent_for"):
    """The heartbeat has not been heard for so long."""

    duration: timedelta


class Compare(StrEnum):
    """How a measured number is held against the wanted one."""

    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    EQ = "eq"


class BurnRate(msgspec.Struct, frozen=True, gc=False, tag="burn_rate"):
    """How fast an SLO's error budget burns; `slo` is an id, or a template that gives one."""

    slo: str
    over: timedelta
    compare: Compare
    limit: float


class BudgetRemaining(msgspec.Struct, frozen=True, gc=False, tag="budget_remaining"):
    """How much of an SLO's error budget is left, in percent."""

    slo: str
    compare: Compare
    percent: float


class Query(msgspec.Struct, frozen=True, gc=False, tag="query"):
    """One number from Prometheus."""

    promql: str
    compare: Compare
    limit: float


Unmeasured = Distinct | Flaps | WorkedFor | OpenFor | UnacknowledgedFor | AbsentFor | BurnRate | BudgetRemaining | Query
Condition = Match | FiringFor | Count | All | Any | None_ | Unmeasured


def name_of(condition: Condition) -> str:
    """Return the key under which the condition stands in a rule file."""
    return str(type(condition).__struct_config__.tag)


def flatten(condition: Condition | None) -> list[Condition]:
    """Return the condition and everything below it, outer ones first."""
    if condition is None:
        return []
    found: list[Condition] = [condition]
    if isinstance(condition, All | Any | None_):
        for child in condition.conditions:
            found += flatten(child)
    return found
