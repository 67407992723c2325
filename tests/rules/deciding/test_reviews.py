"""Reviews of the status report under a virtual clock: reminded of once a period, told to whoever tracks the state."""

from datetime import timedelta

import pytest
from builders import CRITICAL, NOW, ONCALL, rule_set

from incidents import events
from incidents.page import News
from incidents.values import Role, Severity
from rules.simulation.events import Told, arrival
from rules.simulation.simulation import Simulation

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NAME = "INC-2026-0001"
DISK = {"alertname": "DiskFull", "severity": "critical", "service": "db"}
REPORT = events.DocumentEdited(actor="bo", seen="*", status_report="The disk is full")


@pytest.fixture
def made() -> Simulation:
    """A SEV2, whose status report is asked for every hour."""
    simulation = Simulation(rule_set(CRITICAL, ONCALL), NOW)
    simulation.feed(arrival(DISK, NOW))
    return simulation


def reminders(made: Simulation) -> list[float]:
    return [(entry.at - NOW) / MINUTE for entry in made.store.timelines[NAME] if entry.kind == "reminder"]


def told(made: Simulation) -> list[str]:
    return [each.page.person for each in made.sent if each.page.news is News.TOLD]


def test_review_is_reminded_of_once_a_period(made):
    """An hour after it was declared, and then every hour, exactly; whoever commands is told."""
    made.advance_to(NOW + 3.5 * HOUR)
    assert reminders(made) == [60, 120, 180]
    assert told(made) == ["amira"] * 3
    text = next(entry.text for entry in made.store.timelines[NAME] if entry.kind == "reminder")
    assert text == "Review due: there is no status report yet, after 1 h; SEV2 asks for one every 1 h"


def test_review_begins_anew_with_a_report(made):
    """What was written half an hour ago is due half an hour later, and says how old it is."""
    made.advance_to(NOW + 30 * MINUTE)
    made.feed(Told(NAME, REPORT))
    made.advance_to(NOW + 2 * HOUR)
    assert reminders(made) == [90]
    assert "the status report is 1 h old" in made.store.timelines[NAME][-1].text


def test_review_is_told_to_whoever_holds_communications(made):
    """Who is in charge of tracking the state is told, and not the commander."""
    made.feed(Told(NAME, events.RoleGiven(actor="amira", role=Role.COMMUNICATIONS, person="bo")))
    made.advance_to(NOW + HOUR)
    assert told(made) == ["bo"]


def test_review_follows_the_severity(made):
    """A graver one is reviewed sooner; one that asks for no updates, not at all."""
    made.feed(Told(NAME, events.Escalate(actor="amira", severity=Severity.SEV1)))
    made.advance_to(NOW + 65 * MINUTE)
    assert reminders(made) == [30, 60]
    made.feed(Told(NAME, events.Escalate(actor="amira", severity=Severity.SEV3)))
    made.advance_to(NOW + 6 * HOUR)
    assert reminders(made) == [30, 60]


@pytest.mark.parametrize(
    "end", [events.Resolve(actor="amira", override="over"), events.Dismiss(actor="amira", reason="a drill")]
)
def test_review_ends_with_the_incident(made, end):
    """Nobody is reminded of what is over; reopened, the period begins anew."""
    made.feed(Told(NAME, end))
    made.advance_to(NOW + 5 * HOUR)
    assert reminders(made) == []
    made.feed(Told(NAME, events.Reopen(actor="amira")))
    made.advance_to(NOW + 6 * HOUR)
    assert reminders(made) == [360]


def test_review_during_maintenance_disturbs_nobody():
    """It stands on the timeline, and is told to nobody while maintenance holds the paging."""
    until = (NOW + 5 * HOUR).isoformat()
    held = f'\nmaintenance: [{{id: up, match: \'service="db"\', from: "{NOW.isoformat()}", until: "{until}"}}]\n'
    made = Simulation(rule_set(CRITICAL + held, ONCALL), NOW)
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 1.5 * HOUR)
    assert reminders(made) == [60]
    assert told(made) == []
