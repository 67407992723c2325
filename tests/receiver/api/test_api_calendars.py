"""The shifts of a rotation as a feed: with a token, and by an address with a secret."""

import pytest
from builders import rule_set
from icalendar import Calendar

ROTA = """
people: {amira: {name: Amira, channels: [console]}, bo: {channels: [console]}}
rotations: {commanders: {handoff: {every: 1w, starting: 2026-01-05}, order: [amira, bo]}}
"""


@pytest.fixture
def rules():
    return rule_set(oncall=ROTA)


def summaries(answer):
    assert answer.mimetype == "text/calendar"
    return {str(event["summary"]) for event in Calendar.from_ical(answer.data).walk("VEVENT")}


def test_calendar_is_a_feed_of_the_shifts(api):
    """Of everybody, or of one person."""
    assert summaries(api.get("oncall/commanders.ics")) == {"Amira: commanders", "bo: commanders"}
    assert summaries(api.get("oncall/commanders.ics?person=bo")) == {"bo: commanders"}
    assert api.get("oncall/comanders.ics").status_code == 404
    assert api.get("oncall/commanders.ics?person=nobody").status_code == 404
    assert api.get("oncall/commanders.ics", who="nobody").status_code == 401


def test_calendar_programs_need_no_token(api, app):
    """The address is its own secret; another rotation's, a wrong one and none at all open nothing."""
    (listed,) = api.get("oncall/calendars", who="amira").json["calendars"]
    client = app.test_client()
    assert summaries(client.get(listed["path"])) == {"Amira: commanders", "bo: commanders"}
    for path in (listed["path"].replace("commanders", "others"), f"/calendars/commanders/{'0' * 40}.ics"):
        assert client.get(path).status_code == 404
    assert api.get("oncall/calendars", who="val").status_code == 403
