"""What cannot be measured is shown, what fails is said, and neither hides anything."""

import pytest

from rules.deciding.known import Known

RULES = """
rules:
- {id: burning, match: 'severity="critical"', when: {query: {promql: up, gte: 1}}, declare: SEV1}
- {id: critical, match: 'severity="critical"', declare: SEV3}
"""


def test_unknown_verdict_is_counted_and_said_once(play):
    """It stands on the timeline of the open incident once, however many alerts come."""
    stage = play(RULES)
    for node in "123":
        stage.fires(0, service="db", severity="critical", node=node)
    assert stage.decided("burning") == {"unknown": 3}
    (note,) = (entry for entry in stage.timeline() if entry.kind == "note")
    assert note.text.startswith("Rule burning could not be judged: tier 1: query cannot be measured")


def test_unknown_tier_hides_none_below_it(play):
    """The tiers below are looked at."""
    tiers = "[{when: {query: {promql: up, gte: 1}}, declare: SEV1}, {when: {match: 'a=\"\"'}, declare: SEV2}]"
    stage = play(f"rules:\n- {{id: burning, match: 'severity=\"critical\"', tiers: {tiers}}}\n")
    stage.fires(0, service="db", severity="critical")
    assert stage.only.severity == "SEV2"


BROKEN = [
    ("count", "{count: {gte: 1, within: 10m}}"),
    ("distinct", "{distinct: {label: node, gte: 1, within: 10m}}"),
    ("flaps", "{flaps: {gte: 1, within: 10m}}"),
    ("leaves", "{none: [{count: {gte: 1, within: 10m}}]}"),
    ("fact", "{query: {promql: up, gte: 1}}"),
]


@pytest.mark.parametrize(("method", "when"), BROKEN)
def test_rule_that_fails_at_run_time_meets_a_catch_all_and_hides_no_other(play, monkeypatch, method, when):
    """The error is counted and told to people as an incident, and the other rule acts on the same alert."""
    broken = f"- {{id: broken, match: 'severity=\"critical\"', when: {when}, declare: SEV1}}\n"
    critical = "- {id: critical, match: 'severity=\"critical\"', declare: SEV3}\n"
    stage = play(f"rules:\n{broken}{critical}")

    def fails(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Known, method, fails)
    stage.fires(0, service="db", severity="critical")
    assert {incident.rule for incident in stage.incidents} == {"critical", "tocsin-unjudged"}
    assert stage.decided("broken") == {"error": 1}
    assert stage.simulation.store.counters["rule_errors_total|broken"] == 1
    (told,) = (each for each in stage.incidents if each.rule == "tocsin-unjudged")
    (entry, *_) = stage.timeline(told.id)
    assert "rule broken: ZeroDivisionError: a bug" in entry.data["reason"]


def test_rule_on_incidents_that_fails_is_told_too(play, monkeypatch):
    """A bug in a rule on incidents ends neither the batch nor the other rules."""
    rules = """
rules:
- {id: critical, match: 'severity="critical"', declare: SEV3}
- {id: broken, on: incident, match: 'rule="critical"', when: {query: {promql: up, gte: 1}}, declare: SEV1}
- {id: whole, on: incident, match: 'rule="critical"', declare: SEV2}
"""
    stage = play(rules)

    def fails(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Known, "fact", fails)
    stage.fires(0, service="db", severity="critical")
    assert {incident.rule: incident.severity.value for incident in stage.incidents} == {
        "critical": "SEV2",
        "tocsin-unjudged": "SEV3",
    }
