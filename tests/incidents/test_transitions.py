"""The transition table: a row for each pair of status and event, and what holds after any order of them."""

import itertools
from datetime import timedelta
from typing import get_args

import msgspec
import pytest
from builders import NOW, rule_set
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents import events
from incidents.errors import TransitionNotAllowed
from incidents.incident import AlertTally, BudgetBurnt, Incident, Objective
from incidents.oncall import OnCall
from incidents.statistics.summary import summary_of
from incidents.transitions import TABLE, Context, UnmetObjectives, transition
from incidents.values import Criterion, IncidentStatus, PageReason, Role, Severity

ONCALL = rule_set().oncall
CONTEXT = Context(oncall=ONCALL, ruleset="r1", new_id="INC-2026-0001")


def held(rule: str = "critical", severity: str = "SEV2", **changes) -> events.FindingHeld:
    """A rule that holds."""
    fields = {
        "rule": rule,
        "criterion": Criterion.OTHER,
        "severity": Severity(severity),
        "title": "Disk full",
        "identity": {"service": "db"},
        "identity_key": "k",
        "actor": "prom",
        "reason": "match",
        "ruleset": "r1",
        "received_at": NOW,
    }
    return events.FindingHeld(**fields | changes)


EVERY = {
    events.FindingHeld: held(),
    events.DeclaredByHand: events.DeclaredByHand(
        actor="bo", title="x", severity=Severity.SEV1, identity={"a": "b"}, identity_key="k"
    ),
    events.Acknowledge: events.Acknowledge(actor="bo"),
    events.Mitigate: events.Mitigate(actor="bo"),
    events.Resolve: events.Resolve(actor="bo", override="seen"),
    events.ClearDue: events.ClearDue(),
    events.Reopen: events.Reopen(actor="bo"),
    events.Dismiss: events.Dismiss(actor="bo", reason="a drill"),
    events.Escalate: events.Escalate(actor="bo", severity=Severity.SEV1),
    events.Note: events.Note(actor="bo", text="hello"),
    events.ActionTaken: events.ActionTaken(actor="bo", action="rollback", text="checkout to 1.4.2"),
    events.Touched: events.Touched(actor="bo"),
    events.Unmeasured: events.Unmeasured(rule="burning", reason="no measurement"),
    events.ObjectivesMeasured: events.ObjectivesMeasured(met={"budget": True}),
    events.BudgetMeasured: events.BudgetMeasured(
        burnt=BudgetBurnt(slo="checkout", minutes=1.5, of_minutes=43.2, at=NOW)
    ),
    events.StepDue: events.StepDue(),
    events.Unacknowledge: events.Unacknowledge(actor="bo"),
    events.RoleGiven: events.RoleGiven(actor="amira", role=Role.COMMUNICATIONS, person="bo"),
    events.HoldChanged: events.HoldChanged(),
    events.PageDelivered: events.PageDelivered(
        page_id="p", person="amira", channel="c", kind="webhook", attempt=1, repeat=False, reason=PageReason.DECLARED
    ),
    events.PageFailed: events.PageFailed(
        page_id="p", person="amira", channel="c", kind="webhook", attempt=1, error="e"
    ),
    events.PageSuppressed: events.PageSuppressed(page_id="p", person="amira", why="acknowledged"),
    events.DocumentEdited: events.DocumentEdited(actor="bo", seen="*", summary="Orders fail"),
    events.Communicated: events.Communicated(actor="bo", audience="customers", text="We are on it"),
    events.StakeholderAdded: events.StakeholderAdded(actor="bo", name="legal", kind="other", external=False),
    events.TaskGiven: events.TaskGiven(actor="bo", text="Look at the disks", person="amira"),
    events.ReviewDue: events.ReviewDue(),
    events.Restored: events.Restored(of=NOW),
    events.MergedInto: events.MergedInto(actor="bo", into="INC-2026-0009"),
    events.ObjectiveChecked: events.ObjectiveChecked(actor="bo", id="verified", met=True),
    events.PostIncidentActionWritten: events.PostIncidentActionWritten(actor="bo", text="Alert on it earlier"),
}
VERIFIED = Objective(id="verified", text="verified", kind="manual")


def do(incident: Incident | None, event: events.Event, minutes: float = 1, **context) -> Incident:
    """The incident after an event."""
    at = NOW + timedelta(minutes=minutes)
    done = transition(incident, event, context=msgspec.structs.replace(CONTEXT, **context), now=at)
    after = done.incident or incident
    assert after is not None
    return after


def declared() -> Incident:
    """A fresh incident."""
    return do(None, held(), 0)


EVERY[events.TakenIn] = events.TakenIn(actor="bo", other=do(None, held(identity_key="other"), 0))


def test_every_event_has_an_example_here():
    """Whoever adds an event adds it to these tests."""
    assert set(EVERY) == set(get_args(events.Event))


@pytest.mark.parametrize(("status", "event"), list(itertools.product(IncidentStatus, EVERY)))
def test_transition_is_in_the_table_or_refused_by_name(status: IncidentStatus, event: type):
    """Nothing passes silently: each pair has a row, or raises an error that names both."""
    incident = msgspec.structs.replace(declared(), status=status, resolved_at=NOW, objectives=(VERIFIED,))
    if (status, event) in TABLE:
        transition(incident, EVERY[event], context=CONTEXT, now=NOW)
        return
    with pytest.raises(TransitionNotAllowed) as caught:
        transition(incident, EVERY[event], context=CONTEXT, now=NOW)
    assert (caught.value.status, caught.value.event) == (status.value, event.__name__)


def test_declaring_assigns_the_commander_and_pages_at_once():
    """The commander of the rotation is paged in the same transition."""
    done = transition(None, held(), context=CONTEXT, now=NOW)
    assert [entry.kind.value for entry in done.entries] == ["incident_declared", "role_assigned"]
    assert [(page.person, page.role, page.reason) for page in done.pages] == [
        ("amira", "incident_commander", "declared")
    ]


def test_second_rule_is_a_finding_of_the_same_incident():
    """Two rules that notice one outage are one incident with two findings and one page."""
    done = transition(declared(), held("other", "SEV3"), context=CONTEXT, now=NOW)
    assert done.incident is not None
    assert [finding.rule for finding in done.incident.findings] == ["critical", "other"]
    assert (done.incident.severity, done.pages) == (Severity.SEV2, ())


def test_graver_finding_raises_the_severity_and_pages_again():
    """A graver finding pages again even when the incident is acknowledged."""
    acknowledged = do(declared(), events.Acknowledge(actor="bo"))
    done = transition(acknowledged, held("graver", "SEV1"), context=CONTEXT, now=NOW)
    assert done.incident is not None
    assert done.incident.severity is Severity.SEV1
    assert [page.reason for page in done.pages] == [PageReason.ESCALATED]
    assert [entry.kind.value for entry in done.entries] == ["finding_added", "severity_changed", "stakeholder_added"]
    assert [stakeholder.kind for stakeholder in done.incident.stakeholders] == ["management"]


def test_same_finding_changes_nothing():
    """A rule that holds again for the same identity is no event for people."""
    done = transition(declared(), held(), context=CONTEXT, now=NOW)
    assert (done.incident, done.entries, done.pages) == (None, (), ())


def test_acknowledging_stops_the_paging_and_says_who_was_first():
    """The second one to acknowledge learns who was first."""
    incident = do(declared(), events.Acknowledge(actor="bo"))
    assert incident.status is IncidentStatus.ACKNOWLEDGED
    assert incident.paging is not None
    assert incident.paging.next_at is None
    again = transition(incident, events.Acknowledge(actor="amira"), context=CONTEXT, now=NOW)
    assert (again.incident, again.reason) == (None, "already acknowledged by bo")


@pytest.mark.parametrize("event", [events.Mitigate(actor="bo"), events.Resolve(actor="bo", override="x")])
def test_mitigating_and_resolving_count_as_acknowledging(event: events.Event):
    """Whoever mitigates or resolves has acknowledged."""
    incident = do(declared(), event, 3)
    assert incident.acknowledged_at == NOW + timedelta(minutes=3)
    assert incident.paging is not None
    assert incident.paging.next_at is None


@pytest.mark.parametrize("event", [events.Acknowledge(actor="amira"), events.Mitigate(actor="amira")])
def test_acknowledging_again_is_of_the_page(event: events.Event):
    """Where people were called anew since the incident was taken, it is the page that is acknowledged."""
    taken = do(declared(), event, 1)
    called = do(taken, events.Escalate(actor="bo", severity=Severity.SEV1), 2)
    done = transition(called, events.Acknowledge(actor="bo"), context=CONTEXT, now=NOW + timedelta(minutes=3))
    assert done.incident is not None
    assert (done.incident.status, done.incident.acknowledged_by) == (taken.status, "amira")
    assert [entry.kind for entry in done.entries] == ["page_acknowledged"]


def test_resolving_needs_the_objectives_or_a_reason():
    """While alerts fire, resolving names what is unmet, unless a reason overrides it."""
    firing = AlertTally(firing=1)
    with pytest.raises(UnmetObjectives, match="alerts-clear"):
        do(declared(), events.Resolve(actor="bo"), alerts=firing)
    assert do(declared(), events.Resolve(actor="bo", override="false alarm"), alerts=firing).resolved_at is not None


def test_incident_resolves_by_itself_only_after_the_time():
    """The timer only asks; the objective decides."""
    incident = declared()
    clear = AlertTally(resolved=1, clear_since=NOW)
    assert do(incident, events.ClearDue(), 14, alerts=clear).status is IncidentStatus.DECLARED
    assert do(incident, events.ClearDue(), 15, alerts=clear).status is IncidentStatus.RESOLVED


def test_data_issue_waits_for_a_person():
    """An incident with a data issue never resolves by itself."""
    incident = do(None, held(criterion=Criterion.DATA_ISSUE), 0)
    clear = AlertTally(resolved=1, clear_since=NOW)
    assert do(incident, events.ClearDue(), 60, alerts=clear).status is IncidentStatus.DECLARED


def test_reopening_pages_again_and_counts_the_acknowledgement_anew():
    """What fires again soon is the same incident, and somebody has to acknowledge it again."""
    incident = do(declared(), events.Resolve(actor="bo", override="x"), 5)
    done = transition(incident, held(), context=CONTEXT, now=NOW + timedelta(minutes=9))
    assert done.incident is not None
    assert (done.incident.status, done.incident.acknowledged_at) == (IncidentStatus.DECLARED, None)
    assert [page.reason for page in done.pages] == [PageReason.REOPENED]
    assert done.pages[0].id != "INC-2026-0001.1.1.1.amira"


@pytest.mark.parametrize("status", IncidentStatus)
def test_action_goes_on_the_timeline_and_changes_nothing_else(status: IncidentStatus):
    """A corrective action is written down in every status, and neither acknowledges nor pages."""
    incident = msgspec.structs.replace(declared(), status=status, resolved_at=NOW, touched_at=NOW, touched_by="amira")
    done = transition(incident, EVERY[events.ActionTaken], context=CONTEXT, now=NOW)
    assert done.incident == msgspec.structs.replace(incident, version=incident.version + 1)
    assert done.pages == ()
    assert [(entry.kind.value, entry.actor, entry.text, entry.data) for entry in done.entries] == [
        (
            "corrective_action",
            "bo",
            "bo (outside of the operating group) did a rollback: checkout to 1.4.2",
            {"kind": "rollback", "outside": True},
        )
    ]


def test_nobody_to_page_is_said_aloud():
    """Without people the incident is declared all the same, and the timeline says that nobody can be paged."""
    done = transition(None, held(), context=Context(oncall=OnCall(), ruleset="", new_id="INC-2026-0001"), now=NOW)
    assert done.incident is not None
    assert [entry.kind.value for entry in done.entries] == ["incident_declared", "page_failed"]
    assert "Nobody can be paged" in done.entries[1].text


@settings(max_examples=300)
@given(st.lists(st.sampled_from(list(EVERY.values())), max_size=25))
def test_any_order_of_events_keeps_the_invariants(sequence: list[events.Event]):
    """Versions grow by one, closed incidents page nobody, and a step is due only while somebody is to acknowledge."""
    incident = declared()
    for minutes, event in enumerate(sequence):
        try:
            done = transition(incident, event, context=CONTEXT, now=NOW + timedelta(minutes=minutes))
        except TransitionNotAllowed:
            continue
        if done.incident is not None:
            assert done.incident.version == incident.version + 1
            incident = done.incident
        if not incident.is_open:
            assert all(page.over for page in done.pages)
            assert incident.paging is None or incident.paging.next_at is None
        assert len({page.id for page in done.pages}) == len(done.pages)
        assert (incident.resolved_at is None) == incident.is_open


CALLS = {"policy": "backup", "mark": "took-too-long#1", "calls": True}


def test_finding_that_calls_people_pages_once_though_it_is_no_graver():
    """Backup is called once while the incident is open, and again after a reopening."""
    acknowledged = do(declared(), events.Acknowledge(actor="bo"))
    done = transition(acknowledged, held("took-too-long", "SEV3", **CALLS), context=CONTEXT, now=NOW)
    assert done.incident is not None
    assert [page.reason for page in done.pages] == [PageReason.BACKUP]
    again = transition(done.incident, held("took-too-long", "SEV3", **CALLS), context=CONTEXT, now=NOW)
    assert (again.incident, again.pages) == (None, ())
    reopened = do(do(done.incident, events.Resolve(actor="bo", override="x")), events.Reopen(actor="bo"))
    assert (reopened.marks, reopened.reopened_at) == ((), NOW + timedelta(minutes=1))
    assert transition(reopened, held("took-too-long", "SEV3", **CALLS), context=CONTEXT, now=NOW).pages


def test_finding_brings_roles_stakeholders_and_objectives():
    """What every finding asks for is merged: nothing is asked for twice, and nothing is lost."""
    manual = Objective(id="verified", text="verified", kind="manual")
    brings = {"stakeholders": ("legal", "customers"), "objectives": (manual,), "restricted": True}
    incident = do(declared(), held("data-loss", "SEV2", **brings))
    assert [objective.id for objective in incident.objectives] == ["alerts-clear", "verified"]
    assert [(each.name, each.kind, each.external) for each in incident.stakeholders] == [
        ("legal", "other", False),
        ("customers", "customer", True),
    ]
    assert incident.restricted
    more = do(incident, held("other", "SEV2", **brings))
    assert (more.objectives, more.stakeholders) == (incident.objectives, incident.stakeholders)


def test_storm_that_goes_on_absorbs_for_longer_without_a_word():
    """The end of a storm moves once half of its time is over, and only then."""
    incident = do(None, held(absorb_seconds=1800.0), 0)
    assert incident.absorbs_until == NOW + timedelta(minutes=30)
    again = held(absorb_seconds=1800.0)
    assert transition(incident, again, context=CONTEXT, now=NOW + timedelta(minutes=10)).incident is None
    done = transition(incident, again, context=CONTEXT, now=NOW + timedelta(minutes=20))
    assert done.incident is not None
    assert (done.incident.absorbs_until, done.entries) == (NOW + timedelta(minutes=50), ())


@pytest.mark.parametrize("event", [EVERY[events.Acknowledge], EVERY[events.Note], EVERY[events.Touched]])
def test_time_spent_runs_from_the_first_touch(event: events.Event):
    """Whatever a person does first starts the clock, and nothing after it moves it."""
    first = do(declared(), event, 3)
    assert (first.touched_at, first.touched_by) == (NOW + timedelta(minutes=3), "bo")
    assert do(first, events.Note(actor="amira", text="x"), 9).touched_at == first.touched_at


def test_what_could_not_be_measured_is_said_once():
    """An unknown verdict stands on the timeline, once for each rule."""
    incident = do(declared(), EVERY[events.Unmeasured])
    assert incident.marks == ("burning?",)
    assert transition(incident, EVERY[events.Unmeasured], context=CONTEXT, now=NOW).incident is None


def test_severity_goes_down_by_a_person_without_a_page():
    """De-escalating is an entry and pages nobody; the severity that it has already changes nothing."""
    done = transition(declared(), events.Escalate(actor="bo", severity=Severity.SEV4), context=CONTEXT, now=NOW)
    assert done.incident is not None
    assert (done.incident.severity, done.pages) == (Severity.SEV4, ())
    assert [entry.text for entry in done.entries] == ["Severity SEV2 became SEV4"]
    again = transition(done.incident, events.Escalate(actor="bo", severity=Severity.SEV4), context=CONTEXT, now=NOW)
    assert (again.incident, again.pages, again.reason) == (None, (), "it is SEV4 already")


def test_clear_alerts_are_noted_though_a_person_resolves():
    """Of a data issue too it stands on the timeline that its alerts are clear, once, and that they are so no more."""
    incident = do(None, held(criterion=Criterion.DATA_ISSUE), 0)
    clear = AlertTally(resolved=1, clear_since=NOW)
    later = {"context": msgspec.structs.replace(CONTEXT, alerts=clear), "now": NOW + timedelta(minutes=15)}
    done = transition(incident, events.ClearDue(), **later)
    assert done.incident is not None
    assert [entry.kind.value for entry in done.entries] == ["objective_met"]
    assert transition(done.incident, events.ClearDue(), **later).incident is None
    over = transition(done.incident, events.ObjectivesMeasured(met={"alerts-clear": False}), context=CONTEXT, now=NOW)
    assert [entry.kind.value for entry in over.entries] == ["objective_unmet"]


def test_objective_that_was_checked_is_to_be_checked_again_after_reopening():
    """What was verified before says nothing of what broke since."""
    incident = do(msgspec.structs.replace(declared(), objectives=(VERIFIED,)), EVERY[events.ObjectiveChecked])
    assert (incident.status, incident.objectives[0].met_by) == ("resolved", "bo")
    assert do(incident, EVERY[events.Reopen]).objectives == (VERIFIED,)


def test_merging_keeps_whoever_is_on_either():
    """Roles that nobody holds are taken over; the commander of the other one becomes an engineer."""
    into = do(declared(), events.RoleGiven(actor="bo", role=Role.ENGINEER_IN_CHARGE, person="bo"))
    other = do(do(None, held(identity_key="o"), 0), events.RoleGiven(actor="bo", role=Role.COMMUNICATIONS, person="cy"))
    other = msgspec.structs.replace(
        other, id="INC-2026-0002", roles=msgspec.structs.replace(other.roles, incident_commander="dee")
    )
    after = do(into, events.TakenIn(actor="bo", other=other))
    roles = after.roles
    assert (roles.incident_commander, roles.communications, roles.engineer_in_charge) == ("amira", "cy", "bo")
    assert (roles.engineers, after.identity_keys) == (("dee",), ("k", "o"))


def test_merged_incident_counts_as_resolved_and_not_in_the_time_to_resolve():
    """Neither the metrics nor the statistics take its end for a resolution: the other one goes on."""
    done = transition(declared(), EVERY[events.MergedInto], context=CONTEXT, now=NOW + timedelta(minutes=5))
    assert done.incident is not None
    assert done.tally.fields == {"incidents_closed_total|critical|resolved": 1}
    assert (summary_of(done.incident).status, summary_of(done.incident).resolved) == ("resolved", None)
    assert [page.over for page in done.pages] == [True]
