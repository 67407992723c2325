"""The page worker over a real Valkey and a real page sink: pages go out, are retried, escalate, and stop."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from desk import Desk
from page_sink import PageSink

from incidents import keys
from incidents.events import Acknowledge, Resolve, StepDue
from incidents.measures import Measures
from incidents.store.connection import Links
from incidents.store.pages import claim, unclaim
from incidents.values import Severity

ONCALL = """
people:
  amira: {{channels: [{{webhook: {{url: "{amira}"}}}}, {{webhook: {{url: "{second}"}}}}]}}
  bo: {{channels: [{{webhook: {{url: "{bo}"}}}}]}}
rotations:
  commanders:
    timezone: UTC
    handoff: {{every: 1w, weekday: monday, at: "00:00", starting: 2026-01-05}}
    order: [amira, bo]
roles:
  incident_commander: {{rotation: commanders}}
paging:
  default:
    steps:
    - {{page: incident_commander, acknowledge_within: 5m}}
    - {{page: rotation:commanders+1, acknowledge_within: 5m}}
    rounds: 2
"""


@pytest.fixture
def desk(store_url: str, links: Links, page_sink: PageSink) -> Desk:
    oncall = ONCALL.format(
        amira=page_sink.url_for("/amira"), second=page_sink.url_for("/amira-second"), bo=page_sink.url_for("/bo")
    )
    return Desk(store_url, links, oncall)


def test_pager_pages_the_commander_at_once_and_only_once(desk: Desk, page_sink: PageSink):
    """The page has the fields of the contract, is recorded on the timeline, and is gone."""
    incident = desk.declare()
    desk.work()
    page = page_sink.expect_page(path="/amira", person="amira", step=1, round=1, reason="declared", repeat=False)
    assert page["incident"]["id"] == incident.id
    assert page["dedup_key"] == incident.dedup_key
    assert desk.kinds(incident.id)[-1] == "page_sent"
    assert desk.link.one("ZCARD", keys.pages_due()) == 0
    assert desk.link.one("KEYS", keys.page("*")) == []


def test_pager_escalates_until_the_policy_is_exhausted(desk: Desk, page_sink: PageSink):
    """Nobody acknowledges: the next in turn is paged, then the round begins again, then the policy is exhausted."""
    incident = desk.declare()
    desk.work()
    for _ in range(4):
        desk.now += timedelta(minutes=5, seconds=1)
        desk.work()
    paths = [("/amira", 1, 1), ("/bo", 2, 1), ("/amira", 1, 2), ("/bo", 2, 2)]
    for path, step, of_round in paths:
        page_sink.expect_page(path=path, step=step, round=of_round, dedup_key=incident.dedup_key)
    assert desk.kinds(incident.id).count("page_exhausted") == 1
    assert desk.link.one("HGET", keys.counters(), Measures.PAGES.field("none", "exhausted")) == b"1"
    assert desk.link.one("ZCARD", keys.escalations()) == 0


def test_pager_stops_when_somebody_acknowledges(desk: Desk):
    """After an acknowledgement nobody else is paged, and a page that was still due is suppressed and says so."""
    incident = desk.declare()
    desk.incidents.apply(incident.id, Acknowledge(actor="bo"), now=desk.now)
    desk.work()
    desk.now += timedelta(hours=1)
    desk.work()
    assert "page_suppressed" in desk.kinds(incident.id)
    assert desk.link.one("ZCARD", keys.escalations()) == 0


def test_pager_tells_who_was_paged_that_it_is_over(desk: Desk, page_sink: PageSink):
    """A resolved incident is told to everybody who was paged for it."""
    incident = desk.declare()
    desk.work()
    desk.incidents.apply(incident.id, Resolve(actor="bo"), now=desk.now)
    desk.work()
    page_sink.expect_page(path="/amira", type="page")
    page_sink.expect_page(path="/amira", type="page_resolved")


def test_pager_tries_the_next_channel_when_one_fails_for_good(desk: Desk, page_sink: PageSink):
    """A permanent refusal goes to the person's next channel at once, and both are on the timeline."""
    page_sink.always(404, path="/amira")
    incident = desk.declare()
    desk.work()
    page_sink.expect_page(path="/amira-second", person="amira")
    assert [kind for kind in desk.kinds(incident.id) if kind.startswith("page_")] == ["page_failed", "page_sent"]


def test_pager_tries_again_what_failed_for_now(desk: Desk, page_sink: PageSink):
    """A 503 is tried again on the same channel after its delay, under the same page id."""
    page_sink.script(503, 200, path="/amira")
    incident = desk.declare()
    desk.work()
    desk.now += timedelta(seconds=3)
    desk.work()
    page = page_sink.expect_page(path="/amira", attempt=2, repeat=False)
    assert page["page_id"] == f"{incident.id}.1.1.1.amira"


def test_pager_marks_what_a_dead_worker_may_have_sent_as_a_repeat(desk: Desk, page_sink: PageSink):
    """A claim whose worker died is taken over, and the page says that it may be a repeat."""
    desk.declare()
    assert len(claim(desk.link, "host|7|dead", desk.now).pages) == 1
    desk.work()
    assert page_sink.unclaimed() == []
    assert unclaim(desk.link, "host|7|", desk.now) == 1
    desk.work()
    page_sink.expect_page(path="/amira", repeat=True, attempt=2)


def test_pager_and_an_acknowledgement_at_the_same_instant_have_one_winner(desk: Desk, page_sink: PageSink):
    """Whichever comes first, nobody is paged after the acknowledgement, and nothing is scheduled any more."""
    incidents = [desk.declare(f"s{number}", severity=Severity.SEV3) for number in range(8)]
    desk.link.one("DEL", keys.pages_due())  # what was paged before
    for incident in incidents:
        due = incident.paging.next_at
        events = (StepDue(), Acknowledge(actor="amira"))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda event: desk.incidents.apply(incident.id, event, now=due), events))  # noqa: B023
        after, _ = desk.incidents.get(incident.id)
        assert (after.status.value, after.paging.next_at) == ("acknowledged", None)
        kinds = desk.kinds(incident.id)
        assert "page_escalated" not in kinds[kinds.index("acknowledged") :]
        assert desk.link.one("ZSCORE", keys.escalations(), incident.id) is None
    desk.work()
    assert page_sink.received == []
