"""Holds a hit against the tiers of its rule: what holds, what only time is missing for, what cannot be measured. Pure.

Every condition answers with yes, no or unknown (three-valued: a `no` beside an unknown is still `no`), with what it got
and what it wanted, and with the earliest instant at which passing time alone could change the answer.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from incidents.facts import Fact
from incidents.snapshot import Need
from rules.conditions import (
    AbsentFor,
    All,
    Any,
    BudgetRemaining,
    BurnRate,
    Condition,
    Count,
    FiringFor,
    Match,
    None_,
    Query,
    name_of,
)
from rules.durations import format_duration
from rules.index import Hit
from rules.matchers import Matcher, test_of
from rules.measuring import Measurement, measure, wanted
from rules.model import Mode, Tier
from rules.slos import Slo

MAX_REASON = 300
_NOTHING, _SECOND = timedelta(0), timedelta(seconds=1)


class Facts(Protocol):
    """What is known of one alert and its identity when it is judged."""

    @property
    def firing_since(self) -> datetime | None:
        """Since when the alert fires without a break; None when it does not."""

    @property
    def silent_since(self) -> datetime | None:
        """Since when a heartbeat has not come; None for what is no heartbeat."""

    def count(self, within: timedelta) -> int:
        """How many different alerts of this rule and identity were firing at any time in the window that ends now."""

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
        match self.asked:
            case Match():
                return "the labels"
            case FiringFor():
                span = self.measured
                return format_duration(span) if isinstance(span, timedelta) else "not firing"
            case AbsentFor():
                span = self.measured
                return f"silent for {format_duration(span)}" if isinstance(span, timedelta) else "no heartbeat"
            case Count():
                return str(self.measured)
            case _:
                return "cannot be measured by this version"

    @property
    def wanted(self) -> str:
        """What the rule asks for."""
        match self.asked:
            case Match(matchers):
                return ", ".join(map(str, matchers if self.failed is None else self.failed[:1]))
            case FiringFor(duration) | AbsentFor(duration):
                return format_duration(duration)
            case Count(gte, within):
                return f"{gte} within {format_duration(within)}"
            case BurnRate() | BudgetRemaining() | Query():
                return wanted(self.asked)
            case _:
                return "a measurement"


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


def evaluate(hit: Hit, facts: Facts, now: datetime) -> Verdict:
    """Go through the tiers from the top: the first that holds decides, one that is unknown hides none below it.

    A tier further up that only waits keeps its due time in the verdict, since it may raise the severity later.
    """
    holds = Outcome.SHADOW if hit.rule.mode is Mode.SHADOW else Outcome.HOLDS
    if hit.rule.tiers and hit.rule.tiers[0].condition is None:
        return Verdict(holds, hit.rule.tiers[0], None, (), hit.rule.tiers[0].index)
    judge = _Judge(hit, facts, now)
    due: datetime | None = None
    unknown = waiting = failed = 0
    for tier in hit.rule.tiers:
        state, tier_due = judge.tier(tier)
        if state is State.YES:
            return Verdict(holds, tier, due, tuple(judge.traces), tier.index)
        if tier_due is not None:
            due = tier_due if due is None else min(due, tier_due)
            waiting = waiting or tier.index
        elif state is State.UNKNOWN:
            unknown = unknown or tier.index
        else:
            failed = failed or tier.index
    outcome = Outcome.WAITS if waiting else Outcome.UNKNOWN if unknown else Outcome.FAILS
    return Verdict(outcome, None, due, tuple(judge.traces), waiting or unknown or failed)


def evaluate_safely(hit: Hit, facts: Facts, now: datetime) -> Verdict:
    """Evaluate, and make an error of whatever goes wrong: one rule that fails never hides the others."""
    try:
        return evaluate(hit, facts, now)
    except Need:
        raise
    except Exception as error:  # noqa: BLE001 -- the border of one rule; what went wrong is kept in the verdict
        return Verdict(Outcome.ERROR, None, None, error=f"{type(error).__name__}: {error}"[:MAX_REASON])


class _Answer(NamedTuple):
    state: State
    due: datetime | None = None


_YES, _NO, _UNKNOWN = _Answer(State.YES), _Answer(State.NO), _Answer(State.UNKNOWN)
_MEASURED = {True: _YES, False: _NO, None: _UNKNOWN}
_OPPOSITE = {State.YES: State.NO, State.NO: State.YES, State.UNKNOWN: State.UNKNOWN}


class _Judge:
    """Answers the conditions of one hit and keeps the trace."""

    def __init__(self, hit: Hit, facts: Facts, now: datetime) -> None:
        self.traces: list[Trace] = []
        self._labels = hit.labels
        self._facts = facts
        self._now = now
        self._tier = 0

    def tier(self, tier: Tier) -> _Answer:
        """Answer a tier; one without a condition holds."""
        self._tier = tier.index
        return _YES if tier.condition is None else self._answer(tier.condition)

    def _answer(self, condition: Condition) -> _Answer:
        match condition:
            case Match():
                return self._match(condition)
            case FiringFor():
                return self._firing_for(condition)
            case AbsentFor():
                return self._absent_for(condition)
            case Count():
                return self._count(condition)
            case All():
                return _all([self._answer(each) for each in condition.conditions])
            case Any():
                return _any([self._answer(each) for each in condition.conditions])
            case None_():
                none = _any([self._answer(each) for each in condition.conditions])
                return _Answer(_OPPOSITE[none.state], none.due)
            case _:
                return self._measure(condition)

    def _match(self, condition: Match) -> _Answer:
        for matcher in condition.matchers:
            value = self._labels.get(matcher.name, "")
            if not test_of(matcher)(value):
                self.traces.append(Trace(self._tier, condition, State.NO, None, None, (matcher, value)))
                return _NO
        self.traces.append(Trace(self._tier, condition, State.YES, None))
        return _YES

    def _firing_for(self, condition: FiringFor) -> _Answer:
        since = self._facts.firing_since
        if since is None:
            self.traces.append(Trace(self._tier, condition, State.NO, None))
            return _NO
        due = since + condition.duration
        answer = _YES if due <= self._now else _Answer(State.NO, due)
        span = max(self._now - since, _NOTHING)
        self.traces.append(Trace(self._tier, condition, answer.state, answer.due, span))
        return answer

    def _absent_for(self, condition: AbsentFor) -> _Answer:
        since = self._facts.silent_since
        if since is None:
            self.traces.append(Trace(self._tier, condition, State.UNKNOWN, None))
            return _UNKNOWN
        due = since + condition.duration
        answer = _YES if due <= self._now else _Answer(State.NO, due)
        self.traces.append(Trace(self._tier, condition, answer.state, answer.due, max(self._now - since, _NOTHING)))
        return answer

    def _measure(self, condition: Condition) -> _Answer:
        if not isinstance(condition, BurnRate | BudgetRemaining | Query):
            self.traces.append(Trace(self._tier, condition, State.UNKNOWN, None))
            return _UNKNOWN
        found = measure(condition, self._labels, self._facts, self._now)
        answer = _MEASURED[found.holds]
        self.traces.append(Trace(self._tier, condition, answer.state, None, found))
        return answer

    def _count(self, condition: Count) -> _Answer:
        count = self._facts.count(condition.within)
        # Time only makes alerts leave the window. When enough of them have left is not known here: look again a tenth
        # of the window later.
        later = self._now + max(condition.within / 10, _SECOND)
        answer = _NO if count < condition.gte else _Answer(State.YES, later)
        self.traces.append(Trace(self._tier, condition, answer.state, answer.due, count))
        return answer


def _all(answers: list[_Answer]) -> _Answer:
    for state in (State.NO, State.UNKNOWN):
        dues = [answer.due for answer in answers if answer.state is state]
        if dues:
            return _Answer(state, _latest(dues))
    return _Answer(State.YES, _earliest(answer.due for answer in answers))


def _any(answers: list[_Answer]) -> _Answer:
    yes = [answer.due for answer in answers if answer.state is State.YES]
    if yes:
        return _Answer(State.YES, _latest(yes))
    state = State.UNKNOWN if any(answer.state is State.UNKNOWN for answer in answers) else State.NO
    return _Answer(state, _earliest(answer.due for answer in answers))


def _latest(dues: list[datetime | None]) -> datetime | None:
    """Every one of them has to change: the latest, or never when one does not change by time."""
    known = [due for due in dues if due is not None]
    return max(known) if len(known) == len(dues) else None


def _earliest(dues: Iterable[datetime | None]) -> datetime | None:
    """One of them is enough: the earliest that there is."""
    return min((due for due in dues if due is not None), default=None)
