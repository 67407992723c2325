"""Test pages go the way of every page, are marked, and touch no incident."""

import pytest
from desk import Desk
from page_sink import PageSink

from incidents import keys
from incidents.errors import NotFound
from incidents.notices import notices
from incidents.store.commit import page_commands
from incidents.store.connection import Links, checked
from incidents.store.page_tests import acknowledge_test, begin_test, read_test


@pytest.fixture
def desk(store_url: str, links: Links, page_sink: PageSink) -> Desk:
    first, second = page_sink.url_for("/amira"), page_sink.url_for("/second")
    channels = f'[{{webhook: {{url: "{first}"}}}}, {{webhook: {{url: "{second}"}}}}]'
    return Desk(store_url, links, f"people: {{amira: {{channels: {channels}}}}}")


def test_test_page_is_delivered_and_marked(desk: Desk, page_sink: PageSink):
    """The sink gets a page of the reason `test`; the test says which channel took it, and no incident is there."""
    test = begin_test(desk.link, "amira", "ops", desk.rules.hash, desk.now)
    desk.work()
    page = page_sink.expect_page(path="/amira", reason="test", person="amira")
    assert "test page" in page["text"]
    assert page["incident"]["id"] == test.id
    after = read_test(desk.link, test.id)
    assert (after.channel, after.delivered_at, after.is_over, after.failed) == ("amira/1", desk.now, True, "")
    assert desk.link.one("ZCARD", keys.incidents()) == 0
    assert desk.link.one("ZCARD", keys.pages_due()) == 0
    assert desk.counter("pages_total|webhook|accepted") == 1


def test_test_page_that_nobody_takes_says_why(desk: Desk, page_sink: PageSink):
    """Each of the person's channels is tried, as for every page."""
    page_sink.always(404, path="/amira")
    page_sink.always(403, path="/second")
    test = begin_test(desk.link, "amira", "ops", desk.rules.hash, desk.now)
    desk.work()
    after = read_test(desk.link, test.id)
    assert (after.channel, after.delivered_at, after.is_over) == ("amira/2", None, True)
    assert "403" in after.failed


def test_test_page_is_acknowledged_once(desk: Desk):
    """Whoever comes second changes nothing."""
    test = begin_test(desk.link, "amira", "ops", desk.rules.hash, desk.now)
    assert acknowledge_test(desk.link, test.id, "amira", desk.now)
    assert not acknowledge_test(desk.link, test.id, "bo", desk.now)
    assert read_test(desk.link, test.id).acknowledged_by == "amira"


@pytest.mark.parametrize("name", ["TEST-", "TEST-0123456789abcdeg", "INC-2026-0001", "TEST-*", "TEST-0123456789abcdef"])
def test_test_page_that_is_none_is_not_found(desk: Desk, name: str):
    """Nothing else becomes part of a key."""
    with pytest.raises(NotFound):
        read_test(desk.link, name)


def test_notice_is_delivered_about_no_incident(desk: Desk, page_sink: PageSink):
    """It goes the way of every page, once, expects nothing, and leaves nothing behind."""
    pages = notices("OVR-1", "bo stands in", ["amira", "amira", "nobody"], desk.rules.oncall, desk.rules.hash, desk.now)
    checked(desk.link.ask([("MULTI",), *page_commands(pages), ("EXEC",)]))
    desk.work()
    told = page_sink.expect_message(path="/amira", type="announcement", person="amira")
    assert (told["text"], told["incident"], told["acknowledge_url"], told["incident_url"]) == (
        "bo stands in", {"id": "NOTICE-OVR-1"}, "", "",
    )  # fmt: skip
    assert desk.link.one("ZCARD", keys.incidents()) == desk.link.one("ZCARD", keys.pages_due()) == 0
