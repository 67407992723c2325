"""Finds rules that add nothing beside another: whenever they hold, that one holds for the same identity. Pure."""

from collections.abc import Iterator, Sequence

from rules.conditions import All, Condition, Match
from rules.lint.conditions import implies
from rules.lint.ranges import implied
from rules.matchers import Matcher, Op
from rules.model import Mode, Rule, Tier

# So many pairs are looked at: enough for thousands of rules, and bounded for tens of thousands.
MAX_PAIRS = 50_000


def shadowed(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Give each rule that adds nothing with the one that does as much; of two that say the same, the later."""
    candidates: dict[tuple[object, Matcher | None], list[Rule]] = {}
    acting = [rule for rule in rules if rule.mode is Mode.ENFORCE]
    for rule in acting:
        candidates.setdefault((_kin(rule), next(iter(_equals(rule)), None)), []).append(rule)
    pairs = 0
    hidden: set[str] = set()
    for rule in acting:
        for matcher in (None, *_equals(rule)):
            for other in candidates.get((_kin(rule), matcher), ()):
                pairs += 1
                if pairs > MAX_PAIRS:
                    return
                if other.id not in hidden and rule is not other and _adds_nothing(rule, other):
                    hidden.add(rule.id)
                    yield rule, other
                    break
            if rule.id in hidden:
                break


def _kin(rule: Rule) -> object:
    return (rule.on, rule.criterion, rule.identity)


def _equals(rule: Rule) -> list[Matcher]:
    return [matcher for matcher in rule.matchers if matcher.op is Op.EQUAL]


def _adds_nothing(rule: Rule, other: Rule) -> bool:
    if not all(implied(matcher, rule.matchers) for matcher in other.matchers):
        return False
    if len(other.tiers) == 1:
        return all(_does_less(tier, other.tiers[0]) and _holds_with(rule, tier, other.tiers[0]) for tier in rule.tiers)
    return len(rule.tiers) == len(other.tiers) and all(
        tier.condition == above.condition and _does_less(tier, above)
        for tier, above in zip(rule.tiers, other.tiers, strict=True)
    )


def _holds_with(rule: Rule, tier: Tier, above: Tier) -> bool:
    parts: list[Condition] = [Match(rule.matchers)] if rule.matchers else []
    parts += [tier.condition] if tier.condition else []
    return implies(All(tuple(parts)), above.condition) if parts else above.condition is None


def _does_less(tier: Tier, above: Tier) -> bool:
    """Tell whether one tier does nothing that the other does not do as well; titles do not count."""
    if tier.declare is not None and (above.declare is None or tier.declare < above.declare):
        return False
    names = ("escalate_by", "page", "assign", "attach_only", "absorb", "stakeholders", "objectives", "restricted")
    return all(getattr(tier, name) in {getattr(above, name), getattr(Tier(index=1), name)} for name in names)
