"""Rotations: exactly one person at each instant, over daylight saving, leap days, year ends and overrides."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.oncall import Override, Rotation
from incidents.rotations import NobodyOnCall, Shift, gaps, holder, preview

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]


def rotation(**changes):
    """A weekly rotation of three in Berlin, Mondays at ten."""
    fields = {
        "id": "commanders",
        "timezone": "Europe/Berlin",
        "order": ("amira", "bo", "cy"),
        "weekday": 0,
        "at": time(10, 0),
        "starting": date(2026, 1, 5),
    }
    return Rotation(**(fields | changes))


def utc(text):
    """An instant from its ISO form, UTC unless it says otherwise."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def override(start, until, person="bo"):
    """An override between two ISO instants."""
    return Override(start=utc(start), until=utc(until), person=person)


def test_rotation_hands_off_weekly_at_the_wall_clock():
    """The handoff is at ten in Berlin, which is another UTC hour in summer."""
    assert holder(rotation(), utc("2026-01-05T09:00")) == Shift(
        person="amira", start=utc("2026-01-05T09:00"), until=utc("2026-01-12T09:00")
    )
    assert holder(rotation(), utc("2026-01-12T08:59:59.999999")).person == "amira"
    assert holder(rotation(), utc("2026-01-12T09:00")).person == "bo"
    assert holder(rotation(), utc("2026-07-06T07:59:59")).until == utc("2026-07-06T08:00")


def test_rotation_keeps_the_hour_over_both_changes_of_the_clock():
    """The weeks of the change are an hour shorter and an hour longer."""
    spring = holder(rotation(), utc("2026-03-29T12:00"))
    autumn = holder(rotation(), utc("2026-10-25T12:00"))
    assert spring.until - spring.start == timedelta(days=7, hours=-1)
    assert autumn.until - autumn.start == timedelta(days=7, hours=1)


def test_rotation_moves_a_handoff_that_does_not_exist_to_the_first_instant_that_does():
    """02:30 does not exist in Berlin on 29 March 2026: the handoff is at 03:00 summer time."""
    daily = rotation(every=timedelta(days=1), weekday=None, at=time(2, 30), starting=date(2026, 3, 28))
    assert holder(daily, utc("2026-03-29T12:00")).start == utc("2026-03-29T03:00+02:00")
    assert holder(daily, utc("2026-03-29T00:59:59")).person == "amira"
    assert holder(daily, utc("2026-03-29T01:00")).person == "bo"


def test_rotation_takes_the_first_of_two_ambiguous_instants():
    """02:30 comes twice in Berlin on 25 October 2026: the handoff is at the first."""
    daily = rotation(every=timedelta(days=1), weekday=None, at=time(2, 30), starting=date(2026, 10, 24))
    assert holder(daily, utc("2026-10-25T12:00")).start == utc("2026-10-25T02:30+02:00")


def test_rotation_skips_a_turn_that_the_clock_swallowed():
    """With hourly turns the one from two to three is empty in spring, and nobody is on twice."""
    hourly = rotation(every=timedelta(hours=1), weekday=None, at=time(0, 0), starting=date(2026, 3, 29))
    shifts = preview(hourly, utc("2026-03-28T23:00"), utc("2026-03-29T03:00"))
    assert [shift.person for shift in shifts] == ["amira", "bo", "amira", "bo"]
    assert [shift.until - shift.start for shift in shifts] == [timedelta(hours=1)] * 4


def test_rotation_skips_a_day_that_a_zone_left_out():
    """Samoa had no 30 December 2011; the day's turn is empty and the next begins at midnight."""
    samoa = rotation(
        timezone="Pacific/Apia", every=timedelta(days=1), weekday=None, at=time(9), starting=date(2011, 12, 29)
    )
    people = [shift.person for shift in preview(samoa, utc("2011-12-29T19:00"), utc("2011-12-31T20:00"))]
    assert people == ["amira", "bo", "cy", "amira"][: len(people)]
    assert holder(samoa, utc("2011-12-30T10:00")).start == utc("2011-12-30T10:00")


def test_rotation_counts_leap_day_and_year_end_as_days():
    """Daily turns go on through 29 February and New Year."""
    daily = rotation(every=timedelta(days=1), weekday=None, at=time(0), starting=date(2028, 2, 28))
    noons = [utc(f"{day}T12:00") for day in ("2028-02-28", "2028-02-29", "2028-03-01", "2028-12-31", "2029-01-01")]
    assert [holder(daily, noon).person for noon in noons] == ["amira", "bo", "cy", "bo", "cy"]


def test_rotation_is_held_by_the_first_before_it_starts():
    """Long before `starting`, and until the end of the first turn, the first of the order is on."""
    for at in ("2020-02-03T10:00", "2026-01-05T08:59", "2026-01-05T09:00", "2026-01-12T08:59"):
        assert holder(rotation(), utc(at)).person == "amira"
    assert holder(rotation(), utc("2020-02-03T10:00"), ahead=1).person == "bo"


def test_rotation_begins_on_its_weekday_on_or_after_the_start():
    """A start on a Wednesday with handoffs on Monday gives the first of the order a whole first turn."""
    late = rotation(starting=date(2026, 1, 7))
    assert holder(late, utc("2026-01-18T12:00")).person == "amira"
    assert holder(late, utc("2026-01-19T12:00")).person == "bo"


def test_rotation_of_twelve_hours_keeps_to_the_wall_clock():
    """Day and night change at nine and twenty-one on the wall, summer and winter."""
    halves = rotation(order=("day", "night"), every=timedelta(hours=12), weekday=None, at=time(9))
    for at, person in [("2026-01-07T09:00+01:00", "day"), ("2026-07-07T09:00+02:00", "day")]:
        assert holder(halves, utc(at)).person == person
        assert holder(halves, utc(at) - timedelta(seconds=1)).person == "night"


def test_rotation_of_another_period_is_elapsed_time():
    """Thirty-six hours stay thirty-six hours, also over the change of the clock."""
    odd = rotation(every=timedelta(hours=36), weekday=None, at=time(9))
    shifts = preview(odd, utc("2026-03-20T00:00"), utc("2026-04-05T00:00"))
    assert {shift.until - shift.start for shift in shifts} == {timedelta(hours=36)}


def test_rotation_override_stands_in_and_cuts_the_turn():
    """The turn around an override ends where it begins and goes on where it ends."""
    covered = rotation(overrides=(override("2026-01-07T00:00", "2026-01-08T00:00"),))
    assert preview(covered, utc("2026-01-05T09:00"), utc("2026-01-12T09:00")) == [
        Shift(person="amira", start=utc("2026-01-05T09:00"), until=utc("2026-01-07T00:00")),
        Shift(person="bo", start=utc("2026-01-07T00:00"), until=utc("2026-01-08T00:00"), override=True),
        Shift(person="amira", start=utc("2026-01-08T00:00"), until=utc("2026-01-12T09:00")),
    ]


@pytest.mark.parametrize(
    ("at", "ahead", "person"),
    [
        ("2026-01-06T00:00", 1, "bo"),
        ("2026-01-06T00:00", 2, "cy"),
        ("2026-01-06T00:00", 3, "amira"),
        ("2026-01-07T12:00", 1, "cy"),  # bo stands in for amira, so the next in turn is cy
        ("2026-01-07T12:00", 2, "amira"),
        ("2026-01-20T00:00", 1, "amira"),
    ],
)
def test_rotation_ahead_is_the_next_other_person(at, ahead, person):
    """Whoever is asked to back up is never the one who is on already."""
    covered = rotation(overrides=(override("2026-01-07T00:00", "2026-01-08T00:00"),))
    assert holder(covered, utc(at), ahead=ahead).person == person


def test_rotation_ahead_passes_over_the_same_person_listed_twice_in_a_row():
    """Somebody with two turns in a row is not her own backup; a rotation of one has no other."""
    assert holder(rotation(order=("amira", "amira", "bo")), utc("2026-01-06T00:00"), ahead=1).person == "bo"
    assert holder(rotation(order=("amira",)), utc("2026-01-06T00:00"), ahead=1).person == "amira"


def test_rotation_without_people_is_a_gap_but_for_its_overrides():
    """An empty order leaves everything uncovered that no override covers, and says so."""
    empty = rotation(order=(), overrides=(override("2026-01-07T00:00", "2026-01-08T00:00"),))
    start = utc("2026-01-06T00:00")
    assert gaps(empty, start=start, days=3) == [
        (start, utc("2026-01-07T00:00")),
        (utc("2026-01-08T00:00"), utc("2026-01-09T00:00")),
    ]
    assert gaps(rotation(), start=start) == []
    with pytest.raises(NobodyOnCall, match="commanders"):
        holder(empty, start)


instants = st.datetimes(datetime(2024, 1, 1), datetime(2033, 1, 1), timezones=st.just(UTC))
periods = st.one_of(
    st.sampled_from([timedelta(hours=hours) for hours in (1, 5, 6, 8, 12, 36)]),
    st.integers(1, 30).map(lambda days: timedelta(days=days)),
    st.integers(1, 8).map(lambda weeks: timedelta(weeks=weeks)),
)


@st.composite
def overrides_of_anyone(draw):
    """An override of up to twenty days."""
    start = draw(instants)
    return Override(start=start, until=start + timedelta(minutes=draw(st.integers(1, 30_000))), person="dee")


rotations = st.builds(
    Rotation,
    id=st.just("any"),
    timezone=st.sampled_from(ZONES),
    order=st.lists(st.sampled_from(["amira", "bo", "cy", "dee"]), min_size=1, max_size=5).map(tuple),
    every=periods,
    weekday=st.none() | st.integers(0, 6),
    at=st.times(),
    starting=st.dates(date(2023, 1, 1), date(2027, 1, 1)),
    overrides=st.lists(overrides_of_anyone(), max_size=4).map(tuple),
)


@given(rotations, instants)
def test_rotation_has_exactly_one_holder_at_every_instant(some, at):
    """The shift covers the instant, and its neighbours meet it without a gap or an overlap."""
    shift = holder(some, at)
    assert shift.start <= at < shift.until
    assert holder(some, shift.start) == shift
    assert holder(some, shift.until - timedelta(microseconds=1)) == shift
    assert holder(some, shift.until).start == shift.until
    assert holder(some, shift.start - timedelta(microseconds=1)).until == shift.start


@given(rotations, instants, st.integers(0, 60 * 24 * 40))
def test_rotation_preview_tiles_and_equals_the_holder(some, start, minutes):
    """What the preview shows is what happens, without a gap."""
    until = start + timedelta(minutes=minutes)
    shifts = preview(some, start, until)
    assert all(one.until == two.start for one, two in itertools.pairwise(shifts))
    assert all(holder(some, shift.start) == shift for shift in shifts)
    assert not shifts or (shifts[0].start <= start and shifts[-1].start < until <= shifts[-1].until)
    assert gaps(some, start=start, days=7) == []


@given(rotations, instants)
def test_rotation_ahead_is_another_person_where_there_is_one(some, at):
    """The next in turn differs from the holder unless the rotation has nobody else."""
    now, following = holder(some, at).person, holder(some, at, ahead=1).person
    assert (following != now) == bool(set(some.order) - {now})


@given(st.integers(1, 30), st.integers(0, 3000), st.integers(0, 23), st.sampled_from(ZONES))
def test_rotation_turns_are_counted_on_the_calendar(days, after, hour, zone):
    """Noon on the so-manieth day belongs to the turn that plain counting of dates gives."""
    order = ("amira", "bo", "cy")
    some = Rotation(
        id="any", timezone=zone, order=order, every=timedelta(days=days), at=time(hour), starting=date(2024, 1, 1)
    )
    day = date(2024, 1, 1) + timedelta(days=after)
    noon = datetime.combine(day, time(12), tzinfo=ZoneInfo(zone))
    turns = max((after if hour <= 12 else after - 1) // days, 0)
    assert holder(some, noon).person == order[turns % 3]
