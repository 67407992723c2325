"""Puts an explanation together from what rules said of an event, and from the rules themselves. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from incidents.journal.lines import NOTHING_NEW, Became, Did, Kind, Recorded, Said
from incidents.overrides import rules_of
from rules.explain.missing import misses_of, normalized, told_of
from rules.explain.values import Basis, ConditionTold, Explanation, HappenedTold, RuleMissed, RuleTold
from rules.model import Mode, Rule, RuleSet, Subject, Tier
from rules.verdicts import Outcome

# What a rule that holds does to an incident, the most telling first: the kind of the entry, and the words for it.
DEEDS = {
    "incident_declared": "declared {incident}",
    "reopened": "reopened {incident}",
    "severity_changed": "raised {incident}",
    "finding_added": "added its finding to {incident}",
}


class Then(NamedTuple):
    """What is known of the rules: those that decided (None: their text is gone), and the hash of those in force."""

    rule_set: RuleSet | None
    current: str


def recorded(event: Recorded, then: Then) -> Explanation:
    """Return the explanation of an event of the journal, by what was decided then."""
    notes = []
    if then.rule_set is None:
        notes.append(f"The rules of then ({event.rules}) are not kept any more; which did not match is not known.")
    if event.became is Became.REPEATED:
        notes.append("It repeated what was known: nothing was judged. Its first firing is a line of its own.")
    elif event.became in NOTHING_NEW:
        notes.append("It told of nothing new, so nothing was judged.")
    action = event.incoming.action if event.incoming else None
    labels = dict(event.labels)
    if action is not None:
        labels = {**action.labels, "kind": action.kind, "service": action.service, "actor": action.actor}
    judges = event.became in {Became.FIRED, Became.JUDGED_ANEW} or action is not None
    return explained(
        event.said,
        event.did,
        rule_set=then.rule_set,
        subject=Subject.ACTION if action is not None else Subject.ALERT,
        about=Explanation(
            id=event.id,
            kind=event.kind.value,
            basis=Basis.RECORDED,
            source=event.source,
            labels=labels,
            received_at=event.received_at,
            at=event.decided_at,
            became=event.became.value if event.kind is not Kind.TIMER else f"a timer was due: {event.timer}",
            rules_hash=rules_of(event.rules),
            rules_changed=rules_of(event.rules) != rules_of(then.current) if then.current else None,
            error=event.error,
            notes=tuple(notes),
        ),
        tells_misses=judges,
    )


def explained(
    said: Sequence[Said],
    did: Sequence[Did],
    *,
    rule_set: RuleSet | None,
    about: Explanation,
    subject: Subject = Subject.ALERT,
    tells_misses: bool = True,
) -> Explanation:
    """Fill an explanation in with what each rule said, which did not match, and what happened."""
    left = {each.incident: Counter(each.entries) for each in did}
    absorbed = {(one.incident, rule) for one in did for rule in one.absorbed}
    rules = tuple(_absorbed(_told(each, rule_set, left, about.at), absorbed) for each in said)
    changed: dict[str, str] = {}
    missed: tuple[RuleMissed, ...] = ()
    if rule_set is not None and about.labels:
        changed = normalized(rule_set, about.labels) if subject is Subject.ALERT else {}
        if tells_misses:
            missed = misses_of(rule_set, {**about.labels, **changed}, [each.rule for each in said], subject)
    return replace(
        about,
        normalized=changed,
        rules=rules,
        missed=missed,
        happened=tuple(HappenedTold(incident=one.incident, entries=one.entries, paged=one.paged) for one in did),
    )


def _told(said: Said, rule_set: RuleSet | None, left: dict[str, Counter[str]], now: datetime) -> RuleTold:
    rule = rule_set.rule(said.rule) if rule_set is not None else None
    tier = _tier(rule, said.tier)
    conditions = tuple(told_of(answer, now) for answer in said.answers)
    return RuleTold(
        rule=said.rule,
        criterion=rule.criterion.value if rule else "",
        mode=rule.mode.value if rule else "",
        outcome=str(said.outcome),
        tier=said.tier,
        tiers=len(rule.tiers) if rule else 0,
        severity=tier.declare.value if tier and tier.declare else None,
        incident=said.incident,
        due=said.due,
        result=_result(said, rule, tier, left, conditions),
        conditions=conditions,
    )


def _absorbed(told: RuleTold, absorbed: set[tuple[str, str]]) -> RuleTold:
    """Say of a finding that a storm took in why it has no incident and no page of its own."""
    if (told.incident, told.rule) not in absorbed:
        return told
    return replace(told, result=f"holds, and the storm {told.incident} took its finding in: no incident of its own")


def _tier(rule: Rule | None, index: int) -> Tier | None:
    return next((tier for tier in rule.tiers if tier.index == index), None) if rule else None


def _result(
    said: Said,
    rule: Rule | None,
    tier: Tier | None,
    left: dict[str, Counter[str]],
    conditions: Sequence[ConditionTold],
) -> str:
    match said.outcome:
        case Outcome.HOLDS:
            return _held(said, tier, left)
        case Outcome.SHADOW:
            asked = f"would have declared {tier.declare}" if tier and tier.declare else "would have acted"
            return f"holds in shadow mode: it {asked}, and did nothing"
        case Outcome.WAITS:
            return f"waits: {_lacking(conditions, 'no')}"
        case Outcome.UNKNOWN:
            return f"cannot be judged: {_lacking(conditions, 'unknown')}"
        case Outcome.ERROR:
            return f"failed with an error: {said.error}; people were told of it by tocsin-unjudged"
        case _:
            belongs = f"; the alert belongs to {said.incident}, which this rule found before" if said.incident else ""
            off = " (the rule is off)" if rule is not None and rule.mode is Mode.OFF else ""
            return f"does not hold{off}: {_lacking(conditions, 'no')}{belongs}"


def _held(said: Said, tier: Tier | None, left: dict[str, Counter[str]]) -> str:
    if not said.incident:
        if tier is not None and tier.attach_only:
            return "holds, and only joins an open incident: none is open for its identity (attach_only)"
        if tier is not None and tier.declare is None:
            return "holds, and declares nothing: no incident is open for its identity"
        return "holds, and no incident came of it"
    entries = left.get(said.incident, Counter())
    for kind, words in DEEDS.items():
        if entries[kind] > 0:
            entries[kind] -= 1
            return words.format(incident=said.incident)
    return f"holds, and {said.incident} knows its finding already: the alert belongs to it"


def _lacking(conditions: Sequence[ConditionTold], state: str) -> str:
    lacking = [each.missing for each in conditions if each.state == state and each.missing]
    return "; ".join(dict.fromkeys(lacking)) or "no tier holds"
