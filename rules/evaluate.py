"""Holds a hit against the tiers of its rule: what holds, what only time is missing for, what cannot be measured. Pure.

Every condition answers with yes, no or unknown (three-valued: a `no` beside an unknown is still `no`), with what it got
and what it wanted, and with the earliest instant at which passing time alone could change the answer.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from rules.conditions import All, Any, Condition, Count, FiringFor, Match, None_, name_of
from rules.durations import format_duration
from rules.index import Hit
from rules.matchers import test_of
from rules.model import Mode, Tier

MAX_REASON = 300


class Facts(Protocol):
    """What is known of one alert and its identity when it is judged."""

    @property
    def firing_since(self) -> datetime | None:
        """Since when the alert fires without a break; None when it does not."""

    def count(self, within: timedelta) -> int:
        """How many different alerts of this rule and identity were firing at any time in the window that ends now."""


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
    """One condition's answer: what it got, what it wanted, and when time alone could change it."""

    tier: int
    condition: str
    state: State
    got: str
    wanted: str
    due: datetime | None


class Verdict(NamedTuple):
    """What a rule decides; `due` is the earliest instant at which passing time alone could change it."""

    outcome: Outcome
    tier: Tier | None
    due: datetime | None
    reason: str
    conditions: tuple[Trace, ...] = ()


def evaluate(hit: Hit, facts: Facts, now: datetime) -> Verdict:
    """Go through the tiers from the top: the first that holds decides, one that is unknown hides none below it.

    A tier further up that only waits keeps its due time in the verdict, since it may raise the severity later.
    """
    judge = _Judge(hit, facts, now)
    due: datetime | None = None
    unknown = waiting = failed = ""
    for tier in hit.rule.tiers:
        state, tier_due = judge.tier(tier)
        if state is State.YES:
            outcome = Outcome.SHADOW if hit.rule.mode is Mode.SHADOW else Outcome.HOLDS
            return Verdict(outcome, tier, due, judge.reason(tier, state), tuple(judge.traces))
        if tier_due is not None:
            due = tier_due if due is None else min(due, tier_due)
            waiting = waiting or judge.reason(tier, state)
        elif state is State.UNKNOWN:
            unknown = unknown or judge.reason(tier, state)
        else:
            failed = failed or judge.reason(tier, state)
    outcome = Outcome.WAITS if due is not None else Outcome.UNKNOWN if unknown else Outcome.FAILS
    return Verdict(outcome, None, due, waiting or unknown or failed or "the rule has no tier", tuple(judge.traces))


def evaluate_safely(hit: Hit, facts: Facts, now: datetime) -> Verdict:
    """Evaluate, and make an error of whatever goes wrong: one rule that fails never hides the others."""
    try:
        return evaluate(hit, facts, now)
    except Exception as error:  # noqa: BLE001 -- the border of one rule; what went wrong is kept in the verdict
        return Verdict(Outcome.ERROR, None, None, f"{type(error).__name__}: {error}"[:MAX_REASON])


class _Answer(NamedTuple):
    state: State
    due: datetime | None = None


_YES, _NO, _UNKNOWN = _Answer(State.YES), _Answer(State.NO), _Answer(State.UNKNOWN)
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

    def reason(self, tier: Tier, state: State) -> str:
        """Say in words why a tier got its answer: the conditions of it that answered the same."""
        if tier.condition is None:
            return f"tier {tier.index}: the matchers hold"
        own = [each for each in self.traces if each.tier == tier.index]
        told = [each for each in own if each.state is state] or own
        said = "; ".join(f"{each.condition} {each.got}, wanted {each.wanted}" for each in told)
        return f"tier {tier.index}: {said}"[:MAX_REASON]

    def _answer(self, condition: Condition) -> _Answer:
        match condition:
            case Match():
                return self._match(condition)
            case FiringFor():
                return self._firing_for(condition)
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
                self._trace(name_of(condition), _UNKNOWN, "cannot be measured by this version", "a measurement")
                return _UNKNOWN

    def _match(self, condition: Match) -> _Answer:
        for matcher in condition.matchers:
            value = self._labels.get(matcher.name, "")
            if not test_of(matcher)(value):
                self._trace("match", _NO, f"{matcher.name}={value[:60]!r}", str(matcher))
                return _NO
        self._trace("match", _YES, "the labels", ", ".join(map(str, condition.matchers)))
        return _YES

    def _firing_for(self, condition: FiringFor) -> _Answer:
        since, wanted = self._facts.firing_since, format_duration(condition.duration)
        if since is None:
            self._trace("firing_for", _NO, "not firing", wanted)
            return _NO
        due = since + condition.duration
        answer = _YES if due <= self._now else _Answer(State.NO, due)
        self._trace("firing_for", answer, format_duration(max(self._now - since, timedelta(0))), wanted)
        return answer

    def _count(self, condition: Count) -> _Answer:
        count = self._facts.count(condition.within)
        if count < condition.gte:
            answer = _NO  # time only makes alerts leave the window
        else:
            # When the last of them leaves the window is not known here: look again a tenth of the window later.
            answer = _Answer(State.YES, self._now + max(condition.within / 10, timedelta(seconds=1)))
        self._trace("count", answer, str(count), f"{condition.gte} within {format_duration(condition.within)}")
        return answer

    def _trace(self, name: str, answer: _Answer, got: str, wanted: str) -> None:
        self.traces.append(Trace(self._tier, name, answer.state, got, wanted, answer.due))


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
