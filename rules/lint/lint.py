"""Warns of what is legal in a rule set and probably wrong: rules and tiers that never hold, names that nobody uses.

Rules of shipped packs are not looked at: who reads the warning cannot change them.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from rules.conditions import All, Condition, Match, flatten
from rules.lint.conditions import implies, never
from rules.lint.meanings import odd_conditions, odd_matchers
from rules.lint.oddities import odd
from rules.lint.places import Places
from rules.lint.ranges import impossible
from rules.lint.shadowed import shadowed
from rules.lint.teams import never_chosen
from rules.loading.nodes import Node, Problem, problem_at
from rules.loading.sections import PACK_PREFIX, SourceFile
from rules.matchers import Matcher, Op
from rules.model import Mode, Rule, RuleSet, Tier


def lint(files: Sequence[SourceFile], rule_set: RuleSet) -> list[Problem]:
    """Return the warnings about a rule set that was loaded from these files."""
    places = Places(files)
    rules = [rule for rule in rule_set.rules if not rule.file.startswith(PACK_PREFIX) and places.has(rule)]
    found: list[Problem] = []
    for rule in rules:
        found += _of_rule(rule, rule_set, places)
    found += _same_but_for_case(rules, places)
    found += _labels_but_for_case(rules, places)
    found += _absorb_each_other(rules, places)
    found += [
        _warn(places.rule(rule), "W321", f"whenever this rule holds, {other.id} holds and does as much", "remove it")
        for rule, other in shadowed([rule for rule in rules if not impossible(rule.matchers)])
    ]
    for team, message, hint in never_chosen(rule_set.teams):
        if (node := places.team(team)) is not None:
            found.append(_warn(node, "W337", message, hint))
    return found


def _of_rule(rule: Rule, rule_set: RuleSet, places: Places) -> Iterator[Problem]:
    why = impossible(rule.matchers)
    if why:
        yield _warn(places.of(rule, "match"), "W322", f"the rule never holds: {why}")
        return
    yield from _replaced(rule, rule_set, places)
    for matcher in _matchers(rule):
        if strange := odd(matcher):
            yield _warn(places.matcher(rule, matcher), "W333", *strange)
    for one in (*odd_matchers(rule, tuple(_matchers(rule)), rule_set), *odd_conditions(rule, rule_set)):
        node = places.tier(rule, one.where) if isinstance(one.where, Tier) else places.matcher(rule, one.where)
        yield _warn(node, one.code, one.message, one.hint)
    for place, tier in enumerate(rule.tiers):
        yield from _of_tier(rule, tier, rule.tiers[:place], places)


def _of_tier(rule: Rule, tier: Tier, above: Sequence[Tier], places: Places) -> Iterator[Problem]:
    node = places.tier(rule, tier)
    name = f"tier {tier.index}" if len(rule.tiers) > 1 else "the rule"
    why = never(tier.condition, rule.matchers)
    if why:
        yield _warn(node, "W322", f"{name} never holds: {why}")
        return
    given = _given(rule, tier)
    for other in above:
        if other.condition is None or other.condition == tier.condition:
            continue  # the loader has said so
        if given is not None and implies(given, other.condition):
            message = f"tier {tier.index} is never reached: whenever it holds, tier {other.index} holds too"
            yield _warn(node, "W302", message, "put the narrower tier above")
            return
        if tier.declare and other.declare and tier.declare < other.declare and not _exclude(rule, tier, other):
            message = f"tier {tier.index} declares {tier.declare}, and is not reached where tier {other.index} holds"
            yield _warn(node, "W323", message, "put the gravest tier first")
            return


def _given(rule: Rule, tier: Tier) -> Condition | None:
    """Return everything that holds when a tier does, as one condition."""
    parts = [*([Match(rule.matchers)] if rule.matchers else []), *([tier.condition] if tier.condition else [])]
    return All(tuple(parts)) if parts else None


def _exclude(rule: Rule, tier: Tier, other: Tier) -> bool:
    both = tuple(each for each in (tier.condition, other.condition) if each is not None)
    return bool(never(All(both), rule.matchers))


def _replaced(rule: Rule, rule_set: RuleSet, places: Places) -> Iterator[Problem]:
    """Warn of matchers on labels that `normalize` makes others of, or whose own value it never takes."""
    for matcher in _matchers(rule):
        if matcher.name in rule_set.normalize:
            sources = rule_set.normalize[matcher.name]
            if matcher.name not in sources:
                message = f"normalize replaces the label {matcher.name} by that of {', '.join(sources)}"
                hint = f"to keep the alert's own, put {matcher.name} first in its list"
                yield _warn(places.matcher(rule, matcher), "W324", message, hint)
        elif matcher.op in {Op.EQUAL, Op.MATCHES} and (target := _made_of(matcher, rule_set)):
            message = f"normalize makes {target} of the label {matcher.name}, so this misses what other senders call it"
            yield _warn(places.matcher(rule, matcher), "W324", message, f"match {target}")


def _matchers(rule: Rule) -> Iterable[Matcher]:
    """Return every matcher of a rule and of its conditions, each once."""
    conditions = [each for tier in rule.tiers for each in flatten(tier.condition) if isinstance(each, Match)]
    return dict.fromkeys([*rule.matchers, *(matcher for each in conditions for matcher in each.matchers)])


def _made_of(matcher: Matcher, rule_set: RuleSet) -> str:
    return next((name for name, sources in rule_set.normalize.items() if matcher.name in sources), "")


def _same_but_for_case(rules: Sequence[Rule], places: Places) -> Iterator[Problem]:
    seen: dict[str, Rule] = {}
    for rule in rules:
        other = seen.setdefault(rule.id.lower(), rule)
        if other is not rule:
            message = f"the rules {rule.id} and {other.id} ({other.file}:{other.line}) differ in case only"
            yield _warn(places.of(rule, "id"), "W325", message, "rename one of them")


def _labels_but_for_case(rules: Sequence[Rule], places: Places) -> Iterator[Problem]:
    """Warn of labels that one rule alone writes otherwise than several do: senders hardly have both."""
    writers: dict[str, dict[str, list[Rule]]] = {}
    for rule in rules:
        for name in dict.fromkeys([*rule.identity, *(matcher.name for matcher in _matchers(rule))]):
            writers.setdefault(name.lower(), {}).setdefault(name, []).append(rule)
    for spellings in writers.values():
        usual = max(spellings, key=lambda name: len(spellings[name]))
        for name, users in spellings.items() if len(spellings) > 1 else ():
            if name != usual and len(users) == 1 and len(spellings[usual]) > 1:
                message = f"the label {name} differs from {usual}, which other rules name, in case only"
                matcher = next((each for each in _matchers(users[0]) if each.name == name), None)
                node = places.of(users[0], "identity") if matcher is None else places.matcher(users[0], matcher)
                yield _warn(node, "W325", message, f"write {usual}")


def _absorb_each_other(rules: Sequence[Rule], places: Places) -> Iterator[Problem]:
    storms = [rule for rule in rules if rule.mode is not Mode.OFF and any(tier.absorb for tier in rule.tiers)]
    for one, other in combinations(storms[:100], 2):
        if set(one.identity) != set(other.identity) and not impossible([*one.matchers, *other.matchers]):
            message = f"{other.id} and {one.id} absorb each other's findings: what comes first takes the other in"
            hint = "let one of them absorb, or give both one identity"
            yield _warn(places.of(other, "absorb"), "W326", message, hint)


def _warn(node: Node, code: str, message: str, hint: str = "") -> Problem:
    return problem_at(node, code, message, hint, severity="warning")
