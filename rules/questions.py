"""Which questions to Prometheus a rule set needs answers to: of its SLOs, conditions and objectives. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from rules.conditions import All, Any, BudgetRemaining, BurnRate, Condition, None_, Query, flatten
from rules.model import Mode, Rule, RuleSet, Subject, Tier
from rules.promql import filled, has_holes, longest_range
from rules.slos import SLA_SUFFIX, Slo, slo_named
from rules.templates import Values, render

SHOWN_OVER = timedelta(hours=1)  # the burn rate that is shown of every SLO
STEADY = 120  # a window moves little in so small a part of it
LONGEST_WAIT = timedelta(minutes=5)
Measure = BurnRate | BudgetRemaining | Query


def question_of(measure: Measure, slos: Mapping[str, Slo], labels: Mapping[str, str]) -> str:
    """Return the PromQL that answers a measure, labels put in; "" where its SLO is not known."""
    if isinstance(measure, Query):
        return filled(measure.promql, labels)
    slo = slo_named(slos, slo_name(measure.slo, labels))
    if slo is None:
        return ""
    return slo.ratio_over(measure.over) if isinstance(measure, BurnRate) else slo.over_window


def slo_name(template: str, labels: Mapping[str, str]) -> str:
    """Return the id of an SLO as a condition names it, labels put in."""
    return render(template, Values(labels=labels, annotations={})) if has_holes(template) else template


def questions_of(rule_set: RuleSet) -> dict[str, None]:
    """Return every question that needs an answer whatever alerts come; those with labels in them are not among them."""
    found: dict[str, None] = {}
    for slo in rule_set.slos.values():
        found[slo.over_window] = None
        found[slo.ratio_over(min(SHOWN_OVER, slo.window))] = None
    for measure in _measures(rule_set.every_rule):
        text = measure.promql if isinstance(measure, Query) else measure.slo
        if not has_holes(text) and (question := question_of(measure, rule_set.slos, {})):
            found[question] = None
    return found


def questions_for(rule: Rule, slos: Mapping[str, Slo], labels: Mapping[str, str]) -> list[str]:
    """Return what has to be known to judge labels by a rule."""
    asked = (question_of(each, slos, labels) for tier in rule.tiers for each in _measured(tier.condition))
    return list(dict.fromkeys(question for question in asked if question))


def measures_anything(tiers: Iterable[Tier]) -> bool:
    """Tell whether a condition of these tiers is measured by Prometheus."""
    return any(True for tier in tiers for _ in _measured(tier.condition))


def watched_slo(on: Subject, tiers: Iterable[Tier]) -> str:
    """Return the SLO that a rule looks at without any alert, or "": all it asks is of Prometheus, of SLOs by name."""
    leaves = [each for tier in tiers for each in flatten(tier.condition) if not isinstance(each, All | Any | None_)]
    slos = [each.slo for each in leaves if isinstance(each, BurnRate | BudgetRemaining)]
    always = any(tier.condition is None for tier in tiers)
    measured = all(_is_plain(each) for each in leaves)
    if on is not Subject.ALERT or not slos or not measured or always:
        return ""
    return slos[0].removesuffix(SLA_SUFFIX)


def every(promql: str, least: timedelta) -> timedelta:
    """Return how often to ask a question: the longer its range, the slower its answer moves."""
    return min(max(longest_range(promql) / STEADY, least), max(LONGEST_WAIT, least))


def _is_plain(condition: Condition) -> bool:
    """Whether a condition is measured by Prometheus alike for every alert."""
    if isinstance(condition, Query):
        return not has_holes(condition.promql)
    return isinstance(condition, BurnRate | BudgetRemaining) and not has_holes(condition.slo)


def _measures(rules: Iterable[Rule]) -> Iterator[Measure]:
    for rule in rules:
        if rule.mode is not Mode.OFF:
            for tier in rule.tiers:
                yield from _measured(tier.condition)
                yield from (each.measure for each in tier.objectives if each.measure is not None)


def _measured(condition: Condition | None) -> Iterator[Measure]:
    return (each for each in flatten(condition) if isinstance(each, BurnRate | BudgetRemaining | Query))
