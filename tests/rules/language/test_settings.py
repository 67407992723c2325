"""What severities, defaults and the words of a rule do to an incident."""

import pytest
from builders import ONCALL

from incidents import events

CRITICAL = "rules: [{id: critical, match: 'severity=\"critical\"', declare: SEV3%s}]\n"


def test_severity_says_who_hears_and_how_long_people_have(play):
    """The stakeholders of the severity are told with those of the rule, and its time is that of a step without one."""
    severities = "severities: {SEV3: {acknowledge_within: 12m, stakeholders: [management], postmortem: optional}}\n"
    oncall = ONCALL.partition("paging:")[0] + "paging: {default: {steps: [{page: amira}, {page: bo}]}}\n"
    stage = play(severities + CRITICAL % ", stakeholders: [legal]", oncall)
    stage.fires(0, service="db", severity="critical")
    assert {each.name for each in stage.only.stakeholders} == {"legal", "management"}
    stage.until(13)
    assert stage.pages == [(0, "amira", "declared"), (12, "bo", "unacknowledged")]


def test_severity_asks_for_status_reports(play):
    """Where nobody writes one in time, it is asked for on the timeline."""
    stage = play("severities: {SEV3: {update_every: 30m}}\n" + CRITICAL % "")
    stage.fires(0, service="db", severity="critical")
    stage.tells(1, events.Acknowledge(actor="amira"))
    stage.until(29)
    assert "reminder" not in stage.kinds()
    stage.until(31)
    assert "reminder" in stage.kinds()


@pytest.mark.parametrize(("within", "minute", "incidents"), [("0s", 17, 2), ("30m", 17, 1), ("5m", 22, 2)])
def test_reopen_within_says_what_is_the_same_incident(play, within, minute, incidents):
    """Firing again so soon after resolved reopens; later, or never, it is another one."""
    stage = play(CRITICAL % f", reopen_within: {within}")
    stage.fires(0, service="db", severity="critical")
    stage.ends(1, service="db", severity="critical")
    stage.until(16)
    assert stage.only.status == "resolved"
    stage.fires(minute, service="db", severity="critical")
    assert len(stage.incidents) == incidents
    assert stage.incidents[-1].is_open


def test_defaults_are_for_rules_that_say_nothing(play):
    """The identity and the reopening of `defaults`."""
    stage = play("defaults: {identity: [cluster], reopen_within: 0s}\n" + CRITICAL % "")
    stage.fires(0, service="db", cluster="eu", severity="critical")
    stage.fires(1, service="web", cluster="eu", severity="critical")
    assert stage.only.identity == {"cluster": "eu"}
    stage.ends(2, service="db", cluster="eu", severity="critical")
    stage.ends(2, service="web", cluster="eu", severity="critical")
    stage.fires(20, service="db", cluster="eu", severity="critical")
    assert len(stage.incidents) == 2


def test_title_summary_and_runbook_are_filled_from_the_alert(play):
    """Templates see labels; what is missing is empty."""
    words = ", title: '{{ labels.service | upper }}{{ labels.none }}', summary: 'For {{ labels.who }}'"
    stage = play(CRITICAL % f"{words}, runbook: 'https://run.example.org/{{{{ labels.service }}}}'")
    stage.fires(0, service="db", who="shoppers", severity="critical")
    found = stage.only
    assert (found.title, found.summary, found.runbook) == ("DB", "For shoppers", "https://run.example.org/db")


def test_identity_without_any_of_its_labels_is_never_empty(play):
    """Then it is the name of the alert, with what there is of cluster, namespace and job."""
    stage = play(CRITICAL % ", identity: [dataset]")
    stage.fires(0, severity="critical", cluster="eu", job="node", pod="p1")
    assert stage.only.identity == {"alertname": "Down", "cluster": "eu", "job": "node"}


def test_rule_that_is_off_decides_nothing(play):
    """It neither declares nor is counted."""
    stage = play(CRITICAL % ", mode: off")
    stage.fires(0, service="db", severity="critical")
    assert (stage.incidents, stage.decided("critical")) == ([], {})
