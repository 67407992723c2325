"""Statistics from plain summaries: times, weeks, groups, precision, nights; and their pictures."""

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta

import pytest

from incidents.clock import to_ms
from incidents.oncall import OnCall, Person
from incidents.statistics.drawing import NARROW
from incidents.statistics.figures import Paged, monday_of, quantile, statistics_of
from incidents.statistics.nights import DAY, NIGHT, time_of_day
from incidents.statistics.pictures import PictureOf, PictureWidth, picture_of, shown_seconds
from incidents.statistics.summary import Summary
from incidents.statistics.values import GroupedBy
from incidents.values import IncidentStatus, Severity

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
SINCE, UNTIL = MONDAY - timedelta(days=7), MONDAY + timedelta(days=7)
MINUTE = 60_000


def summary(status="resolved", *, at=MONDAY, rule="disk", service="db", took=10, began=2, **more):
    """Return an incident that was acknowledged after a minute and resolved after `took`."""
    declared = to_ms(at)
    return Summary(
        status=IncidentStatus(status),
        severity=more.pop("severity", Severity.SEV2),
        rule=rule,
        service=service,
        team="default",
        commander=more.pop("commander", "amira"),
        declared=declared,
        began=declared - began * MINUTE,
        acknowledged=declared + MINUTE,
        resolved=declared + took * MINUTE if status != "declared" else None,
        **more,
    )


def figures(summaries, paged=(), by=GroupedBy.SERVICE):
    return statistics_of(summaries, paged, since=SINCE, until=UNTIL, by=by)


def test_statistics_of_nothing():
    """Every week is there, without any number that was not measured."""
    none = figures([])
    assert (none.incidents, none.pages, none.groups, none.rules, none.people) == (0, 0, [], [], [])
    assert [week.begins_on for week in none.weeks] == ["2026-10-26", "2026-11-02", "2026-11-09"]
    assert none.times.resolve.median is None


def test_statistics_times_leave_out_what_was_dismissed():
    """Median and p90 over the incidents; open ones have no time to resolve, dismissed ones none at all."""
    times = figures(
        [summary(took=n) for n in (10, 20, 30)] + [summary("dismissed", took=999), summary("declared")]
    ).times
    assert (times.resolve.median, times.resolve.p90, times.resolve.count) == (1200, 1680, 3)
    assert (times.detect.median, times.acknowledge.count, times.mitigate.count) == (120, 4, 0)


def test_statistics_weeks_and_groups():
    """Each week has its own; groups have the most incidents first and only weeks in which they had any."""
    early = MONDAY - timedelta(days=1)
    found = figures([summary(at=early), summary(), summary(severity=Severity.SEV1), summary(service="web")])
    assert [week.incidents for week in found.weeks] == [1, 3, 0]
    assert found.weeks[1].severities[Severity.SEV1] == 1
    assert [(group.name, group.incidents) for group in found.groups] == [("db", 3), ("web", 1)]
    assert [week.begins_on for week in found.groups[1].weeks] == ["2026-11-02"]
    assert found.groups[1].weeks[0].pages is None
    severities = figures([summary(), summary(severity=Severity.SEV1)], by=GroupedBy.SEVERITY).groups
    assert [group.name for group in severities] == ["SEV1", "SEV2"]


def test_statistics_show_no_more_groups_than_anybody_reads():
    """What is left out is counted."""
    found = figures([summary(service=f"s{number}") for number in range(250)])
    assert (len(found.groups), found.groups_left_out) == (200, 50)


def test_statistics_precision_of_rules():
    """What was not dismissed of what was closed, the least precise first; by hand is no rule."""
    many = [summary(), summary("dismissed"), summary("declared"), summary(rule="fine"), summary(rule=None)]
    found = figures([*many, summary("declared", rule="new")])
    assert [(each.rule, each.declared, each.open, each.precision) for each in found.rules] == [
        ("disk", 3, 1, 0.5),
        ("fine", 1, 0, 1.0),
        ("new", 1, 1, None),
    ]


def test_statistics_merged_counts_for_its_rule_alone():
    """It was an incident, once, whatever came of the one that goes on, and took no time of its own."""
    found = figures([summary(rule=None), summary(rule="merged-away", merged=True)], by=GroupedBy.RULE)
    assert [(each.rule, each.declared, each.resolved, each.precision) for each in found.rules] == [
        ("merged-away", 1, 1, 1.0)
    ]
    assert (found.incidents, found.resolved, found.times.resolve.count) == (1, 1, 1)
    assert [group.name for group in found.groups] == [""]


def test_statistics_pages_of_people():
    """Whoever was woken most comes first; days outside of the stretch do not count."""
    day = MONDAY.date()
    pages = [
        Paged(day, DAY, "amira", 5),
        Paged(day, NIGHT, "bo", 2),
        Paged(day, DAY, "bo", 1),
        Paged(date(2020, 1, 1), NIGHT, "bo", 9),
    ]
    found = figures([summary()], pages, by=GroupedBy.PERSON)
    assert (found.pages, found.night_pages) == (8, 2)
    assert [(each.person, each.pages, each.night_pages, each.incidents) for each in found.people] == [
        ("bo", 3, 2, 0),
        ("amira", 5, 0, 1),
    ]
    groups = {group.name: (group.incidents, group.pages, group.weeks[0].night_pages) for group in found.groups}
    assert groups == {"amira": (1, 5, 0), "bo": (0, 3, 2)}


@pytest.mark.parametrize(
    ("zone", "at", "time"),
    [
        ("UTC", "2026-11-02T21:59:00+00:00", DAY),
        ("UTC", "2026-11-02T22:00:00+00:00", NIGHT),
        ("UTC", "2026-11-02T07:00:00+00:00", DAY),
        ("America/New_York", "2026-11-02T09:00:00+00:00", NIGHT),
        ("Asia/Tokyo", "2026-11-02T14:00:00+00:00", NIGHT),
        ("No/Where", "2026-11-02T12:00:00+00:00", DAY),
    ],
)
def test_nights_are_those_of_the_person(zone, at, time):
    """By the clock on the wall where the person lives."""
    oncall = OnCall(people={"bo": Person(id="bo", timezone=zone)})
    assert time_of_day(oncall, "bo", datetime.fromisoformat(at)) == time
    assert time_of_day(oncall, "channel:room", datetime.fromisoformat(at)) == ""


def test_quantile_interpolates():
    """Between neighbours; one value is every quantile of itself."""
    assert quantile([7], 0.9) == 7
    assert quantile([0, 10], 0.5) == 5
    assert monday_of(date(2026, 11, 8)) == date(2026, 11, 2)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0, "0s"), (0.4, "under 1s"), (59, "59s"), (250, "4m 10s"), (93600, "1d 2h")]
)
def test_durations_as_people_say_them(seconds, text):
    """In two units at most."""
    assert shown_seconds(seconds) == text


@pytest.mark.parametrize("of", PictureOf)
@pytest.mark.parametrize("number", [0, 40])
def test_pictures_for_a_phone_keep_their_words_on_the_sheet(of, number):
    """They are drawn about as wide as it shows, with letters as large as at a desk, and none stands outside."""
    many = [summary(service=f"s{n}", rule=f"a-rule-with-a-name-{n}", commander="amira", took=n) for n in range(number)]
    pages = [Paged(MONDAY.date(), NIGHT, "amira", number)] if number else []
    tree = ET.fromstring(picture_of(figures(many, pages), of, width=PictureWidth.NARROW))
    _, _, width, height = (float(each) for each in tree.attrib["viewBox"].split())
    assert width == NARROW
    for each in tree.iter("{http://www.w3.org/2000/svg}text"):
        x, y, size = (float(each.attrib[name]) for name in ("x", "y", "font-size"))
        length = len(each.text or "") * size * 0.56
        begin = x - {"start": 0.0, "middle": length / 2, "end": length}[each.attrib["text-anchor"]]
        assert size >= 11
        assert begin >= -1, each.text
        assert begin + length <= width, each.text
        assert y <= height


@pytest.mark.parametrize("of", PictureOf)
@pytest.mark.parametrize("number", [0, 1, 300])
def test_pictures_are_xml_without_markup_of_alerts(of, number):
    """Whatever a service, a rule or a person is called, it is only text; and nothing at all is a picture too."""
    evil = '</title><script>alert("1")</script>\x1b&\u202e'
    many = [summary(service=evil, rule=f"{evil}{n}", commander=evil, took=n) for n in range(number)]
    pages = [Paged(MONDAY.date(), NIGHT, evil, number)] if number else []
    found = figures(many, pages)
    for group in (None, *found.groups[:1]):
        drawn = picture_of(found, of, group)
        tree = ET.fromstring(drawn)
        assert not [each for each in tree.iter() if each.tag.endswith("script")]
        assert "\x1b" not in drawn
