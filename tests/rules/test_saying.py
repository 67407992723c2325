"""Conditions in words, as people read them on the page of rules."""

import pytest
from builders import ONCALL, rule_set

from rules.saying import said


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("{firing_for: 10m}", "firing for 10m"),
        ("{count: {gte: 3, within: 5m}}", "3 alerts within 5m"),
        ("{distinct: {label: instance, gte: 2, within: 1h}}", "2 different instance within 1h"),
        ("{flaps: {gte: 4, within: 30m}}", "4 changes within 30m"),
        ("{match: 'region=\"eu\"'}", 'region="eu"'),
        ("{query: {promql: sum(up), lt: 3}}", "sum(up) < 3"),
        ("{any: [{firing_for: 1h}, {all: [{firing_for: 5m}, {count: {gte: 2, within: 5m}}]}]}", None),
        ("{none: [{firing_for: 1h}, {flaps: {gte: 2, within: 1h}}]}", "none of: firing for 1h; 2 changes within 1h"),
    ],
)
def test_saying_tells_a_condition_with_its_numbers(when, words):
    """What a rule waits for can be read without its file."""
    found = rule_set(f"rules:\n- {{id: r, match: 'a=\"b\"', when: {when}, declare: SEV2}}", ONCALL)
    expected = words or "firing for 1h or (firing for 5m and 2 alerts within 5m)"
    assert said(found.rules[0].tiers[0].condition) == expected


def test_saying_tells_what_prometheus_is_asked():
    """By the name of the SLO."""
    text = """
slos:
- {id: pay, service: pay, objective: 99.9, window: 30d, error_ratio: 'avg_over_time(errors[$window])'}
rules:
- id: r
  match: 'a="b"'
  tiers:
  - {when: {burn_rate: {slo: pay, over: 1h, gte: 14}}, declare: SEV1}
  - {when: {budget_remaining: {slo: pay, lt: 10}}, declare: SEV2}
"""
    tiers = rule_set(text, ONCALL).rule("r").tiers
    assert [said(tier.condition) for tier in tiers] == [
        "burn rate of pay >= 14 over 1h",
        "budget remaining of pay < 10%",
    ]
