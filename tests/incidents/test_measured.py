"""What Prometheus measured, as it changes an incident."""

from datetime import timedelta

import pytest
from builders import NOW, rule_set
from msgspec.structs import replace

from incidents import events
from incidents.facts import Fact, awaits_facts, may_await_facts, merge
from incidents.incident import AlertTally, BudgetBurnt, Finding, Incident, Objective
from incidents.transitions import Context, transition
from incidents.values import Criterion, IncidentStatus, Severity

CLEAR = AlertTally(firing=0, resolved=1, clear_since=NOW - timedelta(hours=1))
BUDGET = Objective(id="budget", text="Burn rate under 1", kind="burn_rate", params={"slo": "checkout"})
MANUAL = Objective(id="verified", text="Verified", kind="manual")


def incident(*objectives: Objective, **changes) -> Incident:
    fields = {
        "id": "INC-2026-0001",
        "title": "burns",
        "status": IncidentStatus.ACKNOWLEDGED,
        "severity": Severity.SEV2,
        "criterion": Criterion.SLO_BREACH,
        "rule": "burn",
        "identity": {"service": "checkout"},
        "identity_key": "k",
        "declared_at": NOW,
        "acknowledged_at": NOW,
        "objectives": objectives,
    }
    return Incident(**fields | changes)


def measured(before: Incident, met: dict[str, bool], alerts: AlertTally = CLEAR):
    context = Context(oncall=rule_set().oncall, ruleset="r1", alerts=alerts)
    event = events.ObjectivesMeasured(met=met, said=dict.fromkeys(met, "0.4"))
    return transition(before, event, context=context, now=NOW + timedelta(minutes=5))


def test_objective_that_is_met_resolves_when_it_was_the_last():
    """All objectives are met: the incident is over, and the timeline says what was measured."""
    done = measured(incident(BUDGET), {"budget": True})
    assert done.incident.status is IncidentStatus.RESOLVED
    assert [entry.kind.value for entry in done.entries] == ["objective_met", "resolved"]
    assert done.entries[0].data == {"id": "budget", "measured": "0.4"}


def test_objective_that_is_met_is_noted_while_others_are_not():
    """What a person has to verify holds the incident; a change back is noted too, and nothing twice."""
    first = measured(incident(BUDGET, MANUAL), {"budget": True})
    assert first.incident.is_open
    assert first.incident.objectives[0].met_at is not None
    assert measured(first.incident, {"budget": True}).incident is None
    back = measured(first.incident, {"budget": False})
    assert back.incident.objectives[0].met_at is None
    assert [entry.kind.value for entry in back.entries] == ["objective_unmet"]


def test_objective_that_is_not_known_stays_as_it_is():
    """Facts that are missing neither meet an objective nor take it back."""
    assert measured(incident(replace(BUDGET, met_at=NOW), MANUAL), {}).incident is None


def test_objectives_met_do_not_resolve_a_data_issue():
    """The data of customers is verified by people."""
    finding = Finding(rule="loss", criterion=Criterion.DATA_ISSUE, severity=Severity.SEV1, at=NOW)
    assert measured(incident(BUDGET, findings=(finding,)), {"budget": True}).incident.is_open


def test_budget_that_was_burnt_is_kept_once_resolved():
    """It is asked for until it is known, and asked anew after a reopening."""
    over = incident(status=IncidentStatus.RESOLVED, resolved_at=NOW, slos=("checkout",))
    assert awaits_facts(over)
    burnt = BudgetBurnt(slo="checkout", minutes=4.32, of_minutes=43.2, at=NOW)
    context = Context(oncall=rule_set().oncall, ruleset="r1")
    done = transition(over, events.BudgetMeasured(burnt=burnt), context=context, now=NOW)
    assert not awaits_facts(done.incident)
    assert done.entries[0].text == "It burnt 4.32 of the 43.2 minutes of error budget of checkout: 10 %"
    late = replace(burnt, at=NOW - timedelta(hours=1))
    assert transition(over, events.BudgetMeasured(burnt=late), context=context, now=NOW).incident is None
    again = transition(done.incident, events.Reopen(actor="bo"), context=context, now=NOW)
    assert again.incident.burnt == ()


@pytest.mark.parametrize(
    ("objectives", "slos", "expected"), [((), (), False), ((BUDGET,), (), True), ((), ("x",), True)]
)
def test_incident_may_await_facts(objectives, slos, expected):
    """Only incidents that something is measured of are looked at when facts come."""
    assert may_await_facts(incident(*objectives, slos=slos)) is expected


def test_fact_without_an_answer_keeps_what_was_known():
    """Prometheus away is no number: the last one stays, with its age and the reason."""
    known = Fact(id="f", at=NOW, value=0.2)
    away = Fact(id="f", at=NOW + timedelta(minutes=1), why="connection refused", answered=False)
    kept = merge(known, away)
    assert (kept.value, kept.at, kept.why, kept.answered) == (0.2, NOW, "connection refused", False)
    assert merge(None, away) is away
    newer = Fact(id="f", at=NOW + timedelta(minutes=2), value=0.1)
    assert merge(kept, newer) is newer
    assert merge(newer, known) is newer
