"""The page of who is on call: rotations, who stands in, maintenance, feeds, and who would not be reached."""

import html
import re
from datetime import timedelta

from incidents.events import PageDelivered, PageFailed
from incidents.store.connection import checked
from incidents.store.reaching import attempt_commands
from receiver.web.oncall import in_utc


def plain(page):
    """Return what stands on a page, without markup."""
    main = page[page.index("<main") : page.index("</main>")]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def attempted(links, clock, channel, **fields):
    kind = PageFailed if "error" in fields else PageDelivered
    common = {"page_id": "p", "person": "bo", "kind": "webhook", "channel": channel, "attempt": 1}
    more = {"repeat": False, "reason": "declared"} if kind is PageDelivered else {"permanent": False, "again_at": None}
    with links.borrow() as link:
        checked(link.ask(attempt_commands(kind(**common, **more, **fields), clock.now)))


def test_oncall_page_says_who_is_on_call_and_next(amira, links, clock):
    """With the role, the ways to reach that person and how the last page over each went."""
    attempted(links, clock, "amira/1")
    clock.advance(minutes=3)
    page = amira.get("/oncall").text
    said = plain(page)
    assert "commanders incident commander amira until Jan 12 00:00:00" in said
    assert "webhook reached 3 min ago" in said
    assert "Then bo from Jan 12 00:00:00" in said
    assert "Not everybody would be reached" not in said
    assert "The next four weeks" in said
    attempted(links, clock, "bo/1", error="connection refused")
    assert "channel bo/1 : the last attempt failed at" in plain(amira.get("/oncall").text)


def test_oncall_page_lets_somebody_stand_in(amira, clock):
    """In force at once, listed with who made it, and ended by a button."""
    until = (clock.now + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M")
    fields = {"rotation": "commanders", "person": "bo", "from": "", "until": until, "note": "Amira sleeps"}
    assert amira.post("/oncall/overrides", "/oncall", **fields).status_code == 303
    page = amira.get("/oncall").text
    assert "bo stands in for commanders." in page
    assert "bo for commanders active 09:00:00 until 18:00:00 Amira sleeps, by amira" in plain(page)
    clock.advance(seconds=1)
    (there,) = re.findall(r'action="(/oncall/overrides/[^"]+)"', page)
    assert amira.post(there, "/oncall").status_code == 303
    page = amira.get("/oncall").text
    assert "bo no longer stands in for commanders." in page
    assert "Those that are over, 1" in page


def test_oncall_page_keeps_what_was_typed_into_a_refused_form(amira):
    """The reason stands with the form, which is open."""
    fields = {"rotation": "commanders", "person": "bo", "until": "2020-01-01T00:00", "note": "kept"}
    answer = amira.post("/oncall/overrides", "/oncall", **fields)
    assert answer.status_code == 422
    assert "Until lies in the past" in answer.text
    assert "<details open><summary>Let somebody stand in" in answer.text
    assert 'value="kept"' in answer.text
    refused = amira.post("/oncall/maintenance", "/oncall", match='service=~".*"', until="2026-01-05T23:00")
    assert refused.status_code == 422
    assert "hold back everything" in refused.text
    assert amira.post("/oncall/maintenance", "/oncall", match='a="b"', until="soon").status_code == 422


def test_oncall_page_plans_and_ends_maintenance(amira):
    """Until when in UTC, as the browser sends it."""
    fields = {"match": 'service="edge"', "from": "", "until": "2026-01-05T12:00", "comment": "Certificates"}
    assert amira.post("/oncall/maintenance", "/oncall", **fields).status_code == 303
    page = amira.get("/oncall").text
    assert 'service="edge" 09:00:00 until 12:00:00 Certificates, by amira' in plain(page)
    (there,) = re.findall(r'action="(/oncall/maintenance/[^"]+)"', page)
    assert amira.post(there, "/oncall").status_code == 303
    assert "None is planned" in amira.get("/oncall").text
    assert amira.post(there, "/oncall").status_code == 404


def test_oncall_page_tells_feeds_to_those_who_may_have_them(amira, browser_of):
    """Its address is a secret; the API gives it to responders."""
    (there,) = re.findall(r'href="(/calendars/commanders/[0-9a-f]+\.ics)"', amira.get("/oncall").text)
    assert amira.get(there).text.startswith("BEGIN:VCALENDAR")
    assert "/calendars/" not in browser_of("val").get("/oncall").text


def test_oncall_page_takes_times_as_utc():
    """Those that say another zone keep it; what is none is refused further on."""
    assert in_utc("2026-11-02T03:00") == "2026-11-02T03:00:00+00:00"
    assert in_utc("2026-11-02T03:00:00+01:00") == "2026-11-02T03:00:00+01:00"
    assert in_utc("soon") == "soon"
