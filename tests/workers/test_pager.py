"""The page worker over a real Valkey and a real page sink: pages go out, are retried, escalate, and stop."""

from datetime import timedelta

import pytest
from builders import CRITICAL, NOW, rule_set
from page_sink import PageSink
from page_sink_fixture import page_sink  # noqa: F401 - a fixture

from incidents import keys
from incidents.events import Acknowledge, DeclaredByHand, Resolve
from incidents.incident import Incident
from incidents.store.codec import decode_entry
from incidents.store.connection import Link, Links, client_for
from incidents.store.incidents import Incidents
from incidents.store.pages import claim, unclaim
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from incidents.values import Severity
from workers.dispatch import Dispatcher
from workers.pager import Pager

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


class Desk:
    """A store, a page worker and a sink, under a clock that the test moves."""

    def __init__(self, url: str, links: Links, sink: PageSink) -> None:
        self.url, self.sink, self.now = url, sink, NOW
        oncall = ONCALL.format(
            amira=sink.url_for("/amira"), second=sink.url_for("/amira-second"), bo=sink.url_for("/bo")
        )
        rules = rule_set(CRITICAL, oncall)
        self.link = Link(url, scripts=ALL)
        self.link.one("SET", keys.rules_current(), rules.hash)
        self.incidents = Incidents(links, lambda _: rules.oncall)
        self.rules = rules

    def declare(self) -> Incident:
        event = DeclaredByHand(
            actor="ops", title="Down", severity=Severity.SEV1, identity={"service": "db"}, identity_key="k1"
        )
        return self.incidents.declare(event, now=self.now).incident

    def work(self, seconds: float = 0.2, owner: str = "host|1|a") -> None:
        dispatcher = Dispatcher()
        pager = Pager(
            url=self.url,
            owner=owner,
            waker=Waker(client_for(self.url)),
            incidents=self.incidents,
            oncall=lambda _: self.rules.oncall,
            dispatcher=dispatcher,
            external_url="http://tocsin.example",
            now=lambda: self.now,
        )
        pager.linger(timedelta(seconds=seconds))
        dispatcher.close(1)
        self.link.one("DEL", keys.pager_lingers())

    def kinds(self, name: str) -> list[str]:
        rows = self.link.one("XRANGE", keys.timeline(name), "-", "+")
        return [decode_entry(row[1][1]).kind.value for row in rows]


@pytest.fixture
def desk(store_url: str, links: Links, page_sink: PageSink) -> Desk:  # noqa: F811
    return Desk(store_url, links, page_sink)


def test_pager_pages_the_commander_at_once_and_only_once(desk: Desk):
    """The page has the fields of the contract, is recorded on the timeline, and is gone."""
    incident = desk.declare()
    desk.work()
    page = desk.sink.expect_page(path="/amira", person="amira", step=1, round=1, reason="declared", repeat=False)
    assert page["incident"]["id"] == incident.id
    assert page["dedup_key"] == incident.dedup_key
    assert desk.kinds(incident.id)[-1] == "page_sent"
    assert desk.link.one("ZCARD", keys.pages_due()) == 0
    assert desk.link.one("KEYS", keys.page("*")) == []


def test_pager_escalates_until_the_policy_is_exhausted(desk: Desk):
    """Nobody acknowledges: the next in turn is paged, then the round begins again, then the policy is exhausted."""
    incident = desk.declare()
    desk.work()
    for _ in range(4):
        desk.now += timedelta(minutes=5, seconds=1)
        desk.work()
    paths = [("/amira", 1, 1), ("/bo", 2, 1), ("/amira", 1, 2), ("/bo", 2, 2)]
    for path, step, of_round in paths:
        desk.sink.expect_page(path=path, step=step, round=of_round, dedup_key=incident.dedup_key)
    assert desk.kinds(incident.id).count("page_exhausted") == 1
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


def test_pager_tells_who_was_paged_that_it_is_over(desk: Desk):
    """A resolved incident is told to everybody who was paged for it."""
    incident = desk.declare()
    desk.work()
    desk.incidents.apply(incident.id, Resolve(actor="bo"), now=desk.now)
    desk.work()
    desk.sink.expect_page(path="/amira", type="page")
    desk.sink.expect_page(path="/amira", type="page_resolved")


def test_pager_tries_the_next_channel_when_one_fails_for_good(desk: Desk):
    """A permanent refusal goes to the person's next channel at once, and both are on the timeline."""
    desk.sink.always(404, path="/amira")
    incident = desk.declare()
    desk.work(0.4)
    desk.sink.expect_page(path="/amira-second", person="amira")
    assert [kind for kind in desk.kinds(incident.id) if kind.startswith("page_")] == ["page_failed", "page_sent"]


def test_pager_tries_again_what_failed_for_now(desk: Desk):
    """A 503 is tried again on the same channel after its delay, under the same page id."""
    desk.sink.script(503, 200, path="/amira")
    incident = desk.declare()
    desk.work()
    desk.now += timedelta(seconds=3)
    desk.work()
    page = desk.sink.expect_page(path="/amira", attempt=2, repeat=False)
    assert page["page_id"] == f"{incident.id}.1.1.1.amira"


def test_pager_marks_what_a_dead_worker_may_have_sent_as_a_repeat(desk: Desk):
    """A claim whose worker died is taken over, and the page says that it may be a repeat."""
    desk.declare()
    assert len(claim(desk.link, "host|7|dead", desk.now)) == 1
    desk.work()
    assert desk.sink.unclaimed() == []
    assert unclaim(desk.link, "host|7|", desk.now) == 1
    desk.work()
    desk.sink.expect_page(path="/amira", repeat=True, attempt=2)
