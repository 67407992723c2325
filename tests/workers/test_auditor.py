"""The auditor over a real Valkey: a paging step that is missing comes back, and the outside hears while all is well."""

from datetime import timedelta

import pytest
from desk import Desk
from page_sink import CLOSE, PageSink

from incidents import keys
from incidents.clock import to_ms
from incidents.events import Acknowledge
from incidents.store.connection import Link, Links
from workers.auditor import Auditor
from workers.channels.http import HttpClient

ONCALL = "people: {amira: {channels: [console]}}\npaging: {default: {steps: [{page: amira, acknowledge_within: 5m}]}}"


@pytest.fixture
def desk(store_url: str, links: Links) -> Desk:
    return Desk(store_url, links, ONCALL)


def auditor(desk: Desk, heartbeat_url: str = "") -> Auditor:
    """An auditor that looks whenever the test says."""
    desk.link.one("DEL", keys.audited())
    return Auditor(Link(desk.url), heartbeat_url=heartbeat_url, client=HttpClient())


def test_auditor_sets_a_missing_step_again(desk: Desk):
    """Deleted or put off by whatever: it is due when the incident says, and counted."""
    incidents = [desk.declare(service) for service in ("a", "b", "c")]
    lost, late, good = (incident.id for incident in incidents)
    due = to_ms(desk.now + timedelta(minutes=5))
    desk.link.one("ZREM", keys.escalations(), lost)
    desk.link.one("ZADD", keys.escalations(), due + 60_000, late)
    audited = auditor(desk).look()
    assert audited is not None
    assert (audited.looked_at, set(audited.repaired)) == (3, {lost, late})
    assert {name: desk.link.one("ZSCORE", keys.escalations(), name) for name in (lost, late, good)} == {
        name: str(due).encode() for name in (lost, late, good)
    }
    assert desk.counter("paging_steps_repaired_total") == 2
    assert auditor(desk).look().repaired == ()


def test_auditor_leaves_alone_what_waits_for_nobody(desk: Desk):
    """An acknowledged incident has no next step."""
    incident = desk.declare()
    desk.incidents.apply(incident.id, Acknowledge(actor="bo"), now=desk.now)
    assert auditor(desk).look().repaired == ()
    assert desk.link.one("ZCARD", keys.escalations()) == 0


def test_auditor_looks_once_for_all_processes(desk: Desk):
    """Whoever comes second within the quarter of a minute has nothing to do."""
    first = auditor(desk)
    second = Auditor(Link(desk.url), heartbeat_url="", client=HttpClient())
    assert first.look() is not None
    assert second.look() is None


def test_auditor_pings_only_while_all_is_well(desk: Desk, page_sink: PageSink):
    """Without a decider or a page worker there is no ping; one that fails does no harm."""
    url = page_sink.url_for("/ping")
    auditor(desk, url).look()
    assert page_sink.received == []
    desk.link.one("SET", keys.lease(), "x")
    desk.link.one("SET", keys.pager_lingers(), "x")
    auditor(desk, url).look()
    assert page_sink.claim(lambda one: one.path == "/ping").method == "GET"
    page_sink.script(CLOSE, 503, path="/ping")
    assert auditor(desk, url).look() is not None
    assert auditor(desk, url).look() is not None
