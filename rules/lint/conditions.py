"""Which condition holds whenever another does, and which never holds: as far as can be known from the rule. Pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rules.conditions import (
    AbsentFor,
    All,
    Any,
    BudgetRemaining,
    BurnRate,
    Compare,
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
from rules.lint.ranges import implied, impossible
from rules.matchers import Matcher

_DURATIONS = FiringFor | WorkedFor | OpenFor | UnacknowledgedFor | AbsentFor
_MEASURED = BurnRate | BudgetRemaining | Query
_RISING = frozenset({Compare.GTE, Compare.GT})
_FALLING = frozenset({Compare.LTE, Compare.LT})


def implies(given: Condition, wanted: Condition | None) -> bool:
    """Tell whether `wanted` holds whenever `given` does."""
    if wanted is None or given == wanted:
        return True
    if isinstance(wanted, All):
        return all(implies(given, each) for each in wanted.conditions)
    if isinstance(given, Any):
        return all(implies(each, wanted) for each in given.conditions)
    if isinstance(wanted, Any) and any(implies(given, each) for each in wanted.conditions):
        return True
    if isinstance(given, All):
        return _matched(list(given.conditions), wanted) or any(implies(each, wanted) for each in given.conditions)
    if isinstance(given, None_) and isinstance(wanted, None_):
        return all(any(implies(each, ruled_out) for ruled_out in given.conditions) for each in wanted.conditions)
    return _atom_implies(given, wanted)


def _matched(given: list[Condition], wanted: Condition) -> bool:
    """Tell whether the matchers of several conditions together imply a `match`."""
    if not isinstance(wanted, Match):
        return False
    matchers = [matcher for each in given if isinstance(each, Match) for matcher in each.matchers]
    return all(implied(matcher, matchers) for matcher in wanted.matchers)


def _atom_implies(given: Condition, wanted: Condition) -> bool:
    if isinstance(given, Match) and isinstance(wanted, Match):
        return all(implied(matcher, given.matchers) for matcher in wanted.matchers)
    if type(given) is not type(wanted):
        return False
    if isinstance(given, _DURATIONS) and isinstance(wanted, _DURATIONS):
        return given.duration >= wanted.duration
    if isinstance(given, Count | Flaps) and isinstance(wanted, Count | Flaps):
        return _window(given) >= _window(wanted) and given.within <= wanted.within
    if isinstance(given, Distinct) and isinstance(wanted, Distinct):
        return given.label == wanted.label and given.gte >= wanted.gte and given.within <= wanted.within
    return isinstance(given, _MEASURED) and isinstance(wanted, _MEASURED) and _measured_implies(given, wanted)


def _window(condition: Count | Flaps) -> int:
    return condition.gte


def _measured_implies(given: _MEASURED, wanted: _MEASURED) -> bool:
    if _asked(given) != _asked(wanted):
        return False
    have, want = _limit(given), _limit(wanted)
    if {given.compare, wanted.compare} <= _RISING:
        return have > want or (have == want and given.compare is Compare.GT)
    return {given.compare, wanted.compare} <= _FALLING and (
        have < want or (have == want and given.compare is Compare.LT)
    )


def _asked(condition: _MEASURED) -> tuple[str, timedelta | None]:
    if isinstance(condition, Query):
        return condition.promql, None
    return condition.slo, condition.over if isinstance(condition, BurnRate) else None


def _limit(condition: _MEASURED) -> float:
    return condition.percent if isinstance(condition, BudgetRemaining) else condition.limit


def never(condition: Condition | None, matchers: Sequence[Matcher]) -> str:
    """Say why a condition never holds where these matchers do, or "" when it can."""
    found = list(_demanded(condition))
    asked = [matcher for each in found if isinstance(each, Match) for matcher in each.matchers]
    if why := impossible([*matchers, *asked]):
        return why
    for each in found:
        if isinstance(each, Any):
            reasons = [never(one, matchers) for one in each.conditions]
            if all(reasons):
                return reasons[0]
        if isinstance(each, None_) and (why := _ruled_out(each, matchers, found)):
            return why
    return ""


def _demanded(condition: Condition | None) -> Iterator[Condition]:
    """Give everything that must hold for a condition to hold."""
    if isinstance(condition, All):
        for each in condition.conditions:
            yield from _demanded(each)
    elif condition is not None:
        yield condition


def _ruled_out(condition: None_, matchers: Sequence[Matcher], demanded: Sequence[Condition]) -> str:
    given = [*([Match(tuple(matchers))] if matchers else []), *(each for each in demanded if each is not condition)]
    if not given:
        return ""
    together = All(tuple(given))
    hit = next((each for each in condition.conditions if implies(together, each)), None)
    return "" if hit is None else "none holds what the rule itself asks for"
