"""Holds what Prometheus measured against what a condition or an objective asks for. Pure.

A number that is not known, or no longer, is never taken for no: the answer is then neither, and says why.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from incidents.facts import Fact, fact_id
from rules.conditions import BudgetRemaining, BurnRate, Compare, Query
from rules.durations import format_duration, parse_duration
from rules.promql import filled
from rules.questions import Measure, question_of, slo_name
from rules.slos import Slo, slo_named

_HOLDS: Mapping[Compare, Callable[[float, float], bool]] = {
    Compare.GTE: operator.ge,
    Compare.GT: operator.gt,
    Compare.LTE: operator.le,
    Compare.LT: operator.lt,
    Compare.EQ: operator.eq,
}
_SIGNS = {Compare.GTE: ">=", Compare.GT: ">", Compare.LTE: "<=", Compare.LT: "<", Compare.EQ: "=="}
_SECOND, _MINUTE, _HOUR, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Known(Protocol):
    """Where measures find SLOs and facts."""

    @property
    def slos(self) -> Mapping[str, Slo]:
        """The SLOs of the rule set by id."""

    def fact(self, name: str) -> Fact | None:
        """The last answer to a question, by its `fact_id`; None when it was never answered."""

    def want(self, promql: str) -> None:
        """Ask for a question to be asked for a while: its answer was looked for."""


class Measurement(NamedTuple):
    """What a measure came to: `holds` is None where it is not known, and `got` says what there was, or why."""

    holds: bool | None
    got: str
    value: float | None = None


def measure(asked: Measure, labels: Mapping[str, str], known: Known, now: datetime) -> Measurement:
    """Hold a measure against what is known at an instant."""
    slo = None
    if not isinstance(asked, Query):
        name = slo_name(asked.slo, labels)
        slo = slo_named(known.slos, name)
        if slo is None:
            return Measurement(None, f"there is no SLO {name[:60]!r}" if name else "the alert names no SLO")
    question = question_of(asked, known.slos, labels)
    known.want(question)
    fact = known.fact(fact_id(question))
    value, why = usable(fact, now)
    if value is None:
        return Measurement(None, _unknown(asked, slo, fact, why, now))
    value = _in_units(asked, slo, value)
    limit = asked.percent if isinstance(asked, BudgetRemaining) else asked.limit
    return Measurement(_HOLDS[asked.compare](value, limit), _written(asked, value), value)


def usable(fact: Fact | None, now: datetime) -> tuple[float | None, str]:
    """Return the value of a fact at an instant, or None and why it cannot be used."""
    if fact is None:
        return None, "not measured yet"
    if fact.value is None:
        return None, fact.why or "no value"
    if now > fact.stale_at:
        return None, fact.why if not fact.answered else "no news from Prometheus"
    return fact.value, ""


def wanted(asked: Measure) -> str:
    """Say what a measure asks for."""
    limit = f"{_number(asked.percent)}%" if isinstance(asked, BudgetRemaining) else _number(asked.limit)
    over = f" over {format_duration(asked.over)}" if isinstance(asked, BurnRate) else ""
    return f"{_SIGNS[asked.compare]} {limit}{over}"


def burn_rate(slo: Slo, ratio: float) -> float:
    """Return how many times faster than allowed the error budget burns at a ratio of errors."""
    return ratio / slo.budget


def budget_remaining(slo: Slo, ratio: float) -> float:
    """Return which part of the error budget is left, by the ratio of errors over the whole window; below 0: none."""
    return 1.0 - ratio / slo.budget


def exhausted_in(slo: Slo, remaining: float, rate: float) -> timedelta | None:
    """Return when the budget is gone if it goes on burning so fast; None when it does not burn, 0 when it is gone."""
    if remaining <= 0:
        return timedelta()
    seconds = remaining * slo.window.total_seconds() / rate if rate > 0 else float("inf")
    return timedelta(seconds=seconds) if seconds <= 10 * slo.window.total_seconds() else None


def span(duration: timedelta) -> str:
    """Write a duration for people, its two largest units: `3 h 10 m`, `2 d 4 h`, `12 min`."""
    days, rest = divmod(duration, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes = rest // _MINUTE
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} m" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{duration // _SECOND} s"


def to_params(asked: Measure, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return a measure as an incident keeps it, labels put in."""
    if isinstance(asked, Query):
        return {"promql": filled(asked.promql, labels), "compare": asked.compare.value, "limit": asked.limit}
    params: dict[str, Any] = {"slo": slo_name(asked.slo, labels), "compare": asked.compare.value}
    if isinstance(asked, BurnRate):
        return {**params, "over": format_duration(asked.over), "limit": asked.limit}
    return {**params, "limit": asked.percent}


def from_params(kind: str, params: Mapping[str, Any]) -> Measure | None:
    """Return the measure that an incident keeps; None for what this version does not know."""
    try:
        compare, limit = Compare(params["compare"]), float(params["limit"])
        if kind == "burn_rate":
            return BurnRate(params["slo"], parse_duration(params["over"]), compare, limit)
        if kind == "budget_remaining":
            return BudgetRemaining(params["slo"], compare, limit)
        return Query(params["promql"], compare, limit) if kind == "query" else None
    except (KeyError, ValueError, TypeError):
        return None


def _in_units(asked: Measure, slo: Slo | None, value: float) -> float:
    if slo is None:
        return value
    return 100 * budget_remaining(slo, value) if isinstance(asked, BudgetRemaining) else burn_rate(slo, value)


def _written(asked: Measure, value: float) -> str:
    return f"{_number(value)}%" if isinstance(asked, BudgetRemaining) else _number(value)


def _unknown(asked: Measure, slo: Slo | None, fact: Fact | None, why: str, now: datetime) -> str:
    if fact is None or fact.value is None:
        return f"cannot be measured: {why}"
    last = _written(asked, _in_units(asked, slo, fact.value))
    return f"cannot be measured: {why}; last known {last}, {span(now - fact.at)} ago"


def _number(value: float) -> str:
    return f"{value:.4g}"
