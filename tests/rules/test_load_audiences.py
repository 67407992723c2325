"""Audiences in rule files: lists of channels, or mappings that say more."""

import pytest
from builders import NOW, source_files

from incidents.oncall import Audience
from rules.loading.rule_set import load_rule_set

CHANNELS = "channels: {mail: console, status-page: console}\n"


def loaded(audiences: str):
    return load_rule_set(source_files(f"{CHANNELS}audiences: {audiences}"), now=NOW)


def test_audiences_are_lists_of_channels_or_say_more():
    """A list is internal, but for customers; a mapping has a kind and a template."""
    text = "{board: [mail, mail], customers: [status-page], partners: {channels: [mail], kind: external, template: hi}}"
    rule_set = loaded(text).rule_set
    assert rule_set is not None
    assert rule_set.oncall.audiences == {
        "board": Audience(name="board", channels=("mail",)),
        "customers": Audience(name="customers", channels=("status-page",), kind="customers"),
        "partners": Audience(name="partners", channels=("mail",), kind="external", template="hi"),
    }
    assert [audience.is_external for audience in rule_set.oncall.audiences.values()] == [False, True, True]


@pytest.mark.parametrize(
    ("audiences", "code", "said"),
    [
        ("{board: [nope]}", "E309", "there is no channel 'nope'"),
        ("{board: 5}", "E201", "must be a list"),
        ("{board: {kind: internal}}", "E203", "an audience needs 'channels'"),
        ("{board: {channels: [mail], kind: kings}}", "E204", "kings"),
        ('{board: {channels: [mail], template: "{{ sumary }}"}}', "E310", "there is no 'sumary' to put in"),
        ("{board: {channels: [mail], subject: x}}", "E202", "an audience has no key 'subject'"),
        (f"{{{'x' * 101}: [mail]}}", "E304", "at most 100 characters"),
    ],
)
def test_audiences_that_cannot_be_told_are_errors(audiences, code, said):
    """What is wrong is said at its place."""
    problems = loaded(audiences).errors
    assert [problem.code for problem in problems] == [code]
    assert said in f"{problems[0].message} {problems[0].hint}"


def test_audiences_warn_of_channels_that_take_pages_only():
    """PagerDuty would page; what is announced is told to it no more than an audience is."""
    key = "0" * 32
    text = f"channels: {{pd: {{pagerduty: {{routing_key: {key}}}}}, mail: console}}\n"
    text += "announce: [pd, mail]\naudiences: {board: [pd, mail], boss: {channels: [pd]}}"
    found = [each for each in load_rule_set(source_files(text), now=NOW).problems if each.code == "W332"]
    assert [(each.severity, each.line) for each in found] == [("warning", 2), ("warning", 3), ("warning", 3)]
    assert "the channel pd takes pages only" in found[0].message
