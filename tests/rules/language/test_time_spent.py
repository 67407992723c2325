"""`worked_for`: the clock runs from the first human touch, and backup is called when it has run for too long."""

from incidents import events
from incidents.incoming import TouchKind

TOO_LONG = """
rules:
- id: took-too-long
  criterion: time_spent
  tiers:
  - {when: {worked_for: 45m}, declare: SEV3, page: backup}
"""
ON_INCIDENTS = """
rules:
- {id: critical, match: 'severity="critical"', declare: SEV2}
- id: took-too-long
  on: incident
  criterion: time_spent
  when: {worked_for: 45m}
  page: backup
"""


def test_worked_for_declares_from_an_alert_that_somebody_works_on(play):
    """Forty-five minutes after the acknowledgement in PagerDuty backup is called, without any incident before."""
    stage = play(TOO_LONG)
    key = stage.fires(0, service="db")
    stage.touched(5, key)
    stage.touched(20, key, TouchKind.NOTE)
    stage.until(49.9)
    assert stage.incidents == []
    stage.until(50)
    assert (stage.only.severity, stage.only.rule, stage.only.identity) == ("SEV3", "took-too-long", {"service": "db"})
    assert stage.pages[0][:2] == (50, "bo")


def test_worked_for_ends_with_the_alert(play):
    """What was resolved in time needs no backup, and a new firing begins anew."""
    stage = play(TOO_LONG)
    key = stage.fires(0, service="db")
    stage.touched(5, key)
    stage.ends(30, service="db")
    stage.fires(31, service="db")
    stage.until(600)
    assert stage.incidents == []


def test_worked_for_is_not_begun_by_what_no_person_did(play):
    """A reassignment by an automation is no work."""
    stage = play(TOO_LONG)
    stage.touched(5, stage.fires(0, service="db"), TouchKind.REASSIGNED)
    stage.until(600)
    assert stage.incidents == []


def test_worked_for_calls_backup_once_for_an_incident_that_is_open_already(play):
    """Backup is called though the finding is no graver, and not again while the same incident lasts."""
    rules = TOO_LONG + "- {id: critical, match: 'severity=\"critical\"', declare: SEV2}\n"
    stage = play(rules)
    key = stage.fires(0, service="db", severity="critical")
    stage.tells(1, events.Acknowledge(actor="amira"))
    stage.touched(2, key)
    stage.until(46.9)
    assert stage.pages == [(0, "amira", "declared")]
    stage.until(47)
    assert (47, "bo", "backup") in stage.pages
    stage.tells(48, events.Acknowledge(actor="bo"))
    stage.fires(60, service="db", severity="critical", node="2")
    stage.until(300)
    assert [page for page in stage.pages if page[2] == "backup"] == [(47, "bo", "backup")]
    assert [finding.rule for finding in stage.only.findings] == ["critical", "took-too-long"]


def test_worked_for_of_an_incident_runs_from_its_first_touch(play):
    """The acknowledgement starts the clock of the incident; nobody's acknowledgement starts none."""
    stage = play(ON_INCIDENTS)
    stage.fires(0, service="db", severity="critical")
    stage.tells(10, events.Acknowledge(actor="amira"))
    stage.until(54.9)
    assert stage.pages[-1][2] != "backup"
    stage.until(55)
    assert stage.pages[-1] == (55, "bo", "backup")
    assert stage.only.touched_by == "amira"


def test_worked_for_of_an_incident_begins_with_work_on_its_alert_or_service(play):
    """Whoever acknowledges the alert elsewhere, or acts on the service, is on it."""
    stage = play(ON_INCIDENTS)
    stage.touched(3, stage.fires(0, service="db", severity="critical"))
    assert (stage.only.touched_at, stage.only.touched_by) == (stage.simulation.now, "bo")
    other = play(ON_INCIDENTS)
    other.fires(0, service="db", severity="critical")
    other.acts(7, service="db")
    assert (other.only.touched_at, other.only.touched_by) == (other.simulation.now, "bo")
