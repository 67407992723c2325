"""The status page: shared by a link that expires, shows a little and nothing else, and ends when it should."""

import html
import re
from datetime import timedelta

import msgspec
import pytest
from builders import CRITICAL, ONCALL, rule_set

from incidents import keys
from incidents.events import Acknowledge, Communicated, Note
from incidents.sealed import BadLink
from incidents.status_page import StatusLink, said_in, seal, unseal
from incidents.store.codec import encode
from incidents.timeline import EntryKind, TimelineEntry
from receiver.app import create_app

BASE = "https://tocsin.example"
HOSTILE = "<script>alert(1)</script> {{ config }}"
AUDIENCES = """
channels: {wall: {webhook: {url: "http://127.0.0.1:9/wall"}}}
audiences:
  customers: {channels: [wall], kind: customers}
  board: {channels: [wall]}
"""


@pytest.fixture
def rules():
    return rule_set(CRITICAL, ONCALL + AUDIENCES)


@pytest.fixture
def told(declare, incidents, clock):
    """An incident of which two audiences were told, and people noted what is nobody else's business."""
    incident = declare("ledger-host-17", severity="SEV1", title="Title from an alert of host-17")
    for event in (
        Acknowledge(actor="bo", note="only for us"),
        Communicated(actor="amira", audience="customers", text=f"Payments fail {HOSTILE}", channel="", send=False),
        Communicated(actor="amira", audience="board", text="It costs us a lot", channel="", send=True),
        Note(actor="bo", text="bo told customers: nothing"),
    ):
        incidents.apply(incident.id, event, now=clock.now)
    return incident


def share(browser, incident, **fields):
    """Share the status page of an incident and return the path of its link."""
    path = f"/incidents/{incident.id}"
    page = browser.post(f"{path}/share", path, **{"audience": "", "days": "1", **fields})
    assert page.status_code == 200, page.text
    found = re.search(r"<textarea[^>]*>https://tocsin\.example(/status/[^<]+)</textarea>", page.text)
    return html.unescape(found[1])


def test_status_page_shows_what_stakeholders_need_and_nothing_else(amira, stranger, told):
    """State, summary and communications, to whoever has the link: no title, no name, no entry, no way further."""
    path = f"/incidents/{told.id}"
    etag = html.unescape(re.search(r'name="etag" value="([^"]*)"', amira.get(path).text)[1])
    amira.post(f"{path}/document", path, summary="Nobody can pay", etag=etag)
    answer = stranger.get(share(amira, told))
    page = answer.text
    assert answer.status_code == 200
    for there in ("SEV1", "acknowledged", "Somebody is working on it.", "Nobody can pay", "It costs us a lot"):
        assert there in page, there
    assert "Payments fail &lt;script&gt;alert(1)" in page
    for hidden in ("host-17", "amira", "bo ", "only for us", "board", "customers", "<form", "<script", "<a "):
        assert hidden not in page, hidden
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


def test_status_page_for_one_audience_shows_what_that_was_told(amira, stranger, told):
    """What others were told is not in it."""
    page = stranger.get(share(amira, told, audience="customers")).text
    assert "Payments fail" in page
    assert "It costs us a lot" not in page


def test_status_page_ends(amira, stranger, told, clock):
    """After its time, and where somebody ends every link; a new one holds."""
    there = share(amira, told)
    clock.advance(seconds=1)
    path = f"/incidents/{told.id}"
    assert amira.post(f"{path}/share/end", path).status_code == 303
    ended = stranger.get(there)
    assert (ended.status_code, "shows nothing any more" in ended.text) == (404, True)
    clock.advance(seconds=1)
    again = share(amira, told, days="3")
    assert stranger.get(again).status_code == 200
    clock.advance(days=3)
    assert stranger.get(again).status_code == 404
    audit = stranger.get("/api/v1/audit", headers={"Authorization": "Bearer token-of-ada"}).json["entries"]
    made = [each["action"].split()[0] for each in audit if each["action"].endswith("/status_links")]
    assert made == ["POST", "DELETE", "POST"]
    for wrong in ("/status/x", f"{again[:-2]}aa", f"/status/{'x' * 3000}"):
        assert stranger.get(wrong).text == ended.text


def test_status_page_is_shared_by_who_may_see_the_incident(amira, stranger, told, deps):
    """It ends where that person may no longer, or has no token any more; days and audience are those offered."""
    path = f"/incidents/{told.id}"
    there = share(amira, told)
    assert amira.post(f"{path}/share", path, days="400").status_code == 422
    assert amira.post(f"{path}/share", path, days="1", audience="everyone").status_code == 422
    fewer = msgspec.structs.replace(deps, api_tokens=tuple(each for each in deps.api_tokens if each.name != "amira"))
    assert create_app(fewer).test_client().get(there, base_url=BASE).status_code == 404
    assert stranger.get(there).status_code == 200


def test_status_page_of_an_incident_that_became_restricted(browser_of, stranger, declare, links):
    """The link of somebody to whom the incident no longer exists shows nothing; that of an admin goes on."""
    incident, bo = declare("vault"), browser_of("bo")
    of_bystander, of_admin = share(bo, incident), share(browser_of("ada"), incident)
    assert stranger.get(of_bystander).status_code == 200
    with links.borrow() as link:
        hidden = msgspec.structs.replace(incident, restricted=True)
        link.one("SET", keys.incident(incident.id), encode(hidden))
    assert stranger.get(of_bystander).status_code == 404
    assert stranger.get(of_admin).status_code == 200
    assert bo.post(f"/incidents/{incident.id}/share", "/rules", days="1").status_code == 404


def test_status_page_links_are_listed_and_ended_one_by_one(amira, stranger, told, clock):
    """The page lists them without their addresses; the others go on."""
    first = share(amira, told)
    clock.advance(seconds=1)
    second = share(amira, told, audience="board", days="7")
    path = f"/incidents/{told.id}/share"
    page = amira.get(path).text
    assert page.count("made by amira") == 2
    assert "/status/" not in page
    newest = re.search(r'name="link" value="([^"]*)"', page)[1]
    assert page.index("What board was told") < page.index(newest) < page.index("Everything that was told")
    assert amira.post(f"{path}/end", path, link=newest).status_code == 303
    assert (stranger.get(first).status_code, stranger.get(second).status_code) == (200, 404)
    assert amira.post(f"{path}/end", path, link=newest).status_code == 404


def test_status_link_is_read_as_it_was_sealed(now):
    """With the key of the installation alone, and not as the link of a page."""
    link = StatusLink(
        incident="INC-2026-0001", by="amira", audience="", made_at=now, expires_at=now + timedelta(days=1)
    )
    assert unseal(seal(link, b"key"), b"key") == link
    for token, key in ((seal(link, b"key"), b"other"), ("x", b"key"), ("x" * 2000, b"key")):
        with pytest.raises(BadLink):
            unseal(token, key)


def test_status_page_says_nothing_that_is_no_communication(now):
    """An entry whose words are not known for certain is left out."""
    entry = TimelineEntry(
        id="1-0",
        at=now,
        kind=EntryKind.COMMUNICATION,
        actor="amira",
        text="The audience board was told",
        data={"audience": "board"},
    )
    assert said_in(entry) == ""
