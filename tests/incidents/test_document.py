"""What people do to the live state document, as transitions; audiences in their own words; who operates."""

from datetime import timedelta

import pytest
from builders import CRITICAL, NOW, ONCALL, rule_set
from msgspec.structs import replace

from incidents import events
from incidents.document.operating import is_outside
from incidents.document.review import in_words
from incidents.document.templates import filled, unknown_names
from incidents.document.versions import difference, tag_of
from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident, Stakeholder
from incidents.transitions import Context, StaleDocument, transition
from incidents.values import IncidentStatus, Role, Severity

AUDIENCES = """
channels: {page: {webhook: {url: "http://127.0.0.1:9/page"}}, chat: {webhook: {url: "http://127.0.0.1:9/chat"}}}
announce: [page]
audiences: {customers: [page], staff: [chat]}
"""
CONTEXT = Context(oncall=rule_set(CRITICAL, ONCALL + AUDIENCES).oncall, ruleset="r", new_id="INC-2026-0001")


@pytest.fixture
def incident() -> Incident:
    event = events.DeclaredByHand(
        actor="ops",
        title="Disk full",
        severity=Severity.SEV2,
        identity={"service": "db"},
        identity_key="k",
        customers=(Stakeholder(name="shoppers", kind="customer", external=True),),
    )
    after = transition(None, event, context=CONTEXT, now=NOW).incident
    assert after is not None
    return after


def do(incident, event, minutes=1):
    return transition(incident, event, context=CONTEXT, now=NOW + timedelta(minutes=minutes))


def test_document_two_edits_at_once_lose_neither(incident):
    """The second of two who read the same is refused; every text that was taken is among the versions."""
    seen = tag_of(incident)
    first = do(incident, events.DocumentEdited(actor="amira", seen=seen, summary="One"))
    with pytest.raises(StaleDocument) as stale:
        do(first.incident, events.DocumentEdited(actor="bo", seen=seen, summary="Two"))
    assert stale.value.tag == tag_of(first.incident) != seen
    second = do(first.incident, events.DocumentEdited(actor="bo", seen=stale.value.tag, summary="Two"))
    assert [version.text for done in (first, second) for version in done.written] == ["One", "Two"]
    assert second.incident.version == first.incident.version + 1


def test_document_customers_of_the_slo_have_to_know(incident):
    """They are among the stakeholders, with when and that they are outside."""
    (shoppers,) = incident.stakeholders
    assert (shoppers.name, shoppers.kind, shoppers.external, shoppers.at) == ("shoppers", "customer", True, NOW)


def test_communication_to_customers_bears_nothing_but_its_text(incident):
    """Those outside get the text alone, staff with what it is about; the same channel is not announced to as well."""
    said = events.Communicated(actor="bo", audience="customers", text="We are on it", send=True)
    (page,) = do(incident, said).pages
    assert (page.person, page.text, page.bare, page.audience) == ("channel:page", "We are on it", True, "customers")
    staff, announced = do(incident, replace(said, audience="staff")).pages
    assert (staff.bare, staff.text) == (False, "INC-2026-0001 (SEV2) Disk full: We are on it")
    assert (announced.channel, announced.audience) == ("page", "")
    secret = replace(incident, restricted=True)
    assert [each.bare for each in do(secret, replace(said, audience="staff")).pages] == [True]


@pytest.mark.parametrize(("audience", "channel"), [("nobody", ""), ("staff", "page")])
def test_communication_without_a_channel_is_refused(incident, audience, channel):
    """Rules may have changed since the caller was checked: then nothing is written."""
    said = events.Communicated(actor="bo", audience=audience, text="x", channel=channel, send=True)
    with pytest.raises(TransitionNotAllowed):
        do(incident, said)


def test_task_in_a_restricted_incident_tells_no_title(incident):
    """Who may not see the incident is told the task alone."""
    given = events.TaskGiven(actor="amira", text="Look at the logs", person="bo")
    (page,) = do(replace(incident, restricted=True), given).pages
    assert (page.text, page.bare) == ("INC-2026-0001: amira asks you to: Look at the logs", True)
    (open_to_all,) = do(incident, given).pages
    assert "Disk full" in open_to_all.text
    assert do(incident, replace(given, person="amira")).pages == ()


def test_handover_tells_of_report_and_tasks(incident):
    """Who takes over hears how old the status report is, and what is still to be done by whom."""
    reported = do(incident, events.DocumentEdited(actor="amira", seen="*", status_report="Full")).incident
    given = do(reported, events.TaskGiven(actor="amira", text="Look", person="bo")).incident
    asked = events.RoleGiven(actor="amira", role=Role.INCIDENT_COMMANDER, person="bo")
    text = do(given, asked, minutes=9).pages[0].text
    assert "Tasks open: Look (bo).\nStatus report: version 1 by amira, 8 min old." in text


def test_actions_from_outside_of_the_group_are_marked(incident):
    """The commander, the engineer in charge and the engineers operate; nobody is outside of a group of nobody."""
    assert is_outside(incident, "bo")
    assert not is_outside(incident, "amira")
    engineer = do(incident, events.RoleGiven(actor="amira", role=Role.ENGINEER, person="bo")).incident
    done = do(engineer, events.ActionTaken(actor="bo", action="restart", text="db"))
    assert "outside" not in done.entries[0].data
    assert not is_outside(replace(incident, roles=type(incident.roles)()), "bo")


@pytest.mark.parametrize("status", IncidentStatus)
def test_templates_fill_for_every_status(incident, status):
    """Every kind of audience has words for every status, and no hole is left."""
    closed = replace(incident, status=status, resolved_at=NOW, summary="{{ title }} $1 \\1")
    for kind in ("internal", "external", "customers"):
        text = filled("", kind, closed, NOW, NOW + timedelta(minutes=5))
        assert "{{ title }} $1 \\1" in text  # data, and never read as a template
        assert "{{ s" not in text
        assert "\n\n\n" not in text
    assert unknown_names("{{ summary }} {{labels.x}}") == ["labels.x"]


def test_words_of_spans_and_differences():
    """Spans read as people say them; a difference is unified, and none is empty."""
    spans = [timedelta(seconds=59), timedelta(minutes=61), timedelta(days=2, minutes=3)]
    assert [in_words(span) for span in spans] == ["less than a minute", "1 h 1 min", "2 d 3 min"]
    assert difference("a", "a", names=("x", "y")) == ""
    assert difference("a\nb", "a\nc", names=("x", "y")).splitlines()[-2:] == ["-b", "+c"]
