"""The advice in messages: how what somebody wrote, who comes from other tools, is written here."""

import pytest

from rules.loading.mends import meant
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile


@pytest.fixture
def said(now):
    """Load a file; its messages, one a line."""
    return lambda text: "\n".join(map(str, load_rule_set([SourceFile("f.yml", text)], now=now).problems))


RULE = "rules:\n- {{id: r, match: 'a=\"b\"', declare: SEV3, {}}}\n"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (RULE.format("for: 5m"), "write when: {firing_for: 5m}"),
        (RULE.format("firing_for: 5m"), "it stands below when, indented"),
        ("rules:\n- {id: r, alert: Down, declare: SEV3}\n", "write match: 'alertname=\"NAME\"'"),
        ("rules:\n- {id: r, expr: up == 0, declare: SEV3}\n", "PromQL stands in when"),
        (RULE.format("when: 5m"), "write {firing_for: 5m}"),
        (RULE.format("when: {count: 5}"), "write {gte: 5, within: 10m}"),
        (RULE.format("absorb: 30m"), "write {for: 30m}"),
        (RULE.format("team: payments"), "under teams:"),
        ("rules: {critical: {declare: SEV3}}\n", "begin each item with '- '"),
        ("groups: []\n", "a rule file of Prometheus"),
        ("route: {}\n", "a configuration of Alertmanager"),
        ("announce: hall\n", "put it in brackets"),
        ("roles: {incident_commander: commanders}\n", "write {rotation: NAME}"),
        ("paging: {default: [amira]}\n", "write {steps: [{page: incident_commander}]}"),
        ("people: {bo: {timezone: Berlin}}\n", "did you mean 'Europe/Berlin'?"),
        ("people: {bo: {timezone: Europe/Berln}}\n", "did you mean 'Europe/Berlin'?"),
        ("people: {bo: {slack: bo}}\n", "did you mean 'channels'?"),
        ("maintenance: [{id: m, match: 'a=\"b\"'}]\n", "maintenance needs 'from' and 'until', or 'weekly'"),
        ("heartbeats: [{id: h, match: 'a=\"b\"', every: 1m}]\n", "did you mean 'expect_every'?"),
    ],
)
def test_mends_say_how_it_is_written(said, text, advice):
    """One reading of the message is enough to write it right."""
    assert advice in said(text)


@pytest.mark.parametrize(
    ("word", "choices", "like"),
    [
        ("P1", ("SEV1", "SEV2"), "SEV1"),
        ("sev-2", ("SEV1", "SEV2"), "SEV2"),
        ("slo", ("slo_breach", "other"), "slo_breach"),
        ("dry-run", ("enforce", "shadow", "off"), "shadow"),
        ("scribe", ("communications", "engineer"), "communications"),
        ("nothing like it", ("SEV1", "SEV2"), ""),
    ],
)
def test_mends_know_the_words_of_other_tools(word, choices, like):
    """Another tool's word for one of ours, or a part of it."""
    assert meant(word, choices) == (f"did you mean '{like}'?" if like else "")


PEOPLE = "people: {amira: {channels: [console]}, bo: {channels: [console]}}\nrules: []\n"


def test_rotations_warn_of_the_one_who_is_left(said):
    """Two stand in the order, and one of them has left."""
    text = PEOPLE + "rotations: {c: {order: [amira, {person: bo, until: 2026-01-01}]}}\n"
    assert "has one person, who is always on call, since bo left on 2026-01-01" in said(text)


def test_rotations_that_are_wrong_are_told_once(said):
    """Of a name that nobody has, or a list that is none, nothing else is said."""
    unknown = said(PEOPLE + "rotations: {c: {order: [amira, greta]}}\n")
    assert "there is no person 'greta'" in unknown
    assert "W304" not in unknown
    assert "E407" not in said(PEOPLE + "rotations: {c: {order: amira}}\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("title: '{labels.service} is slow'", "W339"),
        ("summary: '$labels.service is slow'", "W339"),
        ("stakeholders: ['{{ labels.customer }}']", "E310"),
        ("identity: ['{{ labels.customer }}']", "E310"),
        ("objectives: [{id: a, text: b, manual: false}]", "E303"),
        ("objectives: [{id: a, manual: true}, {id: a, alerts_clear_for: 5m}]", "E305"),
    ],
)
def test_mends_of_what_would_be_taken_in_silence(said, text, code):
    """Templates of other tools, names in which nothing is put, and objectives that nobody could meet or tell apart."""
    assert f"[{code}]" in said(RULE.format(text))


def test_mends_leave_texts_alone(said):
    """Braces and dollars are common in texts."""
    texts = ("title: 'costs $5 {a}'", "summary: '{{ labels.service }}: {json}'", "objectives: [{id: a, manual: true}]")
    assert [said(RULE.format(text)) for text in texts] == ["", "", ""]
