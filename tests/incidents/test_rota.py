"""The plan of rotations as a picture and as a calendar: what they show is what happens."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, time, timedelta

from icalendar import Calendar

from incidents.oncall import Hours, Layer, Override, Person, Rotation
from incidents.rota.calendar import calendar_of
from incidents.rota.picture import WIDTH, picture_of
from incidents.rotations import preview

START = datetime(2026, 3, 27, 12, tzinfo=UTC)
UNTIL = START + timedelta(weeks=3)
PEOPLE = {"amira": Person(id="amira", name="Amira K."), "cy": Person(id="cy", name='Cy </text><script>"&')}
SWAP = Override(start=START + timedelta(days=2), until=START + timedelta(days=3), person="cy")
ROTATIONS = (
    Rotation(id="commanders", timezone="Europe/Berlin", order=("amira", "bo"), overrides=(SWAP,)),
    Rotation(
        id="sun",
        layers=(
            Layer(timezone="Europe/Berlin", order=("amira",), hours=(Hours(start=time(8), until=time(20)),)),
            Layer(order=("cy",)),
        ),
    ),
)
SHIFTS = {rotation.id: preview(rotation, START, UNTIL) for rotation in ROTATIONS}
SVG = "{http://www.w3.org/2000/svg}"


def drawn():
    return ET.fromstring(picture_of(SHIFTS, PEOPLE, START, UNTIL))


def test_rota_picture_has_a_bar_for_every_shift():
    """Each bar says who, from when until when, to people who point at it or have it read."""
    titles = [group.findtext(f"{SVG}title") for group in drawn().iter(f"{SVG}g") if group.get("class") == "bar"]
    assert len(titles) == sum(map(len, SHIFTS.values()))
    assert "commanders: Amira K., Mon 30 Mar 12:00 to Mon 06 Apr 07:00 UTC" in titles
    assert [title.partition(": ")[2].partition(",")[0] for title in titles if title.endswith("(override)")] == [
        PEOPLE["cy"].name
    ]


def test_rota_picture_keeps_within_its_frame():
    """What begins before or ends after is cut at the edge, and no bar is too thin to be seen."""
    for rect in drawn().iter(f"{SVG}rect"):
        if rect.get("x"):
            assert float(rect.get("x")) + float(rect.get("width")) <= WIDTH + 1
            assert float(rect.get("width")) >= 1


def test_rota_picture_of_nobody_is_a_picture():
    """Without any rotation it is an empty plan, and still well-formed."""
    assert ET.fromstring(picture_of({}, {}, START, UNTIL)).findtext(f"{SVG}title").startswith("Who is on call from")


def test_rota_calendar_is_the_preview():
    """Every shift is an event with its instants, its person's name, and an identifier of its own."""
    feed = calendar_of(SHIFTS, PEOPLE, now=START)
    events = Calendar.from_ical(feed).walk("VEVENT")
    told = {(str(event["summary"]), event.decoded("dtstart"), event.decoded("dtend")) for event in events}
    names = {"amira": "Amira K.", "bo": "bo", "cy": PEOPLE["cy"].name}
    shown = {
        (f"{names[shift.person]}: {rotation}", shift.start, shift.until)
        for rotation, listed in SHIFTS.items()
        for shift in listed
    }
    assert told == shown
    assert len({str(event["uid"]) for event in events}) == len(events)
    assert feed.count(b"\r\n") == feed.count(b"\n")


def test_rota_calendar_keeps_the_identifiers():
    """Asked again a week later, a shift that is still to come has the identifier that it had."""
    later = {rotation.id: preview(rotation, START + timedelta(weeks=1), UNTIL) for rotation in ROTATIONS}
    uids = [
        {str(event["uid"]) for event in Calendar.from_ical(calendar_of(shifts, PEOPLE, now=START)).walk("VEVENT")}
        for shifts in (SHIFTS, later)
    ]
    assert uids[1] < uids[0]
