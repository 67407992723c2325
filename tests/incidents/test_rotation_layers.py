"""Layers, hours and members who join or leave: exactly one person at each instant, whatever the clocks do."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.oncall import Hours, Layer, Override, Rotation, Term
from incidents.rotations import NobodyOnCall, gaps, holder, preview

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
MONDAY = date(2026, 1, 5)
WORKDAYS, WEEKEND = (0, 1, 2, 3, 4), (5, 6)
DAY = timedelta(days=1)


def utc(text):
    """An instant from its ISO form, UTC unless it says otherwise."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def wall(text, zone):
    """An instant from a local time of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def daily(*order, **fields):
    """A layer with handoffs at midnight UTC."""
    return Layer(**({"order": order, "every": DAY, "at": time(0), "starting": MONDAY} | fields))


def hours(start, until, weekdays=(0, 1, 2, 3, 4, 5, 6)):
    return (Hours(start=time.fromisoformat(start), until=time.fromisoformat(until), weekdays=weekdays),)


SUN = Rotation(
    id="sun",
    layers=(
        Layer(timezone="Europe/Berlin", order=("amira", "bo"), hours=hours("08:00", "20:00")),
        Layer(timezone="America/New_York", order=("cy", "dee"), hours=hours("08:00", "20:00")),
        Layer(timezone="UTC", order=("eve",)),
    ),
)


@pytest.mark.parametrize(
    ("at", "person", "until"),
    [
        ("2026-01-07T08:00+01:00", "amira", "2026-01-07T20:00+01:00"),
        ("2026-01-07T20:00+01:00", "cy", "2026-01-07T20:00-05:00"),
        ("2026-01-08T02:00", "eve", "2026-01-08T08:00+01:00"),
        # Berlin is in summer time already while New York is not, and the other way round for weeks.
        ("2026-03-30T08:00+02:00", "bo", "2026-03-30T09:00+02:00"),
        ("2026-03-30T20:00+02:00", "cy", "2026-03-30T20:00-04:00"),
        ("2026-07-07T20:00+02:00", "cy", "2026-07-07T20:00-04:00"),
    ],
)
def test_layers_follow_the_sun(at, person, until):
    """The first layer that is open decides, by the clock on its own wall, winter and summer."""
    shift = holder(SUN, utc(at))
    assert (shift.person, shift.until) == (person, utc(until))


def test_layers_hand_over_within_hours():
    """A handoff at nine falls amid the hours: one person until nine, the next from then on."""
    assert [shift.person for shift in preview(SUN, utc("2026-01-12T08:00+01:00"), utc("2026-01-12T20:00+01:00"))] == [
        "amira", "bo",
    ]  # fmt: skip


def test_layers_name_as_next_who_follows_in_the_layer_that_decides():
    """The backup is of the same region first, then of the others."""
    at = utc("2026-01-07T12:00+01:00")
    assert [holder(SUN, at, ahead=ahead).person for ahead in range(6)] == ["amira", "bo", "eve", "dee", "cy", "amira"]


def test_layers_give_way_to_overrides():
    """An override stands above all layers."""
    override = Override(start=utc("2026-01-07T10:00"), until=utc("2026-01-07T22:00"), person="eve")
    some = Rotation(id="sun", layers=SUN.layers, overrides=(override,))
    people = [shift.person for shift in preview(some, utc("2026-01-07T09:00"), utc("2026-01-07T23:00"))]
    assert people == ["amira", "eve", "cy"]


def test_hours_leave_gaps_that_are_found():
    """Office hours alone leave nights and weekends to nobody, and every gap is told once."""
    office = Rotation(id="office", order=("amira",), hours=hours("09:00", "17:00", WORKDAYS))
    found = gaps(office, start=utc("2026-01-09T12:00"), days=4)
    assert found == [
        (utc("2026-01-09T17:00"), utc("2026-01-12T09:00")),
        (utc("2026-01-12T17:00"), utc("2026-01-13T09:00")),
    ]
    with pytest.raises(NobodyOnCall):
        holder(office, utc("2026-01-10T12:00"))


def test_hours_past_midnight_and_of_whole_days():
    """Ten in the evening until six belongs to the day on which it begins; the same twice is a whole day."""
    night = Rotation(id="night", order=("amira",), hours=hours("22:00", "06:00", (4,)))
    assert [
        (shift.start, shift.until) for shift in preview(night, utc("2026-01-05T00:00"), utc("2026-01-11T00:00"))
    ] == [(utc("2026-01-09T22:00"), utc("2026-01-10T06:00"))]
    weekend = Rotation(id="weekend", order=("amira",), every=timedelta(weeks=1), hours=hours("00:00", "00:00", WEEKEND))
    (shift,) = preview(weekend, utc("2026-01-09T00:00"), utc("2026-01-12T00:00"))
    assert (shift.start, shift.until) == (utc("2026-01-10T00:00"), utc("2026-01-12T00:00"))


def test_hours_of_the_whole_week_are_no_hours():
    """Day and night that meet everywhere cut no shift."""
    both = (*hours("07:00", "19:00"), *hours("19:00", "07:00"))
    assert holder(Rotation(id="all", order=("amira",), hours=both), utc("2026-01-07T12:00")) == holder(
        Rotation(id="all", order=("amira",)), utc("2026-01-07T12:00")
    )


def test_hours_keep_to_the_clock_over_its_changes():
    """The night of the change in spring is an hour shorter; what the clock swallows is no shift at all."""
    night = Rotation(
        id="n", timezone="Europe/Berlin", order=("amira",), every=DAY, at=time(22), hours=hours("22:00", "06:00")
    )
    shift = holder(night, wall("2026-03-29T00:30", "Europe/Berlin"))
    assert shift.until - shift.start == timedelta(hours=7)
    swallowed = Rotation(id="s", timezone="Europe/Berlin", order=("amira",), hours=hours("02:10", "02:50"))
    assert preview(swallowed, utc("2026-03-28T12:00"), utc("2026-03-29T12:00")) == []


def people_by_day(rotation, start, days):
    return [holder(rotation, utc(f"{start}T12:00") + DAY * day).person for day in range(days)]


def test_members_who_join_change_no_turn_before_them():
    """From the first handoff on or after the day, the newcomer stands in the order, and the turns go on from there."""
    some = Rotation(id="r", layers=(daily("amira", "bo", "cy", terms=(Term(), Term(), Term(joins=date(2026, 1, 10)))),))
    assert people_by_day(some, "2026-01-05", 10) == [
        "amira", "bo", "amira", "bo", "amira", "bo", "cy", "amira", "bo", "cy",
    ]  # fmt: skip


def test_members_who_leave_are_followed_by_the_next():
    """Who leaves takes no turn any more, and the others keep their sequence."""
    some = Rotation(id="r", layers=(daily("amira", "bo", "cy", terms=(Term(), Term(leaves=date(2026, 1, 8)), Term())),))
    assert people_by_day(some, "2026-01-05", 8) == ["amira", "bo", "cy", "amira", "cy", "amira", "cy", "amira"]


def test_members_who_leave_amid_a_turn_hand_it_to_the_next():
    """A week that loses its holder on Thursday is held by the next in turn from that midnight."""
    weekly = Rotation(
        id="r",
        timezone="Europe/Berlin",
        at=time(10),
        order=("amira", "bo"),
        terms=(Term(leaves=date(2026, 1, 8)), Term()),
    )
    shifts = preview(weekly, utc("2026-01-05T12:00"), utc("2026-01-13T00:00"))
    assert [(shift.person, shift.until) for shift in shifts] == [
        ("amira", wall("2026-01-08T00:00", "Europe/Berlin")),
        ("bo", wall("2026-01-12T10:00", "Europe/Berlin")),
        ("bo", wall("2026-01-19T10:00", "Europe/Berlin")),
    ]


def test_members_who_have_all_left_leave_a_gap():
    """Nobody is left from the day on which the last one leaves."""
    some = Rotation(id="r", every=DAY, at=time(0), order=("amira",), terms=(Term(leaves=date(2026, 1, 8)),))
    assert gaps(some, start=utc("2026-01-05T12:00"), days=7) == [(utc("2026-01-08T00:00"), utc("2026-01-12T12:00"))]


instants = st.datetimes(datetime(2024, 1, 1), datetime(2033, 1, 1), timezones=st.just(UTC))
days = st.none() | st.dates(date(2024, 1, 1), date(2030, 1, 1))
clock = st.times().map(lambda at: at.replace(second=0, microsecond=0))
windows = st.builds(Hours, weekdays=st.sets(st.integers(0, 6), min_size=1).map(tuple), start=clock, until=clock)


@st.composite
def any_layers(draw):
    """A layer of anybody, with or without hours and terms."""
    order = draw(st.lists(st.sampled_from(["amira", "bo", "cy", "dee"]), min_size=1, max_size=4).map(tuple))
    terms = draw(st.just(()) | st.tuples(*(st.builds(Term, joins=days, leaves=days) for _ in order)))
    every = draw(st.sampled_from([timedelta(hours=8), timedelta(hours=5), DAY, DAY * 3, DAY * 7, DAY * 28]))
    return Layer(
        timezone=draw(st.sampled_from(ZONES)),
        order=order,
        terms=terms,
        every=every,
        weekday=draw(st.none() | st.integers(0, 6)),
        at=draw(clock),
        starting=draw(st.dates(date(2023, 1, 1), date(2027, 1, 1))),
        hours=draw(st.lists(windows, max_size=3).map(tuple)),
    )


overrides = st.builds(
    lambda start, minutes: Override(start=start, until=start + timedelta(minutes=minutes), person="eve"),
    instants,
    st.integers(1, 30_000),
)
rotations = st.builds(
    Rotation,
    id=st.just("any"),
    layers=st.lists(any_layers(), min_size=1, max_size=3).map(tuple),
    overrides=st.lists(overrides, max_size=3).map(tuple),
)


def shift_or_none(rotation, at):
    try:
        return holder(rotation, at)
    except NobodyOnCall:
        return None


@given(rotations, instants)
def test_layers_have_at_most_one_holder_at_every_instant(some, at):
    """A shift covers its instant, is the same from within, and ends where another answer begins."""
    shift = shift_or_none(some, at)
    if shift is not None:
        assert shift.start <= at < shift.until
        assert shift_or_none(some, shift.start) == shift
        assert shift_or_none(some, shift.until - timedelta(microseconds=1)) == shift
        assert shift_or_none(some, shift.until) != shift


@given(rotations, instants, st.integers(1, 60 * 24 * 20))
def test_layers_preview_is_what_happens(some, start, minutes):
    """The preview and the gaps together tile the time, and say of each instant what the holder says."""
    until = start + timedelta(minutes=minutes)
    shifts = preview(some, start, until)
    assert all(one.until <= two.start for one, two in itertools.pairwise(shifts))
    assert all(holder(some, max(shift.start, start)) == shift for shift in shifts)
    for step in range(0, minutes, 977):
        at = start + timedelta(minutes=step)
        covering = [shift for shift in shifts if shift.start <= at < shift.until]
        assert covering == [each for each in [shift_or_none(some, at)] if each]


@given(rotations, instants)
def test_layers_gaps_are_where_nobody_is(some, start):
    """Each gap has nobody in it, and the minute after it has somebody."""
    for begin, end in gaps(some, start=start, days=10):
        assert shift_or_none(some, begin) is shift_or_none(some, end - timedelta(microseconds=1)) is None
        assert end == start + DAY * 10 or shift_or_none(some, end) is not None


@given(rotations, instants)
def test_layers_always_held_at_the_bottom_leave_no_gap(some, start):
    """A layer at the bottom that is always open and has one member closes every gap."""
    whole = Rotation(id="any", layers=(*some.layers, Layer(order=("zoe",))), overrides=some.overrides)
    assert gaps(whole, start=start, days=30) == []


@given(st.lists(st.builds(Term, joins=days, leaves=days), min_size=1, max_size=5).map(tuple), instants)
def test_members_hold_no_instant_outside_their_term(terms, at):
    """Nobody is on call before joining or after leaving, once the rotation runs."""
    order = tuple(f"p{place}" for place in range(len(terms)))
    some = Rotation(id="r", timezone="Europe/Berlin", order=order, terms=terms, starting=date(2023, 12, 25))
    shift = shift_or_none(some, at)
    local = at.astimezone(ZoneInfo("Europe/Berlin")).date()
    if shift is not None:
        term = terms[order.index(shift.person)]
        assert (term.joins or local) <= local
        assert term.leaves is None or local < term.leaves
