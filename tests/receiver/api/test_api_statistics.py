"""Statistics over the API: from real commits to figures and pictures."""

from datetime import timedelta

import msgspec
import pytest

from incidents import events, keys
from incidents.store.codec import encode
from incidents.store.connection import Link
from incidents.values import PageReason


def closed(incidents, clock, incident, event):
    clock.advance(minutes=10)
    incidents.apply(incident.id, event, now=clock.now)


def test_statistics_of_what_happened(api, declare, incidents, clock):
    """Open, resolved, dismissed and reopened incidents, and a page, come out as they went in."""
    db, web, late, _ = declare("db"), declare("web"), declare("late"), declare("open")
    sent = events.PageDelivered(
        page_id="p", person="amira", channel="c", kind="console", attempt=1, repeat=False, reason=PageReason.DECLARED
    )
    incidents.apply(db.id, sent, now=clock.now)
    closed(incidents, clock, db, events.Resolve(actor="bo", override="over"))
    closed(incidents, clock, web, events.Dismiss(actor="bo", reason="a drill"))
    closed(incidents, clock, late, events.Resolve(actor="bo", override="over"))
    incidents.apply(late.id, events.Reopen(actor="bo"), now=clock.now)
    found = api.get("statistics?since=1d&by=service").json
    assert (found["incidents"], found["open"], found["resolved"], found["dismissed"]) == (4, 2, 1, 1)
    assert (found["pages"], found["people"][0]["person"]) == (1, "amira")
    assert {group["name"]: group["incidents"] for group in found["groups"]} == {"db": 1, "web": 1, "late": 1, "open": 1}
    assert found["times"]["resolve"]["count"] == 1
    assert found["times"]["resolve"]["median"] > 600
    assert sum(week["incidents"] for week in found["weeks"]) == 4


def test_statistics_of_a_stretch(api, declare, clock):
    """Only what was declared in it."""
    declare("db")
    day = clock.now.date().isoformat()
    assert api.get(f"statistics?since={day}").json["incidents"] == 1
    assert api.get(f"statistics?since=30d&until={day}").json["incidents"] == 0
    past = (clock.now - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert api.get(f"statistics?since={past}&until=0s").json["incidents"] == 1


def test_statistics_read_incidents_without_a_summary(api, declare, incidents, clock, store_url):
    """One that was closed before there were summaries is read whole."""
    incident = declare("db")
    closed(incidents, clock, incident, events.Dismiss(actor="bo", reason="a drill"))
    Link(store_url).one("DEL", keys.statistics())
    assert api.get("statistics").json["dismissed"] == 1


def test_statistics_count_merged_incidents_once(api, declare):
    """What was merged is part of the one that goes on."""
    one, other = declare("db"), declare("web")
    assert api.post(f"incidents/{other.id}/merge", {"into": one.id}).status_code == 200
    found = api.get("statistics").json
    assert (found["incidents"], found["groups"][0]["name"]) == (1, "db")


def test_statistics_keep_restricted_incidents_for_admins(api, declare, incidents, clock, store_url):
    """Not even that there was one is told to others, open or closed."""
    incident = declare("theft")
    Link(store_url).one("SET", keys.incident(incident.id), encode(msgspec.structs.replace(incident, restricted=True)))
    for _ in range(2):
        assert api.get("statistics").json["incidents"] == 0
        assert api.get("statistics", who="ada").json["groups"][0]["name"] == "theft"
        closed(incidents, clock, incident, events.Note(actor="bo", text="x"))
        if incidents.get(incident.id)[0].is_open:
            closed(incidents, clock, incident, events.Dismiss(actor="bo", reason="x"))


def test_statistics_count_pages_of_restricted_incidents_as_numbers_of_people(api, declare, incidents, clock, links):
    """How often somebody was called is told to all; of which incident or rule, to nobody."""
    incident = declare("theft", title="Who read payslips")
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(msgspec.structs.replace(incident, restricted=True)))
    sent = events.PageDelivered(
        page_id="p", person="bo", channel="c", kind="console", attempt=1, repeat=False, reason=PageReason.DECLARED
    )
    incidents.apply(incident.id, sent, now=clock.now)
    answers = {by: api.get(f"statistics?since=1d&by={by}") for by in ("service", "rule", "severity", "person")}
    assert [each["pages"] for each in answers["person"].json["people"]] == [1]
    assert {by: [group["name"] for group in answers[by].json["groups"]] for by in answers} == {
        "service": [],
        "rule": [],
        "severity": [],
        "person": ["bo"],
    }
    assert not any(word in answer.text for answer in answers.values() for word in ("theft", incident.id, "payslips"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=yesterday", "instant"),
        ("since=-5d", "instant"),
        ("since=1d&until=2d", "before"),
        ("since=9999999999999999d", "instant"),
        ("since=0001-01-01", "days at most"),
        ("since=99999-01-01", "instant"),
        ("until=2026-99-99", "instant"),
        ("by=persn", "person"),
        ("by=service,rule", "by"),
    ],
)
def test_statistics_refuse(api, query, said):
    """What cannot be asked is named, with what can."""
    answer = api.get(f"statistics?{query}")
    assert answer.status_code == 400
    assert said in answer.text


def test_statistics_pictures(api, declare):
    """Each as SVG, also of one group; what is not there is said."""
    declare("db")
    for of in ("times", "load", "nights", "precision"):
        answer = api.get(f"statistics/picture.svg?of={of}&name=db")
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
        assert answer.text.startswith("<svg ")
    assert "of db" in api.get("statistics/picture.svg?of=load&name=db").text
    missing = api.get("statistics/picture.svg?name=dbb")
    assert (missing.status_code, "There is db" in missing.json["hint"]) == (400, True)
    assert api.get("statistics/picture.svg?of=tmes").status_code == 400
