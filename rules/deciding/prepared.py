"""What holds for every batch under one rule set, worked out once: a batch must not pay for rules it does not meet."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from incidents.overrides import rules_of
from rules.evaluate import Verdict
from rules.index import Hit, Matched
from rules.model import RuleSet
from rules.teams import Teams

Match = Callable[[str, dict[str, str]], Matched]
Watch = Callable[[Hit, Verdict, datetime], None]  # told of every verdict: the tools of rules listen, deciding does not


class Prepared(NamedTuple):
    """A rule set with what was worked out of it; `match` says which rules match an alert, by its key and labels."""

    rule_set: RuleSet
    judged_by: str  # the hash of the rule files alone
    absorbs: bool
    teams: Teams
    match: Match
    watch: Watch | None


def prepare(rule_set: RuleSet, match: Match, watch: Watch | None) -> Prepared:
    """Work out what batches need of a rule set."""
    absorbs = any(rule.absorbs for rule in rule_set.rules)
    return Prepared(rule_set, rules_of(rule_set.hash), absorbs, Teams(rule_set.teams), match, watch)
