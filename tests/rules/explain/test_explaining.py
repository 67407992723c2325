"""Explanations of what is pasted: which rule holds, what is missing and until when, and what would come."""

from datetime import UTC, datetime, timedelta

import pytest
from builders import rule_set

from rules.explain.inputs import NotAnAlert, of_text, of_words
from rules.explain.pasted import Pasting
from rules.explain.telling import told
from rules.explain.values import Explanation

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RULES = """
rules:
- id: waits
  match: 'severity="critical"'
  when: {firing_for: 5m}
  declare: SEV3
- id: many
  match: 'severity="critical"'
  tiers:
  - {when: {count: {gte: 5, within: 10m}}, declare: SEV1}
  - {when: {count: {gte: 2, within: 10m}}, declare: SEV2}
- id: watched
  match: 'severity="critical"'
  mode: shadow
  declare: SEV2
- id: joins
  match: 'severity="warning"'
  attach_only: true
  declare: SEV4
- id: prod-loss
  match: ['data_issue="loss"', 'environment="prod"']
  declare: SEV1
- id: dev-critical
  match: ['severity="critical"', 'environment="dev"']
  declare: SEV4
- id: asleep
  match: 'severity="critical"'
  mode: off
  declare: SEV1
"""


def explained(*alerts: dict[str, str], firing_for: timedelta = timedelta(0)) -> list[Explanation]:
    pasted = [of_words(f"{name}={value}" for name, value in labels.items()) for labels in alerts]
    return Pasting(rule_set(RULES), pasted, now=NOW, firing_for=firing_for).explanations()


def critical(**labels: str) -> dict[str, str]:
    return {"alertname": "Down", "severity": "critical", "service": "db"} | labels


def text_of(explanation: Explanation) -> str:
    return "\n".join(told(explanation))


def test_explain_says_what_time_is_missing_and_when_it_is_over():
    """Firing for three minutes of five: due in two, and what happens then."""
    (explanation,) = explained(critical(), firing_for=timedelta(minutes=3))
    waits = explanation.rules[0]
    assert (waits.outcome, waits.due) == ("waits", NOW + timedelta(minutes=2))
    assert waits.conditions[0].missing == "firing for 3m of 5m; due at 09:02:00Z, 2m later, if it goes on"
    assert explanation.ahead[0].at == NOW + timedelta(minutes=2)
    assert explanation.ahead[0].text == "waits declares incident 1 as SEV3"


def test_explain_says_how_many_are_missing():
    """Two of five: the graver tier fails by number, the other holds and is told of with the tier."""
    first, _ = explained(critical(instance="a"), critical(instance="b"))
    many = first.rules[1]
    assert (many.tier, many.tiers, many.severity) == (2, 2, "SEV2")
    assert many.result == "would have declared incident 1"
    assert many.conditions[0].missing == "2 of 5 within 10m"


def test_explain_says_which_matcher_misses_the_nearest_first():
    """Rules that do not match stand by how near they came, each with the matcher and the label's value."""
    (explanation,) = explained(critical())
    assert [missed.rule for missed in explanation.missed] == ["asleep", "joins", "dev-critical", "prod-loss"]
    by_rule = {missed.rule: missed.why for missed in explanation.missed}
    assert by_rule["asleep"] == "it is off (mode: off)"
    assert by_rule["dev-critical"] == 'environment="dev" misses: there is no environment'
    assert by_rule["joins"] == "severity=\"warning\" misses: severity is 'critical'"


def test_explain_says_what_kept_a_rule_from_acting():
    """Shadow mode and a rule that only joins are named as the reason why nothing happened."""
    (explanation,) = explained(critical())
    assert "shadow" in next(rule.result for rule in explanation.rules if rule.rule == "watched")
    (warning,) = explained(critical(severity="warning"))
    assert "attach_only" in warning.rules[0].result
    assert "no incident comes of it now" in text_of(warning)


def test_explain_says_that_a_storm_took_a_finding_in():
    """What has no incident and no page of its own because of a storm says which storm that is."""
    storm = """
rules:
- {id: storm, match: 'severity="critical"', identity: [cluster], when: {count: {gte: 2, within: 5m}}, declare: SEV1, absorb: {for: 30m}}
- {id: down, match: 'severity="critical"', declare: SEV2}
"""  # noqa: E501 - a rule on a line
    labels = [critical(cluster="eu", service=f"s{number}") for number in range(3)]
    pasted = [of_words(f"{name}={value}" for name, value in each.items()) for each in labels]
    last = Pasting(rule_set(storm), pasted, now=NOW, firing_for=timedelta(0)).explanations()[-1]
    (down,) = [rule for rule in last.rules if rule.rule == "down"]
    assert down.result == f"holds, and the storm {down.incident} took its finding in: no incident of its own"


def test_explain_reads_as_lines():
    """The text has a line for the alert, each rule with its conditions, the misses, and what comes."""
    lines = text_of(explained(critical(), firing_for=timedelta(minutes=3))[0]).splitlines()
    assert lines[0] == "alert Down (as pasted, 2026-01-05 09:00:00Z)"
    assert "  waits: waits until 09:02:00Z" in lines
    assert "    no   tier 1 count: 1 of 5 within 10m" in lines
    assert "  4 rules did not match:" in lines


@pytest.mark.parametrize(
    "text",
    [
        b'{"alerts": [{"labels": {"alertname": "A", "n": "1"}, "startsAt": "2026-01-05T08:00:00Z"}]}',
        b'[{"labels": {"alertname": "A", "n": "1"}}]',
        b'{"labels": {"alertname": "A", "n": 1}, "endsAt": "0001-01-01T00:00:00Z"}',
        b'{"alertname": "A", "n": "1"}',
        b"alertname: A\nn: 1\n",
        b"labels:\n  alertname: A\n  n: '1'\n",
        b"- alertname: A\n  n: 1\n",
    ],
)
def test_inputs_take_whatever_people_paste(text: bytes):
    """A webhook's body, alerts, one alert or its labels, in JSON or YAML."""
    (alert,) = of_text(text, "stdin")
    assert alert.labels == {"alertname": "A", "n": "1"}


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b"42", b"just words", b'{"alerts": []}', b"a: &x 1", b'{"labels": {}}', b"\xff\xfe\x00"]
)
def test_inputs_refuse_what_is_no_alert(text: bytes):
    """What cannot be read as an alert is refused with a reason that names the file."""
    with pytest.raises(NotAnAlert, match=r"paste\.yml"):
        of_text(text, "paste.yml")


def test_inputs_refuse_a_word_that_is_no_label():
    """A word without a value is named."""
    with pytest.raises(NotAnAlert, match="name=value"):
        of_words(["severity"])


def test_explain_says_once_that_something_is_not_measured():
    """What a condition got names the reason; its name goes before it, and nothing is said twice."""
    asks = rule_set("rules: [{id: asks, declare: SEV3, match: 'a=\"b\"', when: {query: {promql: up, gt: 0}}}]")
    pasting = Pasting(asks, [of_words(["a=b"])], now=NOW, firing_for=timedelta(0))
    lines = text_of(pasting.explanations()[0]).splitlines()
    assert "    ?    query: query cannot be measured: not measured yet" in lines


HELD = """
channels: {hall: console}
announce: [hall]
paging:
  default: {steps: [{page: amira}]}
  morning:
    hours: {from: "12:00", until: "18:00"}
    steps: [{page: amira}]
maintenance:
- {id: upgrade, match: 'service="db"', from: "2026-01-05T08:00:00Z", until: "2026-01-05T10:00:00Z"}
rules:
- {id: low, match: 'severity="low"', when: {firing_for: 5m}, declare: SEV3, page: morning}
- {id: down, match: 'severity="critical"', declare: SEV3}
people: {amira: {channels: [console]}}
"""


def held(**labels: str) -> Explanation:
    pasted = of_words(f"{name}={value}" for name, value in labels.items())
    return Pasting(rule_set(HELD, ""), [pasted], now=NOW, firing_for=timedelta(0)).explanations()[0]


def test_explain_says_why_nobody_is_paged():
    """Maintenance and the hours of a policy are told with the instant at which it pages."""
    now = held(alertname="Down", severity="critical", service="db")
    assert any("maintenance upgrade is in force" in note and "10:00" in note for note in now.notes)
    later = held(alertname="Slow", severity="low", service="web")
    assert any("the hours of the policy morning" in each.text and "12:00" in each.text for each in later.ahead)


def test_explain_tells_an_announcement_from_a_page():
    """A channel that is told of the incident is not paged."""
    found = held(alertname="Down", severity="critical", service="web")
    assert found.happened[0].paged == ("amira",)
    ahead = [each.text for each in held(alertname="Slow", severity="low", service="web").ahead]
    assert "channel:hall is told of incident 1" in ahead
    assert not any("channel:hall is paged" in text for text in ahead)
