"""When policies page: within their hours, and again after silence."""

from datetime import UTC, datetime, timedelta

import pytest
from builders import CRITICAL, ONCALL, rule_set

from incidents import events
from incidents.store.commit import escalation_command
from incidents.transitions import Context, transition
from incidents.values import Severity

HOURS = '    hours: {weekdays: [mon, tue, wed, thu, fri], from: "09:00", until: "18:00", timezone: Europe/Berlin}\n'
FRIDAY_NIGHT = datetime(2026, 1, 9, 22, 0, tzinfo=UTC)
MONDAY = datetime(2026, 1, 12, 8, 0, tzinfo=UTC)


def context_of(extra: str) -> Context:
    """What transitions look at under a default policy with something more."""
    rules = rule_set(CRITICAL, ONCALL.replace("  default:\n", f"  default:\n{extra}"))
    return Context(oncall=rules.oncall, ruleset="r", new_id="INC-2026-0001")


IN_HOURS, REPAGES = context_of(HOURS), context_of("    repage_after: 1h\n")


def declare(context: Context, now: datetime, severity: str = "SEV3"):
    event = events.DeclaredByHand(
        actor="ada", title="Till", severity=Severity(severity), identity={"service": "x"}, identity_key="k"
    )
    return transition(None, event, context=context, now=now)


def test_policy_waits_for_its_hours():
    """Outside of the hours nobody is paged; the timeline says until when, and then the first step pages."""
    done = declare(IN_HOURS, FRIDAY_NIGHT)
    assert done.pages == ()
    suppressed = done.entries[-1]
    assert (suppressed.kind.value, suppressed.data["reason"]) == ("page_suppressed", "hours")
    assert suppressed.data["due"] == MONDAY.isoformat()
    assert done.tally.fields["pages_suppressed_total|hours"] == 1
    assert done.incident.paging.next_at == MONDAY
    begun = transition(done.incident, events.StepDue(), context=IN_HOURS, now=MONDAY)
    assert [(page.person, page.step, page.reason.value) for page in begun.pages] == [("amira", 1, "declared")]
    assert begun.incident.paging.next_at == MONDAY + timedelta(minutes=5)
    assert [entry.kind.value for entry in begun.entries] == []


def test_policy_pages_within_its_hours():
    """Within the hours it is as without."""
    assert len(declare(IN_HOURS, MONDAY).pages) == 1


def test_hours_do_not_hold_for_the_gravest():
    """A SEV1 pages at night, and so does what becomes one."""
    assert len(declare(IN_HOURS, FRIDAY_NIGHT, "SEV1").pages) == 1
    waiting = declare(IN_HOURS, FRIDAY_NIGHT).incident
    graver = events.Escalate(actor="ada", severity=Severity.SEV1)
    assert len([p for p in transition(waiting, graver, context=IN_HOURS, now=FRIDAY_NIGHT).pages if not p.over]) == 1


def test_paging_under_way_goes_on_after_hours():
    """What began within the hours is not silenced by a graver severity after them."""
    begun = declare(IN_HOURS, MONDAY + timedelta(hours=8, minutes=58)).incident
    graver = events.Escalate(actor="ada", severity=Severity.SEV2)
    after = transition(begun, graver, context=IN_HOURS, now=MONDAY + timedelta(hours=9, minutes=1)).incident
    assert after.paging.next_at == begun.paging.next_at


@pytest.fixture
def acknowledged():
    """An incident that was acknowledged on Monday at its declaration."""
    return transition(
        declare(REPAGES, MONDAY).incident, events.Acknowledge(actor="amira"), context=REPAGES, now=MONDAY
    ).incident


def test_silence_after_an_acknowledgement_pages_again(acknowledged):
    """An hour after the acknowledgement the first step pages again, and an acknowledgement stops it."""
    due = MONDAY + timedelta(hours=1)
    assert escalation_command(acknowledged)[2] == int(due.timestamp() * 1000)
    early = transition(acknowledged, events.StepDue(), context=REPAGES, now=due - timedelta(seconds=1))
    assert early.incident is None
    done = transition(acknowledged, events.StepDue(), context=REPAGES, now=due)
    assert [entry.kind.value for entry in done.entries] == ["unacknowledged"]
    assert [page.reason.value for page in done.pages] == ["unacknowledged"]
    assert done.incident.paging.next_at == due + timedelta(minutes=5)
    again = transition(done.incident, events.Acknowledge(actor="amira"), context=REPAGES, now=due).incident
    assert (again.paging.next_at, again.paging.repage_at) == (None, due + timedelta(hours=1))


def test_silence_ends_with_whatever_a_person_does(acknowledged):
    """A note puts the paging off; what a rule finds does not."""
    later = MONDAY + timedelta(minutes=30)
    noted = transition(acknowledged, events.Note(actor="amira", text="On it"), context=REPAGES, now=later).incident
    assert noted.paging.repage_at == later + timedelta(hours=1)


def test_silence_matters_no_more_once_it_is_mitigated(acknowledged):
    """What is mitigated or resolved does not page again."""
    for event in (events.Mitigate(actor="amira"), events.Resolve(actor="amira", override="seen")):
        after = transition(acknowledged, event, context=REPAGES, now=MONDAY).incident
        assert after.paging.repage_at is None
        assert escalation_command(after)[0] == "ZREM"
