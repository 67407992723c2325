"""Holds a hit against the tiers of its rule: what holds, what only time is missing for, what cannot be measured. Pure.

Every condition answers with yes, no or unknown (three-valued: a `no` beside an unknown is still `no`), with what it got
and what it wanted, and with the earliest instant at which passing time alone could change the answer.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from incidents.snapshot import Need
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
)
from rules.index import Hit
from rules.matchers import test_of
from rules.measuring import measure
from rules.model import Mode, Tier
from rules.verdicts import MAX_REASON, Counted, Facts, Outcome, State, Trace, Verdict

__all__ = ["MAX_REASON", "Facts", "Outcome", "State", "Trace", "Verdict", "evaluate", "evaluate_safely"]

_NOTHING = timedelta(0)
Lasting = FiringFor | WorkedFor | OpenFor | UnacknowledgedFor | AbsentFor


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
        self._turned = 0  # how many `none` stand around

    def tier(self, tier: Tier) -> _Answer:
        """Answer a tier; one without a condition holds."""
        self._tier = tier.index
        return _YES if tier.condition is None else self._answer(tier.condition)

    def _answer(self, condition: Condition) -> _Answer:
        match condition:
            case Match():
                return self._match(condition)
            case FiringFor() | WorkedFor() | OpenFor() | UnacknowledgedFor() | AbsentFor():
                return self._lasts(condition)
            case Count() | Distinct() | Flaps():
                return self._counts(condition)
            case BurnRate() | BudgetRemaining() | Query():
                return self._measure(condition)
            case All():
                return _all([self._answer(each) for each in condition.conditions])
            case Any():
                return _any([self._answer(each) for each in condition.conditions])
            case None_():
                return self._none(condition)

    def _none(self, condition: None_) -> _Answer:
        """Turn the answers round; only here it matters when what holds now will hold no longer."""
        self._turned += 1
        found = _any([self._answer(each) for each in condition.conditions])
        self._turned -= 1
        return _Answer(_OPPOSITE[found.state], found.due)

    def _match(self, condition: Match) -> _Answer:
        for matcher in condition.matchers:
            value = self._labels.get(matcher.name, "")
            if not test_of(matcher)(value):
                self.traces.append(Trace(self._tier, condition, State.NO, None, None, (matcher, value)))
                return _NO
        self.traces.append(Trace(self._tier, condition, State.YES, None))
        return _YES

    def _lasts(self, condition: Lasting) -> _Answer:
        since = self._since(condition)
        if since is None:
            # A heartbeat that nobody knows of is not known to be there; everything else has just not begun.
            answer = _UNKNOWN if isinstance(condition, AbsentFor) else _NO
            self.traces.append(Trace(self._tier, condition, answer.state, None))
            return answer
        due = since + condition.duration
        answer = _YES if due <= self._now else _Answer(State.NO, due)
        span = max(self._now - since, _NOTHING)
        self.traces.append(Trace(self._tier, condition, answer.state, answer.due, span))
        return answer

    def _since(self, condition: Lasting) -> datetime | None:
        facts = self._facts
        match condition:
            case FiringFor():
                return facts.firing_since
            case WorkedFor():
                return facts.touched_at
            case AbsentFor():
                return facts.silent_since
        incident = facts.incident
        if incident is None or (isinstance(condition, UnacknowledgedFor) and incident.acknowledged_at is not None):
            return None
        return incident.opened_at

    def _measure(self, condition: BurnRate | BudgetRemaining | Query) -> _Answer:
        found = measure(condition, self._labels, self._facts, self._now)
        answer = _MEASURED[found.holds]
        self.traces.append(Trace(self._tier, condition, answer.state, None, found))
        return answer

    def _counts(self, condition: Counted) -> _Answer:
        match condition:
            case Count():
                number = self._facts.count(condition.within)
            case Distinct():
                number = self._facts.distinct(condition.label, condition.within)
            case Flaps():
                number = self._facts.flaps(condition.within)
        if number < condition.gte:
            answer = _NO
        else:
            answer = _Answer(State.YES, self._facts.leaves(condition)) if self._turned else _YES
        self.traces.append(Trace(self._tier, condition, answer.state, answer.due, number))
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
