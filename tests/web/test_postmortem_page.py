"""The page of a post-mortem: read, written with versions, reviewed, published, printed."""

import html
import re

import pytest
from msgspec.structs import replace

from incidents import events, keys
from incidents.store.codec import encode


def hidden(page, name="etag"):
    return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', page)[1])


@pytest.fixture
def over(declare, incidents, clock):
    """An incident that is over."""
    incident = declare(title="Payments failed")
    clock.advance(minutes=7)
    incidents.apply(incident.id, events.Acknowledge(actor="bo", note=""), now=clock.now)
    incidents.apply(incident.id, events.Resolve(actor="bo", note="", override="it is"), now=clock.now)
    return incident


@pytest.fixture
def path(over):
    return f"/incidents/{over.id}/postmortem"


def test_postmortem_page_is_written_reviewed_and_published(amira, over, path):
    """Section by section; once it is published nothing can be written until it is taken back."""
    page = amira.get(path).text
    assert "nobody has written in it yet" in page
    assert "time to acknowledge, from declared" in page
    assert amira.post(path, path, impact="Nobody could pay", etag=hidden(page)).status_code == 303
    page = amira.get(path).text
    assert '<p class="prose">Nobody could pay</p>' in page
    assert "version 1, amira" in page
    for state, told in (("review", "It is in review."), ("published", "Published: what comes later is not in it.")):
        assert amira.post(f"{path}/state", path, state=state, etag=hidden(amira.get(path).text)).status_code == 303
        page = amira.get(path).text
        assert told in page
    assert "<textarea" not in page
    refused = amira.post(path, path, causes="late", etag=hidden(page))
    assert refused.status_code == 409
    assert "back to a draft first" in refused.text
    assert ">late</textarea>" in refused.text
    assert "To print" in page
    assert "Nobody could pay" in amira.get(f"{path}/print").text
    assert amira.get(f"{path}.md").text.startswith(f"# Post-mortem of {over.id}")


def test_postmortem_page_loses_neither_of_two_texts(amira, browser_of, path):
    """Who comes second gets both, and saves them joined; the versions show who wrote what."""
    bo = browser_of("bo")
    etag = hidden(bo.get(path).text)
    amira.post(path, path, causes="A deploy", etag=etag)
    clash = bo.post(path, path, causes="A full disk", etag=etag)
    assert clash.status_code == 409
    assert "amira wrote this meanwhile" in clash.text
    assert '<p class="prose">A deploy</p>' in clash.text
    assert ">A full disk</textarea>" in clash.text
    assert bo.post(path, path, causes="A deploy, onto a full disk", etag=hidden(clash.text)).status_code == 303
    versions = amira.get(f"{path}/versions").text
    assert '<span class="removed">-A deploy</span>' in versions
    assert '<span class="added">+A deploy, onto a full disk</span>' in versions
    assert versions.index("Version 2") < versions.index("Version 1")


def test_postmortem_page_says_what_cannot_be(amira, declare):
    """An open incident is not over yet; a state that does not exist is none."""
    incident = declare()
    path = f"/incidents/{incident.id}/postmortem"
    etag = hidden(amira.get(path).text)
    early = amira.post(f"{path}/state", path, state="published", etag=etag)
    assert early.status_code == 409
    assert "resolve or dismiss the incident first" in early.text
    assert amira.post(f"{path}/state", path, state="burnt", etag=etag).status_code == 422
    assert amira.get("/incidents/INC-2026-0999/postmortem").status_code == 404


def test_postmortem_page_of_an_open_incident_says_so(amira, declare, path):
    """It leads back, and puts nobody up to a review; that of one that is over does neither."""
    page = amira.get(f"/incidents/{declare('mail').id}/postmortem").text
    assert "The incident is not over." in page
    assert '<button class="go">Give to review' not in page
    assert "The incident is not over." not in (ended := amira.get(path).text)
    assert '<button class="go">Give to review' in ended


def test_postmortem_page_of_a_restricted_incident_is_not_there(browser_of, declare, links):
    """For whom the incident is not there; neither is it in the list."""
    incident = declare("vault", title="Payslips")
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(replace(incident, restricted=True)))
    bo = browser_of("bo")
    for part in ("", "/versions", "/print", ".md"):
        assert bo.get(f"/incidents/{incident.id}/postmortem{part}").status_code == 404, part
    assert "Payslips" not in bo.get("/postmortems").text


def test_postmortem_page_of_a_long_incident_is_no_long_page(amira, declare, incidents, clock):
    """The first entries stand there, and where the others are."""
    incident = declare()
    for number in range(210):
        incidents.apply(incident.id, events.Note(actor="amira", text=f"note {number}"), now=clock.now)
    page = amira.get(f"/incidents/{incident.id}/postmortem").text
    assert page.count('<time class="at"') < 300
    assert re.search(r"\b1\d more entries stand in", page)


def test_postmortem_page_lists_those_that_are_wanted(amira, over):
    """With how far each has come."""
    page = amira.get("/postmortems").text
    assert f'<a href="/incidents/{over.id}/postmortem">Payments failed</a>' in page
    assert '<span class="tag draft">draft</span>' in page
