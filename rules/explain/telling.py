"""Writes explanations in words, as lines that are read at three in the morning: what happened, then why. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rules.durations import format_duration
from rules.explain.values import Basis, ConditionTold, Explanation, RuleTold

NEAREST = 5
HEADINGS = {
    Basis.RECORDED: "as it was decided",
    Basis.NOW: "as of now",
    Basis.PASTED: "as pasted",
}
SHORT = frozenset({"waits", "fails", "unknown"})
MARKS = {"yes": "yes", "no": "no ", "unknown": "?  "}


def told(explanation: Explanation, *, every_miss: bool = False) -> Iterator[str]:
    """Yield the lines of one explanation; `every_miss` lists all rules that do not match, not only the nearest."""
    yield from _head(explanation)
    for note in explanation.notes:
        yield f"  note: {note}"
    if explanation.error:
        yield f"  went to quarantine: {explanation.error}"
    for one in explanation.happened:
        entries = ", ".join(_counted(one.entries)) or "nothing new on its timeline"
        paged = f"; paged {', '.join(dict.fromkeys(one.paged))}" if one.paged else ""
        yield f"  {one.incident}: {entries}{paged}"
    if not explanation.happened and explanation.became in {"fired", "judged_anew", ""}:
        yield "  no incident came of it" if explanation.basis is not Basis.PASTED else "  no incident comes of it now"
    for rule in explanation.rules:
        yield from _rule(rule)
    yield from _misses(explanation, every_miss=every_miss)
    if explanation.ahead:
        yield "  if it goes on, and nobody does anything:"
        for ahead in explanation.ahead:
            yield f"    {_instant(ahead.at)}  {_later(ahead.at, explanation.at)}: {ahead.text}"
    yield from _rules_line(explanation)


def _head(explanation: Explanation) -> Iterator[str]:
    source = f" from {explanation.source}" if explanation.source else ""
    became = f": {explanation.became.replace('_', ' ')}" if explanation.became else ""
    when = f"{HEADINGS[explanation.basis]}, {_instant(explanation.at)}"
    yield f"{explanation.kind} {explanation.id}{source}{became} ({when})"
    if explanation.labels:
        yield "  " + " ".join(f'{name}="{value}"' for name, value in explanation.labels.items())
    if explanation.normalized:
        pairs = " ".join(f'{name}="{value}"' for name, value in explanation.normalized.items())
        yield f"  rules see it with {pairs} (normalize)"
    received = explanation.received_at
    if explanation.basis is Basis.RECORDED and received is not None:
        yield f"  received {_instant(received)}, decided {_span(explanation.at - received)} later"
    elif received is not None:
        yield f"  firing since {_instant(received)}, for {_span(explanation.at - received)}"


def _rule(rule: RuleTold) -> Iterator[str]:
    tier = f", tier {rule.tier} of {rule.tiers}" if rule.tier and rule.tiers > 1 else ""
    severity = f" {rule.severity}" if rule.severity else ""
    # What is missing stands with the conditions.
    result = rule.result.partition(":")[0] if rule.outcome in SHORT and rule.conditions else rule.result
    until = f" until {rule.due:%H:%M:%S}Z" if rule.outcome == "waits" and rule.due else ""
    holds = f" ({rule.outcome}{tier}{severity})" if rule.outcome not in SHORT else ""
    yield f"  {rule.rule}{holds}: {result}{until}"
    for condition in rule.conditions:
        yield f"    {_condition(condition, several=rule.tiers > 1)}"
    if rule.tier and rule.tier < rule.tiers:
        below = f"tier {rule.tiers}" if rule.tiers == rule.tier + 1 else f"tiers {rule.tier + 1} to {rule.tiers}"
        yield f"    tier {rule.tier} holds, so {below} {'was' if rule.tiers == rule.tier + 1 else 'were'} not asked"


def _condition(condition: ConditionTold, *, several: bool) -> str:
    tier = f"tier {condition.tier} " if several else ""
    if condition.state == "yes":
        return f"{MARKS['yes']}  {tier}{condition.condition}: {condition.got}, wanted {condition.wanted}"
    return f"{MARKS.get(condition.state, '?  ')}  {tier}{condition.condition}: {condition.missing}"


def _misses(explanation: Explanation, *, every_miss: bool) -> Iterator[str]:
    missed = explanation.missed
    if not missed:
        return
    shown = missed if every_miss else missed[:NEAREST]
    rules = f"{len(missed)} rule{'' if len(missed) == 1 else 's'}"
    nearest = "" if len(shown) == len(missed) else ", the nearest are"
    yield f"  {rules} did not match{nearest}:"
    for each in shown:
        more = f" (and {each.misses - 2} more)" if each.misses > 2 else ""
        yield f"    {each.rule}: {each.why}{more}"


def _rules_line(explanation: Explanation) -> Iterator[str]:
    if not explanation.rules_hash or explanation.basis is Basis.PASTED:
        return
    if explanation.rules_changed is None:
        yield f"  decided by the rules {explanation.rules_hash}"
    elif explanation.rules_changed:
        yield f"  decided by the rules {explanation.rules_hash}; others are in force now"
    else:
        yield f"  by the rules {explanation.rules_hash}, which are in force now"


def _counted(words: Sequence[str]) -> list[str]:
    counts = {word: words.count(word) for word in dict.fromkeys(words)}
    return [word if count == 1 else f"{word} ({count})" for word, count in counts.items()]


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _span(span: timedelta) -> str:
    rounded = span if abs(span) < timedelta(seconds=10) else timedelta(seconds=round(span.total_seconds()))
    return format_duration(max(rounded, timedelta(0)))


def _later(at: datetime, now: datetime) -> str:
    return f"in {_span(at - now)}"
