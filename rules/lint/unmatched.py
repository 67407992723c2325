"""Finds rules that none of the alerts of the past has matched: of labels and values that nobody sends."""

from collections.abc import Iterable, Mapping, Sequence

from rules.index import Matching
from rules.lint.places import Places
from rules.loading.nodes import Problem, problem_at
from rules.loading.sections import PACK_PREFIX, SourceFile
from rules.model import Mode, RuleSet, Subject


def unmatched(files: Sequence[SourceFile], rule_set: RuleSet, seen: Iterable[Mapping[str, str]]) -> list[Problem]:
    """Return a warning for each rule on alerts that matches none of these label sets; it stops when all have matched.

    Rules that rest and those of shipped packs are left out. Where nothing was seen, nothing is said.
    """
    places = Places(files)
    rules = {
        rule.id: rule
        for rule in rule_set.rules
        if rule.on is Subject.ALERT and rule.mode is not Mode.OFF and not rule.slo and places.has(rule)
        if not rule.file.startswith(PACK_PREFIX)
    }
    matching = Matching(rule_set)
    left, looked_at = set(rules), 0
    for labels in seen:
        looked_at += 1
        left.difference_update(hit.rule.id for hit in matching.match(labels).hits)
        if not left:
            break
    if not looked_at:
        return []
    alerts = f"the {looked_at:,} alerts" if looked_at > 1 else "the one alert"
    found = []
    for name, rule in rules.items():
        if name in left:
            message = f"none of {alerts} in the journal matches this rule"
            hint = "look at the names and values of its labels"
            node = places.of(rule, "match")
            found.append(problem_at(node, "W328", message, hint, severity="warning"))
    return found
