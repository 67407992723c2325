"""What is known when a rule judges, what it answers, and the words for it. Pure values."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from incidents.facts import Fact
from incidents.incident import Incident
from rules.conditions import (
    AbsentFor,
    All,
    Any,
    BudgetRemaining,
    BurnRate,
    Condition,
    Count,
    Distinct,
    FiringFor,
    Flaps,
    Match,
    None_,
    OpenFor,
    Query,
    UnacknowledgedFor,
    WorkedFor,
    name_of,
)
from rules.durations import format_duration
from rules.matchers import Matcher
from rules.measuring import Measurement, wanted
from rules.model import Tier
from rules.slos import Slo

MAX_REASON = 300
Counted = Count | Distinct | Flaps
# What there is where a condition finds nothing to measure.
_NOTHING_THERE: Mapping[type, str] = {
    FiringFor: "not firing",
    AbsentFor: "no heartbeat",
    WorkedFor: "nobody was on it",
    OpenFor: "not open",
    UnacknowledgedFor: "acknowledged",
}


class Facts(Protocol):
    """What is known of one alert and its identity when it is judged."""

    @property
    def firing_since(self) -> datetime | None:
        """Since when the alert fires without a break; None when it does not."""

    @property
    def silent_since(self) -> datetime | None:
        """Since when a heartbeat has not come; None for what is no heartbeat."""

    @property
    def touched_at(self) -> datetime | None:
        """Since when somebody has been on it; None where nobody was yet."""

    @property
    def incident(self) -> Incident | None:
        """The incident that is judged; None where it is something else."""

    def count(self, within: timedelta) -> int:
        """How many different alerts of this rule and identity were firing at any time in the window that ends now."""

    def distinct(self, label: str, within: timedelta) -> int:
        """How many different values of a label there were among those."""

    def flaps(self, within: timedelta) -> int:
        """How many changes between firing and resolved there were."""

    def leaves(self, asked: Counted) -> datetime:
        """The first instant at which a number that was reached may be below it again."""

    @property
    def slos(self) -> Mapping[str, Slo]:
        """The SLOs of the rule set by id."""

    def fact(self, name: str) -> Fact | None:
        """The last answer of Prometheus to a question, by its `fact_id`."""

    def want(self, promql: str) -> None:
        """Ask for a question to be asked for a while."""


class Outcome(StrEnum):
    """What a rule says of an alert."""

    HOLDS = "holds"
    SHADOW = "shadow"  # a rule in shadow mode holds: it is recorded, and nothing is declared
    WAITS = "waits"  # only time is missing; look again when it is due
    FAILS = "fails"
    UNKNOWN = "unknown"  # something in it cannot be measured
    ERROR = "error"


class State(StrEnum):
    """What one condition answers."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Trace(NamedTuple):
    """One condition's answer; its words are made only when somebody reads them, for most are never read."""

    tier: int
    asked: Condition
    state: State
    due: datetime | None  # when time alone could change it
    measured: timedelta | int | Measurement | None = None
    failed: tuple[Matcher, str] | None = None  # of `match`: the matcher that does not hold, and the label's value

    @property
    def condition(self) -> str:
        """The key under which the condition stands in a rule file."""
        return name_of(self.asked)

    @property
    def got(self) -> str:
        """What there was."""
        if isinstance(self.measured, Measurement):
            return self.measured.got
        if self.failed is not None:
            return f"{self.failed[0].name}={self.failed[1][:60]!r}"
        if isinstance(self.asked, Match):
            return "the labels"
        if isinstance(self.measured, timedelta):
            said = format_duration(self.measured)
            return f"silent for {said}" if isinstance(self.asked, AbsentFor) else said
        return str(self.measured) if self.measured is not None else _NOTHING_THERE.get(type(self.asked), "nothing")

    @property
    def wanted(self) -> str:
        """What the rule asks for."""
        match self.asked:
            case Match(matchers):
                return ", ".join(map(str, matchers if self.failed is None else self.failed[:1]))
            case Count(gte, within) | Flaps(gte, within):
                return f"{gte} within {format_duration(within)}"
            case Distinct(label, gte, within):
                return f"{gte} of {label} within {format_duration(within)}"
            case BurnRate() | BudgetRemaining() | Query():
                return wanted(self.asked)
            case All() | Any() | None_():
                return "its conditions"
            case _:
                return format_duration(self.asked.duration)


class Verdict(NamedTuple):
    """What a rule decides; `due` is the earliest instant at which passing time alone could change it."""

    outcome: Outcome
    tier: Tier | None
    due: datetime | None
    conditions: tuple[Trace, ...] = ()
    decided_by: int = 0  # the tier whose answer is the reason
    error: str = ""

    @property
    def reason(self) -> str:
        """Why, in words: the conditions of the deciding tier that answered as the tier did."""
        if self.error:
            return self.error
        own = [each for each in self.conditions if each.tier == self.decided_by]
        if not own:
            return f"tier {self.decided_by}: the matchers hold"
        told = [each for each in own if each.state is _STATES[self.outcome]] or own
        said = "; ".join(f"{each.condition} {each.got}, wanted {each.wanted}" for each in told)
        return f"tier {self.decided_by}: {said}"[:MAX_REASON]


_STATES = {
    Outcome.HOLDS: State.YES,
    Outcome.SHADOW: State.YES,
    Outcome.WAITS: State.NO,
    Outcome.FAILS: State.NO,
    Outcome.UNKNOWN: State.UNKNOWN,
}
