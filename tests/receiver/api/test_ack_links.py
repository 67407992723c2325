"""Links by which who was paged acknowledges: looking changes nothing, the button works once, and says who was first."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from incidents.events import Acknowledge, Resolve, RoleGiven
from incidents.links import MOST_INCIDENTS, link_for, seal, unseal
from incidents.sealed import BadLink
from incidents.store.links import signing_key
from incidents.values import Role

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def path_for(links, clock):
    """The path of a link for Amira."""

    def path(*named, person="amira"):
        with links.borrow() as link:
            key = signing_key(link)
        return "/ack/" + seal(link_for(person, "page-1", [one.id for one in named], clock.now), key)

    return path


def acknowledged_by(incidents, incident):
    return incidents.get(incident.id)[0].acknowledged_by


def test_ack_link_shows_a_button_and_changes_nothing(client, path_for, declare, incidents):
    """However often a scanner of mail follows it, by GET or HEAD."""
    incident = declare(title="<b>Down</b>")
    path = path_for(incident)
    for _ in range(3):
        shown = client.get(path, headers=BROWSER)
        assert client.head(path).status_code == 200
    assert shown.status_code == 200
    assert '<form method="post"><button type="submit" autofocus>Acknowledge</button></form>' in shown.text
    assert "&lt;b&gt;Down&lt;/b&gt;" in shown.text
    assert "<script" not in shown.text
    assert acknowledged_by(incidents, incident) == ""


def test_ack_link_acknowledges_by_post_without_session_or_token(client, path_for, declare, incidents):
    """As the person who was paged; a page in words comes back."""
    incident = declare()
    answer = client.post(path_for(incident), headers=BROWSER)
    assert answer.status_code == 200
    assert "Acknowledged by amira." in answer.text
    assert "<form" not in answer.text
    assert acknowledged_by(incidents, incident) == "amira"


def test_ack_link_works_once_and_then_says_who_was_first(client, path_for, declare, incidents, clock):
    """Also after paging began again: that page brings its own link."""
    incident = declare()
    path = path_for(incident)
    assert client.post(path).json["acknowledged"] == [incident.id]
    clock.advance(minutes=1)
    again = client.post(path)
    assert again.status_code == 200
    assert again.json["acknowledged"] == []
    assert "used by amira" in again.json["told"]
    assert "used by amira" in client.get(path, headers=BROWSER).text


def test_ack_link_says_that_somebody_else_was_first(client, path_for, declare, incidents, clock):
    """Two people at the same page: one wins, and the other reads who."""
    incident = declare()
    path = path_for(incident)
    incidents.apply(incident.id, Acknowledge(actor="bo"), now=clock.now)
    shown = client.get(path, headers=BROWSER)
    assert "acknowledged first by bo 0 s ago" in shown.text
    assert "<form" not in shown.text
    answer = client.post(path)
    assert answer.json["acknowledged"] == []
    assert "Somebody was faster" in answer.json["told"]
    assert acknowledged_by(incidents, incident) == "bo"


def test_ack_link_used_after_a_handover_changes_nothing(client, path_for, declare, incidents, clock):
    """While the successor is asked, and after that: the link of who handed over takes nothing back."""
    incident = declare()
    late, of_successor = path_for(incident), path_for(incident, person="bo")
    incidents.apply(incident.id, Acknowledge(actor="amira"), now=clock.now)
    given = RoleGiven(actor="amira", role=Role.INCIDENT_COMMANDER, person="bo")
    incidents.apply(incident.id, given, now=clock.now)
    shown = client.get(late, headers=BROWSER).text
    assert "bo was asked to take over from amira" in shown
    assert "<form" not in shown
    assert client.post(late).json["acknowledged"] == []
    assert incidents.get(incident.id)[0].handover.to == "bo"
    assert "<form" in client.get(of_successor, headers=BROWSER).text
    assert client.post(of_successor).json["acknowledged"] == [incident.id]
    clock.advance(minutes=1)
    after = client.post(path_for(incident))
    assert after.json["acknowledged"] == []
    assert incidents.get(incident.id)[0].roles.incident_commander == "bo"


def test_ack_link_of_a_bundle_acknowledges_all_of_it(client, path_for, declare, incidents, clock):
    """What is over already is left alone."""
    first, second, over = (declare(service) for service in ("a", "b", "c"))
    incidents.apply(over.id, Resolve(actor="bo", override="a false alarm"), now=clock.now)
    path = path_for(first, second, over)
    assert "Acknowledge all 2" in client.get(path, headers=BROWSER).text
    assert client.post(path).json["acknowledged"] == [first.id, second.id]
    assert acknowledged_by(incidents, second) == "amira"


def test_ack_link_of_a_merged_incident_acknowledges_the_one_that_goes_on(client, path_for, declare, incidents, clock):
    """Whoever was paged for it leads to the other one, and a link of both shows it once."""
    one, into = declare("a", title="One"), declare("b", title="Two")
    incidents.merge(one.id, into.id, actor="bo", now=clock.now)
    answer = client.post(path_for(one, into), headers={"Accept": "application/json"})
    assert [row["id"] for row in answer.json["incidents"]] == [into.id]
    assert acknowledged_by(incidents, into) == "amira"


def test_ack_link_expires(client, path_for, declare, incidents, clock):
    """After a day it neither shows nor acknowledges, and says what to use instead."""
    incident = declare()
    path = path_for(incident)
    clock.advance(hours=24)
    for call in (client.get, client.post):
        answer = call(path)
        assert answer.status_code == 410
        assert f"tocsin incidents acknowledge {incident.id}" in answer.json["hint"]
    assert acknowledged_by(incidents, incident) == ""


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "A", lambda t: "A" + t, lambda t: "x" * 5000])
def test_ack_link_that_is_not_whole_is_refused(client, path_for, declare, incidents, change):
    """A link that was cut, forged or made up is no link."""
    incident = declare()
    token = path_for(incident).removeprefix("/ack/")
    assert client.get("/ack/" + change(token)).status_code == 404
    assert client.post("/ack/" + change(token)).status_code == 404
    assert acknowledged_by(incidents, incident) == ""


def test_ack_link_that_does_not_work_tells_a_browser_where_to_go_on(client, path_for, declare, clock):
    """In words, with a way to sign in, and as locked up as the page of a link that works."""
    path = path_for(declare())
    clock.advance(hours=24)
    for address, status in (("/ack/made-up", 404), (path, 410)):
        answer = client.get(address, headers=BROWSER)
        assert answer.status_code == status
        assert '<a class="button" href="/incidents">Sign in' in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "<form" not in answer.text


def test_ack_link_is_signed_by_a_key_of_this_store(now):
    """Another key is another store."""
    token = seal(link_for("amira", "page-1", ["INC-2026-0001"], now), b"one")
    assert unseal(token, b"one").incidents == ("INC-2026-0001",)
    with pytest.raises(BadLink):
        unseal(token, b"two")


def test_ack_link_stays_short_enough_for_an_address(now):
    """A bundle of hundreds names its first twenty."""
    named = [f"INC-2026-{number:04}" for number in range(500)]
    link = link_for("amira", f"{named[0]}.1.1.1.amira", named, now)
    assert len(link.incidents) == MOST_INCIDENTS
    assert len(seal(link, b"k" * 64)) < 700
    assert link.expires_at == now + timedelta(hours=24)


def test_ack_page_keeps_itself_to_itself(client, path_for, declare):
    """No script, no frame, no referrer, no cache, no index."""
    headers = client.get(path_for(declare()), headers=BROWSER).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
