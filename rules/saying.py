"""Says a condition in words, with its numbers, for people who read rules and not their files. Pure."""

from rules.conditions import (
    All,
    Any,
    BudgetRemaining,
    BurnRate,
    Condition,
    Count,
    Distinct,
    Flaps,
    Match,
    None_,
    Query,
    name_of,
)
from rules.durations import format_duration
from rules.measuring import wanted


def said(condition: Condition) -> str:
    """Return a condition in words: `3 alerts within 5m`, `firing for 10m and burn rate of checkout >= 14 over 1h`."""
    match condition:
        case All() | Any() | None_():
            return _several(condition)
        case Match():
            return ", ".join(map(str, condition.matchers))
        case Count():
            return f"{condition.gte} alerts within {format_duration(condition.within)}"
        case Distinct():
            return f"{condition.gte} different {condition.label} within {format_duration(condition.within)}"
        case Flaps():
            return f"{condition.gte} changes within {format_duration(condition.within)}"
        case BurnRate() | BudgetRemaining():
            return f"{name_of(condition).replace('_', ' ')} of {condition.slo} {wanted(condition)}"
        case Query():
            return f"{condition.promql} {wanted(condition)}"
        case _:
            return f"{name_of(condition).replace('_', ' ')} {format_duration(condition.duration)}"


def _several(condition: All | Any | None_) -> str:
    parts = [f"({said(each)})" if isinstance(each, All | Any) else said(each) for each in condition.conditions]
    match condition:
        case All():
            return " and ".join(parts)
        case Any():
            return " or ".join(parts)
        case _:
            return f"none of: {'; '.join(parts)}"
