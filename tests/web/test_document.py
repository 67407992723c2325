"""The live state document on the page of an incident: shown, edited in place, and no text ever lost."""

import html
import re

from receiver.api import wire
from receiver.web.commanding import body_in

BASE = "https://tocsin.example"


def hidden(page, name):
    return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', page)[1])


def test_document_is_edited_in_place(amira, declare, incidents):
    """Summary and status report, each with a version; the summary is the impact that the page begins with."""
    incident = declare(title="Checkout is down")
    path = f"/incidents/{incident.id}"
    etag = hidden(amira.get(path).text, "etag")
    assert amira.post(f"{path}/document", path, summary="Nobody can pay", etag=etag).status_code == 303
    page = amira.get(path).text
    assert '<p class="impact" title="Nobody can pay">' in page
    assert "amira, <time" in page
    assert incidents.get(incident.id)[0].summary == "Nobody can pay"
    etag = hidden(page, "etag")
    amira.post(f"{path}/document", path, summary="Nobody can pay by card", etag=etag)
    history = amira.get(f"{path}/history?part=summary").text
    assert history.index("Nobody can pay<") < history.index("Nobody can pay by card<")
    assert '<span class="added">+Nobody can pay by card</span>' in history
    assert amira.get(f"{path}/history?part=nonsense").status_code == 400


def test_document_edit_in_two_windows_loses_neither_text(amira, browser_of, declare, incidents):
    """Who comes second gets both texts, and saves them joined."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    bo = browser_of("bo")
    etag = hidden(bo.get(path).text, "etag")
    amira.post(f"{path}/document", path, summary="Payments fail", etag=etag)
    clash = bo.post(f"{path}/document", path, summary="Mails wait, too", etag=etag)
    assert clash.status_code == 409
    assert "amira wrote this meanwhile" in clash.text
    assert "Payments fail" in clash.text
    assert ">Mails wait, too</textarea>" in clash.text
    joined = {"summary": "Payments fail. Mails wait, too", "etag": hidden(clash.text, "etag")}
    assert bo.post(f"{path}/document", path, **joined).status_code == 303
    assert incidents.get(incident.id)[0].summary == "Payments fail. Mails wait, too"


def test_document_tasks_are_given_and_done(amira, declare):
    """By buttons beside them."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    amira.post(f"{path}/tasks", path, text="Call the bank", person="bo")
    page = amira.get(path).text
    assert "Call the bank" in page
    tasks = page[page.index('id="tasks"') :]
    assert amira.post(f"{path}/tasks", path, id=hidden(tasks, "id"), done="true").status_code == 303
    assert "done <time" in amira.get(path).text


def test_document_keeps_who_has_to_know_and_what_comes_after(amira, declare):
    """Stakeholders, what they were told, and post-incident actions, whose links lead to the web alone."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    amira.post(f"{path}/stakeholders", path, name="The board", kind="management")
    amira.post(f"{path}/communications", path, audience="The board", text="We are on it", send="false")
    amira.post(
        f"{path}/post_incident_actions", path, text="Add an alert", owner="bo", due="", link="https://issues.example/1"
    )
    page = amira.get(path).text
    assert "The board" in page
    assert "We are on it" in page
    assert '<a href="https://issues.example/1" rel="noreferrer noopener">Add an alert</a>' in page


def test_document_timeline_is_corrected_beside_what_was_wrong(amira, declare):
    """The wrong text stays; the right one stands under it."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    amira.post(f"{path}/notes", path, text="It is the ledger")
    page = amira.get(path).text
    amira.post(f"{path}/notes", path, text="It is the cache", corrects=hidden(page, "corrects"))
    story = re.sub(r"<[^>]+>", "", amira.get(path).text)
    assert "It is the ledger" in story
    assert "Corrected: It is the cache" in story


def test_document_picture_runs_nothing(amira, declare):
    """The picture of the incident is an image of its own, shut in."""
    incident = declare(title="<script>alert(1)</script>")
    answer = amira.get(f"/incidents/{incident.id}/picture.svg")
    assert answer.status_code == 200
    assert answer.content_type.startswith("image/svg+xml")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text


def test_forms_become_the_bodies_of_calls():
    """Empty fields are left out, or null where null says something; words of check boxes are truth values."""
    assert body_in({"role": "communications", "person": ""}, wire.RoleBody) == {
        "role": "communications",
        "person": None,
    }
    assert body_in({"note": " ", "override": "x", "csrf": "y"}, wire.ResolveBody) == {"override": "x"}
    assert body_in({"role": "engineer", "person": "bo", "handover": "false"}, wire.RoleBody)["handover"] is False
    assert body_in({"text": ""}, wire.NoteBody) == {"text": ""}
