"""Holds a rule against what there is to match: fields of incidents, heartbeats, SLOs, what can be counted. Pure.

Whatever is not known for sure is left alone: a warning that is wrong teaches people to overlook them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from incidents.teams import DEFAULT_TEAM
from incidents.values import OPEN_STATUSES, Criterion, Severity
from rules.conditions import AbsentFor, BudgetRemaining, BurnRate, Compare, Condition, Count, Distinct, Match, flatten
from rules.durations import format_duration
from rules.index import SILENT_ALERTS
from rules.loading.mends import did_you_mean
from rules.matchers import Matcher, Op, literals_of, matches, test_of
from rules.model import Rule, RuleSet, Subject, Tier
from rules.slos import slo_named

_FIELDS = ("id", "title", "status", "severity", "criterion", "rule", "team", "incident_commander")
_OF_ACTIONS = ("kind", "service", "actor")
_LIKE = {"action": "kind", "type": "kind", "by": "actor", "user": "actor", "priority": "severity", "sev": "severity"}
_POSITIVE = frozenset({Op.EQUAL, Op.MATCHES})
_ABOVE = frozenset({Compare.GTE, Compare.GT, Compare.EQ})


class Odd(NamedTuple):
    """What is probably wrong with a matcher of a rule, or with a condition of a tier (None: with the rule)."""

    where: Matcher | Tier
    code: str
    message: str
    hint: str = ""


def odd_matchers(rule: Rule, matchers: Sequence[Matcher], rule_set: RuleSet) -> Iterator[Odd]:
    """Give the matchers of a rule that nothing which it looks at can fulfil."""
    for matcher in matchers:
        if matcher.op not in _POSITIVE or not matcher.value:
            continue
        match rule.on:
            case Subject.ALERT:
                yield from _silent(matcher)
            case Subject.INCIDENT:
                yield from _of_incident(matcher, rule_set)
            case Subject.ACTION:
                yield from _named(matcher, "action", _OF_ACTIONS, rule_set)
            case Subject.HEARTBEAT:
                yield from _of_heartbeat(matcher, rule_set)


def _silent(matcher: Matcher) -> Iterator[Odd]:
    values = sorted(literals_of(matcher) or ()) if matcher.name == "alertname" else []
    if values and set(values) <= SILENT_ALERTS:
        said = f"{' and '.join(values)} is a signal of monitoring itself, and never matches a rule on alerts"
        yield Odd(
            matcher, "W322", said, "for its absence, list it under heartbeats and write a rule with on: heartbeat"
        )


def _of_incident(matcher: Matcher, rule_set: RuleSet) -> Iterator[Odd]:
    known = {
        "severity": [each.value for each in Severity],
        "status": sorted(each.value for each in OPEN_STATUSES),
        "criterion": [each.value for each in Criterion],
        "team": [*(team.team for team in rule_set.teams), DEFAULT_TEAM],
    }.get(matcher.name)
    if known is None:
        yield from _named(matcher, "incident", _FIELDS, rule_set)
    elif not any(map(test_of(matcher), known)):
        said = f"no open incident has {matcher}: its {matcher.name} is one of {', '.join(known[:20])}"
        yield Odd(matcher, "W322", said, did_you_mean(matcher.value, known))


def _named(matcher: Matcher, what: str, fields: Sequence[str], rule_set: RuleSet) -> Iterator[Odd]:
    """Look at the name of a label: one that is much like a field and is no label of any identity is a slip."""
    labels = {name for rule in rule_set.every_rule for name in rule.identity} if what == "incident" else set()
    if matcher.name in fields or matcher.name in labels:
        return
    like = _LIKE.get(matcher.name, "")
    meant = f"did you mean {like!r}?" if like in fields else did_you_mean(matcher.name, fields)
    if meant:
        yield Odd(matcher, "W335", f"an {what} has no {matcher.name!r}; it has {', '.join(fields)}", meant)


def _of_heartbeat(matcher: Matcher, rule_set: RuleSet) -> Iterator[Odd]:
    known = [heartbeat.id for heartbeat in rule_set.heartbeats]
    names = sorted(literals_of(matcher) or ()) if matcher.name == "heartbeat" else []
    # A Watchdog that nobody listed is called so once it was heard.
    if names and not any(name in known or name.startswith("watchdog-") for name in names):
        said = f"there is no heartbeat {' or '.join(names[:20])}"
        hint = did_you_mean(names[0], known) or f"defined: {', '.join(known[:20]) or 'none'}"
        yield Odd(matcher, "W322", said, hint)


def odd_conditions(rule: Rule, rule_set: RuleSet) -> Iterator[Odd]:
    """Give the tiers of a rule that ask for what never comes, or for what is always there."""
    for tier in rule.tiers:
        asked = flatten(tier.condition)
        for condition in asked:
            given = [*rule.matchers, *(each for one in asked if isinstance(one, Match) for each in one.matchers)]
            yield from _odd_condition(rule, tier, condition, given, rule_set)


def _odd_condition(
    rule: Rule, tier: Tier, condition: Condition, given: Sequence[Matcher], rule_set: RuleSet
) -> Iterator[Odd]:
    match condition:
        case Count(gte=1) | Distinct(gte=1):
            said = "one alert is always there when the rule is asked, so this always holds"
            yield Odd(tier, "W338", said, "ask for more, or leave it out")
        case Distinct():
            yield from _never_different(rule, tier, condition, given)
        case BurnRate():
            yield from _too_fast(tier, condition, rule_set)
        case BudgetRemaining(percent=percent) if 0 < percent < 1:
            yield Odd(
                tier, "W334", f"the budget is in percent, and this says {percent:g} %", f"write {percent * 100:g}%"
            )
        case AbsentFor():
            yield from _too_soon(rule, tier, condition, rule_set)


def _never_different(rule: Rule, tier: Tier, condition: Distinct, given: Sequence[Matcher]) -> Iterator[Odd]:
    name = condition.label
    if name in rule.identity:
        said = f"never holds: {name} is in the identity, so all alerts that are counted together have the same {name}"
        yield Odd(tier, "W322", said, f"take {name} out of the identity")
        return
    values = [found for each in given if each.name == name and (found := literals_of(each)) is not None]
    fewest = min(values, key=len, default=None)
    if fewest is not None and len(fewest) < condition.gte:
        said = (
            f"never holds: {condition.gte} different values of {name} are wanted, and the matchers leave {len(fewest)}"
        )
        yield Odd(tier, "W322", said, "ask for fewer, or match more")


def _too_fast(tier: Tier, condition: BurnRate, rule_set: RuleSet) -> Iterator[Odd]:
    slo = slo_named(rule_set.slos, condition.slo)
    if slo is None or condition.compare not in _ABOVE:
        return
    most = 1 / slo.budget
    if condition.limit > most * (1 + 1e-9):
        said = f"never holds: when everything fails, the budget of {slo.id} burns {most:g} times as fast as it may"
        yield Odd(tier, "W322", said, "ask for less")


def _too_soon(rule: Rule, tier: Tier, condition: AbsentFor, rule_set: RuleSet) -> Iterator[Odd]:
    for heartbeat in rule_set.heartbeats:
        labels: Mapping[str, str] = {
            **{each.name: each.value for each in heartbeat.matchers if each.op is Op.EQUAL},
            "heartbeat": heartbeat.id,
        }
        if condition.duration <= heartbeat.expect_every and matches(rule.matchers, labels):
            every = format_duration(heartbeat.expect_every)
            said = (
                f"{heartbeat.id} comes every {every}: to be silent for {format_duration(condition.duration)} is usual"
            )
            yield Odd(
                tier,
                "W336",
                said,
                f"wait for two or three beats, such as {format_duration(3 * heartbeat.expect_every)}",
            )
            return
