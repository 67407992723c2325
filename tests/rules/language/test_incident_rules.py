"""Rules `on: incident`: open incidents are held against them whenever they change, and by the clock."""

import pytest

from incidents import events
from incidents.values import Severity

CRITICAL = "- {id: critical, match: 'severity=\"critical\"', declare: SEV3, objectives: [{id: manual, manual: true}]}\n"


def rules(text: str) -> str:
    return f"rules:\n{CRITICAL}{text}"


def test_incident_that_is_open_for_too_long_is_raised_step_by_step(play):
    """Each tier acts once, the gravest last, and each raise pages."""
    stage = play(
        rules("""
- id: drags-on
  on: incident
  tiers:
  - {when: {open_for: 4h}, declare: SEV1}
  - {when: {open_for: 1h}, declare: SEV2}
""")
    )
    stage.fires(0, service="db", severity="critical")
    stage.tells(1, events.Acknowledge(actor="amira"))
    stage.until(59.9)
    assert stage.only.severity == "SEV3"
    stage.until(60)
    assert stage.only.severity == "SEV2"
    stage.tells(61, events.Acknowledge(actor="amira"))
    stage.until(240)
    assert stage.only.severity == "SEV1"
    assert [page for page in stage.pages if page[2] == "escalated"] == [
        (60, "amira", "escalated"),
        (240, "amira", "escalated"),
    ]
    assert stage.kinds().count("finding_added") == 2


def test_incident_that_nobody_acknowledges_is_escalated_once(play):
    """`escalate_by` acts once, however often the incident changes, and again after a reopening."""
    stage = play(rules("- {id: nobody, on: incident, when: {unacknowledged_for: 20m}, escalate_by: 1}\n"))
    stage.fires(0, service="db", severity="critical")
    stage.until(100)
    assert stage.only.severity == "SEV2"
    stage.tells(101, events.Acknowledge(actor="bo"))
    stage.tells(102, events.Resolve(actor="bo", override="done"))
    stage.tells(103, events.Reopen(actor="bo"))
    stage.until(122.9)
    assert stage.only.severity == "SEV2"
    stage.until(123)
    assert stage.only.severity == "SEV1"


def test_incident_that_was_acknowledged_in_time_is_left_alone(play):
    """An acknowledgement through the API ends the waiting."""
    stage = play(rules("- {id: nobody, on: incident, when: {unacknowledged_for: 20m}, escalate_by: 1}\n"))
    stage.fires(0, service="db", severity="critical")
    stage.tells(19, events.Acknowledge(actor="bo"))
    stage.until(600)
    assert stage.only.severity == "SEV3"


@pytest.mark.parametrize(
    ("matcher", "matches"),
    [
        ('severity="SEV3"', True),
        ('severity="critical"', False),
        ('status="declared"', True),
        ('rule="critical"', True),
        ('criterion!="other"', False),
        ('service="db"', True),
        ('service="web"', False),
        ('team="default"', True),
        ('incident_commander="amira"', True),
        ('id=~"INC-.*"', True),
        ('title=~".*Down.*"', True),
    ],
)
def test_incident_is_matched_by_its_fields_and_its_identity(play, matcher, matches):
    """The fields of an incident match like labels, and those of its identity too."""
    stage = play(
        rules(f"- {{id: told, on: incident, match: '{matcher}', stakeholders: [legal], assign: [communications]}}\n")
    )
    stage.fires(0, service="db", severity="critical")
    assert ([each.name for each in stage.only.stakeholders] == ["legal"]) is matches


def test_incident_that_is_raised_by_hand_meets_the_rules_at_once(play):
    """Whatever changes an incident outside of the decider lets the rules look at it."""
    stage = play(
        rules("- {id: grave, on: incident, match: 'severity=\"SEV1\"', page: backup, assign: [communications]}\n")
    )
    stage.fires(0, service="db", severity="critical")
    stage.tells(5, events.Escalate(actor="bo", severity=Severity.SEV1))
    assert stage.pages[-1] == (5, "bo", "backup")
    assert stage.only.findings[-1].rule == "grave"


def test_incident_rule_in_shadow_only_decides(play):
    """A rule in shadow mode is counted, and does nothing."""
    stage = play(rules("- {id: grave, on: incident, mode: shadow, declare: SEV1}\n"))
    stage.fires(0, service="db", severity="critical")
    assert (stage.only.severity, stage.decided("grave")) == ("SEV3", {"shadow": 1})


def test_incident_rules_of_which_there_are_none_leave_no_timers(play):
    """Where no rule is on incidents, nothing is set and nothing is looked at."""
    stage = play(rules(""))
    stage.fires(0, service="db", severity="critical")
    stage.tells(5, events.Note(actor="bo", text="x"))
    assert [member for member, _ in stage.simulation.store.timers.until(2**53, 100)] == []
