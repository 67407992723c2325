"""Calendars as rotations: events become turns, in the right zone, and bad calendars say what is wrong."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from calendar_texts import calendar, event
from hypothesis import given
from hypothesis import strategies as st

from incidents.calendars import Copy, Event, decoded, encoded, hash_of, id_of, turns_of, unknown_of, with_turns
from incidents.oncall import Calendar, Layer, Person, Rotation
from incidents.rota.calendar import calendar_of
from incidents.rota.reading import BadCalendar, read_calendar
from incidents.rotations import NobodyOnCall, gaps, holder, preview

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
PEOPLE = {
    "amira": Person(id="amira", name="Amira K."),
    "bo": Person(id="bo", email="bo@example.org"),
    "cy": Person(id="cy"),
}
LAYER = Layer(timezone="Europe/Berlin", order=(), calendar=Calendar(url="https://calendar.example.org/x.ics"))


def turns(*events, zone="Europe/Berlin"):
    """The turns of events, as `PERSON FROM UNTIL` each."""
    found = turns_of(read_calendar(calendar(*events), zone, NOW), PEOPLE)
    return [f"{turn.person} {turn.start:%m-%dT%H:%M} {turn.until:%m-%dT%H:%M}" for turn in found]


def test_calendar_recurring_events_keep_to_the_clock_on_the_wall():
    """A week that begins at nine does so before and after daylight saving ends."""
    weekly = event(
        "amira", "20261012T090000", "20261019T090000", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2", zone="Europe/Berlin"
    )
    assert turns(weekly) == ["amira 10-12T07:00 10-19T07:00", "amira 10-26T08:00 11-02T08:00"]


def test_calendar_leaves_out_what_is_excluded_and_moves_what_is_overridden():
    """EXDATE takes an instance away, RECURRENCE-ID gives one to somebody else."""
    days = event("amira", "20261101T080000Z", "20261102T080000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261102T080000Z")
    swap = event("bo", "20261103T080000Z", "20261104T080000Z", "RECURRENCE-ID:20261103T080000Z")
    assert turns(days, swap) == ["amira 11-01T08:00 11-02T08:00", "bo 11-03T08:00 11-04T08:00"]


def test_calendar_days_and_times_without_a_zone_are_of_the_rotation():
    """A whole day begins at midnight where the rotation is."""
    assert turns(event("amira", "20261101", "20261103"), event("bo", "20261103T100000", "20261103T120000")) == [
        "amira 10-31T23:00 11-02T23:00",
        "bo 11-03T09:00 11-03T11:00",
    ]


def test_calendar_of_overlapping_events_the_one_that_began_last_holds():
    """And whoever was there before holds again after it."""
    long = event("amira", "20261101T000000Z", "20261104T000000Z")
    short = event("Bo's turn: bo", "20261102T000000Z", "20261103T000000Z")
    assert turns(long, short) == [
        "amira 11-01T00:00 11-02T00:00",
        "bo 11-02T00:00 11-03T00:00",
        "amira 11-03T00:00 11-04T00:00",
    ]


@pytest.mark.parametrize(
    ("summary", "more", "person"),
    [
        ("AMIRA", (), "amira"),
        ("Amira K.: commanders", (), "amira"),
        ("On Call - Amira K. - Payments", (), "amira"),
        ("cy (primary)", (), "cy"),
        ("bo@example.org", (), "bo"),
        ("On call", ("ATTENDEE:mailto:stranger@example.org", "ATTENDEE:MAILTO:Bo@Example.org"), "bo"),
        ("On call", ('ATTENDEE;CN="Amira K.":mailto:a@example.org',), "amira"),
        ("On call", ("ATTENDEE;PARTSTAT=DECLINED:mailto:bo@example.org",), None),
        ("amira", ("STATUS:CANCELLED",), None),
        ("amirah", (), None),
    ],
)
def test_calendar_names_a_person(summary, more, person):
    """By id, name or e-mail address, in the summary or as an attendee."""
    found = turns(event(summary, "20261101T000000Z", "20261102T000000Z", *more))
    assert [turn.partition(" ")[0] for turn in found] == ([] if person is None else [person])


def test_calendar_tells_of_events_that_name_nobody():
    """Each name once, and only those."""
    copy = read_calendar(
        calendar(
            event("Team lunch", "20261101T100000Z", "20261101T110000Z", "RRULE:FREQ=DAILY"),
            event("amira", "20261101T000000Z", "20261102T000000Z"),
        ),
        "UTC",
        NOW,
    )
    assert unknown_of(copy, PEOPLE) == ("Team lunch",)


def test_calendar_is_a_rotation_like_any_other():
    """Who holds it, who is next, the plan and the gaps; a layer below fills them."""
    copy = read_calendar(
        calendar(
            event("amira", "20261020T000000Z", "20261027T000000Z"), event("bo", "20261028T000000Z", "20261103T000000Z")
        ),
        "UTC",
        NOW,
    )
    alone = Rotation(id="r", layers=(with_turns(LAYER, PEOPLE, copy),))
    assert (holder(alone, NOW).person, holder(alone, NOW, ahead=1).person) == ("amira", "bo")
    assert [shift.person for shift in preview(alone, NOW, NOW + timedelta(days=60))] == ["amira", "bo"]
    assert gaps(alone, start=NOW, days=10) == [
        (datetime(2026, 10, 27, tzinfo=UTC), datetime(2026, 10, 28, tzinfo=UTC)),
    ]
    with pytest.raises(NobodyOnCall):
        holder(alone, NOW + timedelta(days=40))
    below = Rotation(id="r", layers=(*alone.layers, Layer(order=("cy",))))
    assert [holder(below, NOW + timedelta(days=days)).person for days in (0, 7, 8, 40)] == ["amira", "cy", "bo", "cy"]
    assert not gaps(below, start=NOW)


def test_calendar_feed_of_ours_reads_back_as_the_same_turns():
    """What one Tocsin gives out another takes in."""
    rotation = Rotation(id="commanders", timezone="Europe/Berlin", order=("amira", "bo", "cy"))
    shifts = preview(rotation, NOW, NOW + timedelta(days=60))
    copy = read_calendar(calendar_of({"commanders": shifts}, PEOPLE, now=NOW), "UTC", NOW)
    assert list(turns_of(copy, PEOPLE)) == [(shift.person, shift.start, shift.until) for shift in shifts]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "does not begin with BEGIN:VCALENDAR"),
        (b"<!doctype html><title>Sign in</title>", "does not begin with BEGIN:VCALENDAR"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (calendar(event("amira", "20261101", "20261102")).encode()[:-30], "torn"),
        (calendar(), "no events"),
        (b"x" * 10_000_000, "more than 2 MiB"),
        (calendar("BEGIN:VEVENT\r\nSUMMARY:amira\r\nEND:VEVENT\r\n"), "'amira' has no beginning"),
        (calendar(event("amira", "20261101T000000", "20261102T000000", zone="Mars/Olympus")), "'Mars/Olympus'"),
        (calendar(event("amira", "20261101", "20261102", "RRULE:FREQ=SECONDLY")), "every hour or more often"),
        (calendar(event("amira", "20261101", "20261102", "RRULE:FREQ=OFTEN")), "is no recurrence"),
        (calendar(event("amira", "00010101", "00010102", "RRULE:FREQ=DAILY")), "since before 1970"),
        (calendar(event("amira", "2026110", "20261102")), "cannot be read"),
        (
            calendar(*(event("amira", "20261101", "20261102", "RRULE:FREQ=DAILY;BYHOUR=1,2,3") for _ in range(170))),
            "more than 500 recurring",
        ),
    ],
)  # fmt: skip
def test_calendar_that_is_bad_says_why(text, said):
    """It is refused with a reason, whatever it holds, and quickly."""
    with pytest.raises(BadCalendar, match=said):
        read_calendar(text, "UTC", NOW)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY;INTERVAL=24",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=WEEKLY;BYDAY=5MO",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=3",
        "FREQ=MONTHLY;BYDAY=9MO",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=400",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYWEEKNO=54",
        "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5",
        "FREQ=DAI\r\n LY;INTERVAL=0",
        "FREQ=DAI\r\n\r\n LY;INTERVAL=0",
        "",
    ],
)
@pytest.mark.parametrize("where", ["event", "zone"])
def test_calendar_with_a_recurrence_that_takes_for_ever_is_refused(rule, where):
    """What never holds is looked for until the end of time, in events as in zones: it is refused by its text."""
    if where == "event":
        text = calendar(event("amira", "20261101", "20261102", f"RRULE:{rule}"))
    else:
        lines = ["BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100"]
        lines += ["TZOFFSETTO:+0000", f"rrule;X=1:{rule}", "END:STANDARD", "END:VTIMEZONE", ""]
        text = calendar("\r\n".join(lines), event("amira", "20261101T000000", "20261102T000000", zone="Own"))
    with pytest.raises(BadCalendar, match="the recurrence"):
        read_calendar(text, "UTC", NOW)


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;WKST=SU", 65),
        ("FREQ=WEEKLY;WKST=MO;INTERVAL=2;BYDAY=MO,TH;UNTIL=20261231", 10),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", 3),
        ("FREQ=MONTHLY;BYDAY=1MO", 3),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;INTERVAL=2", 1),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,25,26", 3),
    ],
)
def test_calendar_reads_the_recurrences_of_common_programs(rule, count):
    """Over the three months that are read."""
    copy = read_calendar(calendar(event("amira", "20260901", "20260902", f"RRULE:{rule}")), "UTC", NOW)
    assert len([each for each in copy.events if each.start >= NOW]) == count


def test_calendar_copies_are_kept_under_their_hash():
    """What is read twice in a day has one hash, and comes back as it was; the id is of the address and the zone."""
    text = calendar(event("amira", "20261101", "20261103"))
    first, second = (read_calendar(text, "UTC", NOW + timedelta(hours=hours)) for hours in (0, 3))
    assert hash_of({"a": first}) == hash_of({"a": second}) != hash_of({"b": first})
    assert (decoded(encoded({"a": first})), hash_of({})) == ({"a": first}, "")
    assert id_of(LAYER) != id_of(Layer(order=(), calendar=LAYER.calendar)) != id_of(Layer(order=())) == ""


HOURS = st.integers(0, 24 * 20).map(lambda hours: NOW + timedelta(hours=hours))
EVENTS = st.lists(
    st.builds(
        lambda start, hours, who: Event(start, start + timedelta(hours=hours), (who,)),
        HOURS,
        st.integers(1, 200),
        st.sampled_from([*PEOPLE, "Team lunch"]),
    ),
    max_size=12,
)


def named_at(events, at):
    """Who holds by the rule as it is written down: the event that began last, of those the one that ends first."""
    open_ = [each for each in events if each.start <= at < each.until and each.names[0] in PEOPLE]
    return min(((-each.start.timestamp(), each.until, each.names[0]) for each in open_), default=(0, at, None))[2]


@given(EVENTS, HOURS)
def test_calendar_of_any_events_has_one_holder_at_every_instant_and_shows_it(events, at):
    """It is whom the rule says; turns follow one another in order, and the plan and the gaps are what happens."""
    copy = Copy(since=NOW, until=NOW + timedelta(days=60), events=tuple(events))
    rotation = Rotation(id="r", layers=(with_turns(LAYER, PEOPLE, copy),))
    turns = rotation.layers[0].turns
    assert all(one.until <= two.start for one, two in pairwise(turns))
    expected = named_at(events, at)
    if expected is None:
        with pytest.raises(NobodyOnCall):
            holder(rotation, at)
    else:
        shift = holder(rotation, at)
        assert (shift.person, shift.start <= at < shift.until) == (expected, True)
        assert shift in preview(rotation, NOW, NOW + timedelta(days=40))
    assert any(start <= at < until for start, until in gaps(rotation, start=NOW, days=30)) == (expected is None)
