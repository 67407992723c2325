"""The page of the quarantine: what lies there, as it came, and sending it again."""

import msgspec
import pytest
from builders import alert

from incidents import keys
from incidents.quarantined import Quarantined
from incidents.store.codec import encode
from receiver.web.quarantine import plainly


@pytest.fixture
def put(links, clock):
    """Puts something into quarantine."""

    def putting(number, text):
        item = Quarantined(id=f"q{number}-x", at=clock.now, source="prod", reason="ZeroDivisionError: x", text=text)
        with links.borrow() as link:
            link.one("HSET", keys.quarantine(), item.id, encode(item))

    return putting


def test_quarantine_page_lists_and_shows(amira, put, clock):
    """The latest first, with the reason; further ones on further pages; whole on a page of its own."""
    assert "Nothing is in quarantine" in amira.get("/quarantine").text
    for number in range(100, 152):
        put(number, "{" + "x" * 600)
    clock.advance(minutes=2)
    page = amira.get("/quarantine").text
    assert page.count('<li class="card"') == 50
    assert page.index("q151-x") < page.index("q150-x")
    assert "ZeroDivisionError: x" in page
    assert "2 min</time> ago, from prod" in page
    assert '<a class="button" href="/quarantine?after=q102-x">More</a>' in page
    assert "q100-x" in amira.get("/quarantine?after=q102-x").text
    assert "{" + "x" * 600 in amira.get("/quarantine/q100-x").text
    assert amira.get("/quarantine/q9-x").status_code == 404


def test_quarantine_page_sends_again(browser_of, put, links):
    """An admin alone, and only what is an alert of ours; what came of it is told."""
    put(1, msgspec.json.encode(alert("DiskFull")).decode())
    put(2, "{}")
    ada, amira = browser_of("ada"), browser_of("amira")
    assert "An admin may send it" in amira.get("/quarantine/q1-x").text
    there = "/quarantine/q1-x/requeue"
    assert amira.post(there, "/rules").status_code == 403
    assert ada.post(there, "/quarantine/q1-x").status_code == 303
    page = ada.get("/quarantine").text
    assert "q1-x is in the stream again, as " in page
    assert "q1-x</a>" not in page
    assert ada.post(there, "/quarantine").status_code == 404
    refused = ada.post("/quarantine/q2-x/requeue", "/quarantine")
    assert refused.status_code == 409
    assert "q2-x cannot be requeued" in refused.text
    with links.borrow() as link:
        assert link.one("XLEN", keys.stream()) == 1


def test_quarantine_page_shows_what_does_not_show():
    """Controls and marks that turn others around stand as escapes; lines and letters stay."""
    assert plainly("é\n\t\x00\x1b[2J\u202e\u200b\ud800") == "é\n\t\\x00\\x1b[2J\\u202e\\u200b\\ud800"
