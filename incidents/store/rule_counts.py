"""What rules came to so far, as the commits counted it."""

from collections.abc import Sequence
from typing import NamedTuple

from incidents import keys
from incidents.measures import Measures
from incidents.store.connection import Links


class RuleCounts(NamedTuple):
    """How often a rule that matched came to each outcome, and how often judging it raised an error."""

    outcomes: dict[str, int]
    errors: int


def rule_counts(links: Links, rules: Sequence[str], outcomes: Sequence[str]) -> dict[str, RuleCounts]:
    """Return the counts of rules by their ids; what was never counted is left out. Raises `StoreUnavailable`."""
    if not rules:
        return {}
    fields = [
        field
        for rule in rules
        for field in (
            *(Measures.RULE_DECISIONS.field(rule, each) for each in outcomes),
            Measures.RULE_ERRORS.field(rule),
        )
    ]
    with links.borrow() as link:
        values = [int(value or 0) for value in link.one("HMGET", keys.counters(), *fields)]
    width = len(outcomes) + 1
    rows = (values[start : start + width] for start in range(0, len(values), width))
    return {
        rule: RuleCounts({name: count for name, count in zip(outcomes, row, strict=False) if count}, row[-1])
        for rule, row in zip(rules, rows, strict=True)
    }
