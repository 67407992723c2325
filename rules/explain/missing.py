"""What does not match, and by how much a condition misses. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from incidents.journal.lines import Answer
from rules.durations import format_duration
from rules.explain.values import ConditionTold, RuleMissed
from rules.index import SILENT_ALERTS, Matching
from rules.matchers import Matcher, test_of
from rules.model import Mode, Rule, RuleSet, Subject

OF_SO_MANY = frozenset({"count", "distinct", "flaps"})
OF_TIME = {
    "firing_for": "firing for",
    "worked_for": "worked on for",
    "open_for": "open for",
    "unacknowledged_for": "unacknowledged for",
    "absent_for": "",
}


def told_of(answer: Answer, now: datetime) -> ConditionTold:
    """Return the answer of a condition with what is missing, in words."""
    return ConditionTold(
        tier=answer.tier,
        condition=answer.condition,
        state=answer.state,
        got=answer.got,
        wanted=answer.wanted,
        missing=_missing(answer, now) if answer.state != "yes" else "",
        due=answer.due,
    )


def _missing(answer: Answer, now: datetime) -> str:
    if answer.state == "unknown":
        return f"{answer.condition} {answer.got or 'is not known'}"  # what it got says that it cannot be measured
    if answer.condition in OF_SO_MANY:
        return f"{answer.got} of {answer.wanted}"
    if answer.condition in OF_TIME:
        said = f"{OF_TIME[answer.condition]} {answer.got} of {answer.wanted}".strip()
        return f"{said}{_when(answer.due, now)}"
    return f"{answer.got}, wanted {answer.wanted}"


def _when(due: datetime | None, now: datetime) -> str:
    if due is None:
        return ""
    if due <= now:
        return f"; due at {due:%H:%M:%S}Z"
    later = format_duration(timedelta(seconds=max(round((due - now).total_seconds()), 1)))
    return f"; due at {due:%H:%M:%S}Z, {later} later, if it goes on"


def normalized(rule_set: RuleSet, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that rules see otherwise than they were written."""
    seen = Matching(rule_set).match(labels).labels
    return {name: value for name, value in seen.items() if labels.get(name) != value}


def misses_of(
    rule_set: RuleSet, labels: Mapping[str, str], matched: Sequence[str], subject: Subject = Subject.ALERT
) -> tuple[RuleMissed, ...]:
    """Return the rules that do not match labels as rules see them, the nearest first; `matched` are the ids of others.

    Rules that look at something else are left out, for nothing could make them match.
    """
    known = frozenset(matched)
    rules = [rule for rule in rule_set.rules if rule.on is subject and rule.id not in known]
    if subject is Subject.ALERT and labels.get("alertname") in SILENT_ALERTS:
        why = f"{labels['alertname']} is a signal of monitoring itself: no rule looks at it"
        return tuple(RuleMissed(rule=rule.id, why=why) for rule in rules)
    found = [_missed(rule, labels) for rule in rules]
    return tuple(sorted(found, key=lambda missed: missed.misses))


def _missed(rule: Rule, labels: Mapping[str, str]) -> RuleMissed:
    failing = [each for each in rule.matchers if not test_of(each)(labels.get(each.name, ""))]
    if rule.mode is Mode.OFF:
        return RuleMissed(rule=rule.id, why="it is off (mode: off)", misses=len(failing))
    if not failing:
        return RuleMissed(rule=rule.id, why="its matchers hold, and it was not asked")
    return RuleMissed(rule=rule.id, why="; ".join(_why(each, labels) for each in failing[:2]), misses=len(failing))


def _why(matcher: Matcher, labels: Mapping[str, str]) -> str:
    value = labels.get(matcher.name, "")
    is_so = f"{matcher.name} is {value[:80]!r}" if value else f"there is no {matcher.name}"
    return f"{matcher} misses: {is_so}"
