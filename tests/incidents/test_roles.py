"""Roles: assigned by rotation where they are needed, given by people, handed over by acknowledgement, and told."""

from datetime import timedelta

import pytest
from builders import CRITICAL, NOW, ONCALL, rule_set

from incidents import events
from incidents.delivery import needless
from incidents.errors import TransitionNotAllowed
from incidents.transitions import Context, transition
from incidents.values import Role, Severity

RULES = rule_set(
    CRITICAL,
    ONCALL.replace("rotations:\n", "rotations:\n  comms: {order: [bo, amira]}\n").replace(
        "roles:\n", "roles:\n  communications: {rotation: comms}\n"
    ),
)
CONTEXT = Context(oncall=RULES.oncall, ruleset="r", new_id="INC-2026-0001")
LATER = NOW + timedelta(minutes=1)


def declare(severity: str):
    """What declaring at a severity does."""
    event = events.DeclaredByHand(
        actor="ada", title="Till", severity=Severity(severity), identity={"service": "x"}, identity_key="k"
    )
    return transition(None, event, context=CONTEXT, now=NOW)


@pytest.fixture
def incident():
    return declare("SEV3").incident


def give(incident, role: str, person: str | None, *, actor: str = "ada", at_once: bool = False):
    """What giving a role does."""
    event = events.RoleGiven(actor=actor, role=Role(role), person=person, at_once=at_once)
    return transition(incident, event, context=CONTEXT, now=LATER)


def acknowledge(incident, actor: str):
    """What an acknowledgement does."""
    return transition(incident, events.Acknowledge(actor=actor), context=CONTEXT, now=LATER)


def kinds(done) -> list[str]:
    return [entry.kind.value for entry in done.entries]


def test_roles_are_assigned_by_severity():
    """A grave incident has somebody for communications at once, who is told; a small one does not."""
    grave, small = declare("SEV2"), declare("SEV3")
    assert (grave.incident.roles.communications, small.incident.roles.communications) == ("bo", None)
    assert [(page.person, page.news.value) for page in grave.pages if page.over] == [("bo", "role")]
    assert [page.person for page in grave.pages if not page.over] == ["amira"]


def test_roles_are_assigned_when_an_incident_becomes_grave(incident):
    """The graver severity asks for communications."""
    done = transition(incident, events.Escalate(actor="ada", severity=Severity.SEV1), context=CONTEXT, now=LATER)
    assert done.incident.roles.communications == "bo"
    assert "role_assigned" in kinds(done)


def test_role_has_one_holder_and_both_are_told(incident):
    """Who has the role and who had it hear of it, with what happened on the timeline."""
    first = give(incident, "communications", "bo")
    second = give(first.incident, "communications", "amira")
    assert second.incident.roles.communications == "amira"
    assert kinds(second) == ["role_assigned"]
    assert sorted(page.person for page in second.pages) == ["amira", "bo"]
    gone = give(second.incident, "communications", None)
    assert gone.incident.roles.communications is None
    assert give(gone.incident, "communications", None).incident is None


def test_engineers_are_added(incident):
    """There may be several engineers."""
    done = give(give(incident, "engineer", "bo").incident, "engineer", "amira")
    assert done.incident.roles.engineers == ("bo", "amira")
    assert give(done.incident, "engineer", "bo").incident is None


def test_who_takes_a_role_for_themselves_is_not_told(incident):
    """Nobody is told of what they did."""
    assert give(incident, "engineer", "bo", actor="bo").pages == ()


def test_handover_waits_for_the_acknowledgement(incident):
    """The successor is paged with the brief; the old commander stays until it is acknowledged."""
    asked = give(incident, "incident_commander", "bo")
    assert asked.incident.roles.incident_commander == "amira"
    (page,) = asked.pages
    assert (page.person, page.role, page.over) == ("bo", "incident_commander", False)
    assert "please take over INC-2026-0001 from amira" in page.text
    assert needless(page, asked.incident) == ""
    done = acknowledge(asked.incident, "bo")
    assert done.incident.roles.incident_commander == "bo"
    assert kinds(done) == ["acknowledged", "handed_over"]
    assert [page.person for page in done.pages if page.over] == ["amira"]
    assert needless(page, done.incident) == "the handover is over"


def test_handover_of_an_acknowledged_incident_pages_and_ends(incident):
    """Somebody being on it does not keep the successor from being paged."""
    asked = give(acknowledge(incident, "amira").incident, "incident_commander", "bo")
    assert needless(asked.pages[0], asked.incident) == ""
    done = acknowledge(asked.incident, "bo")
    assert (done.reason, done.incident.roles.incident_commander) == ("handed over", "bo")
    assert acknowledge(asked.incident, "amira").incident is None


def test_handover_to_the_commander_is_refused_or_ends_the_one_under_way(incident):
    """Nobody hands over to themselves; naming the commander takes the asking back."""
    with pytest.raises(TransitionNotAllowed, match="commands it already"):
        give(incident, "incident_commander", "amira")
    asked = give(incident, "incident_commander", "bo")
    ended = give(asked.incident, "incident_commander", "amira")
    assert ended.incident.handover is None
    assert acknowledge(ended.incident, "bo").incident.roles.incident_commander == "amira"
    assert give(asked.incident, "incident_commander", "bo").incident is None


@pytest.mark.parametrize(("actor", "at_once"), [("bo", False), ("ada", True)])
def test_handover_at_once(incident, actor, at_once):
    """Who takes it themselves, and who says so, waits for nothing."""
    done = give(incident, "incident_commander", "bo", actor=actor, at_once=at_once)
    assert (kinds(done), done.incident.roles.incident_commander) == (["handed_over"], "bo")


def test_unacknowledging_pages_again(incident):
    """An acknowledgement that is taken back starts the clock from the first step."""
    taken = acknowledge(incident, "amira").incident
    done = transition(taken, events.Unacknowledge(actor="amira"), context=CONTEXT, now=LATER)
    assert (done.incident.status.value, done.incident.acknowledged_at) == ("declared", None)
    assert [(page.person, page.reason.value) for page in done.pages] == [("amira", "unacknowledged")]
    assert kinds(done) == ["unacknowledged"]
    assert done.incident.paging.next_at == LATER + timedelta(minutes=5)
    assert transition(incident, events.Unacknowledge(actor="amira"), context=CONTEXT, now=LATER).incident is None
