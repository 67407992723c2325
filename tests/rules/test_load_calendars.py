"""Calendars of rotations in rule files: where they are, what is wrong with them, and whom they name."""

from datetime import timedelta

import pytest
from calendar_texts import calendar, event

from incidents.oncall import Calendar
from incidents.rota.reading import read_calendar
from rules.check import check, render_text
from rules.loading.files import read_rule_files
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile

PEOPLE = "people: {amira: {channels: [console]}, bo: {email: bo@example.org, channels: [console]}}\n"
ROLES = "roles: {incident_commander: {rotation: r}}\n"
GOOD = calendar(
    event("amira", "20261101", "20261102", "RRULE:FREQ=WEEKLY;BYDAY=MO"),
    event("On call", "20261103", "20261104", "ATTENDEE:mailto:bo@example.org"),
)


@pytest.fixture
def rotation(now):
    """Load one rotation `r` from its body, beside a calendar `on.ics`; what was wrong, or the rotation."""

    def read(body, text=GOOD, *, warnings=False):
        files = [SourceFile("d/r.yml", f"{PEOPLE}{ROLES}rotations: {{r: {body}}}"), SourceFile("d/on.ics", text)]
        loaded = load_rule_set(files, now=now, read_calendar=read_calendar)
        problems = [each for each in loaded.problems if warnings or each.severity == "error"]
        return [f"{each.code} {each.message}" for each in problems] or loaded.rule_set.oncall.rotations["r"]

    return read


def test_calendar_beside_the_rules_gives_turns(rotation):
    """Its path begins at the rule file; people are named by id and by e-mail."""
    (layer,) = rotation("{timezone: Europe/Berlin, calendar: {file: on.ics, refresh: 1h}}").layers
    assert (layer.calendar.file, layer.calendar.refresh, layer.order) == (
        "d/on.ics",
        timedelta(hours=1),
        ("amira", "bo"),
    )
    assert [turn.person for turn in layer.turns[:3]] == ["amira", "bo", "amira"]
    assert f"{layer.turns[0].start:%m-%dT%H:%M}" == "10-31T23:00"


def test_calendar_of_an_address_may_stand_over_a_layer_of_people(rotation):
    """It is read later; until then the layer below holds the rotation, so there is no gap to warn of."""
    found = rotation("{layers: [{calendar: {url: 'https://c.example.org/x'}}, {order: [amira, bo]}]}", warnings=True)
    first, second = found.layers
    assert (first.calendar, first.turns, second.order) == (Calendar(url="https://c.example.org/x"), (), ("amira", "bo"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{calendar: {}}", "E408 a calendar needs one of url, url_file and file; none is given"),
        ("{calendar: {file: on.ics, url: 'https://c.example.org'}}", "E408 a calendar needs one of"),
        ("{calendar: {url: calendar.example.org}}", "E408 url is not an address"),
        ("{calendar: {file: on.txt}}", "E408 the name of a calendar ends in .ics"),
        ("{calendar: {file: off.ics}}", "E409 d/off.ics cannot be read"),
        ("{calendar: {file: on.ics, refresh: 1s}}", "E206 refresh must lie between 1m and 1d"),
        ("{calendar: {file: on.ics}, order: [amira]}", "E311 who has a calendar cannot have order beside it"),
        ("{calendar: {file: on.ics}, layers: [{order: [amira]}]}", "E311 a rotation that has layers cannot"),
        ("{layers: [{calendar: {file: on.ics}, hours: []}]}", "E311 who has a calendar cannot have hours"),
        ("{calendar: [on.ics]}", "E201 a calendar must be a mapping"),
    ],
)  # fmt: skip
def test_calendar_that_cannot_be_is_refused(rotation, body, said):
    """Each with what is wrong."""
    assert any(problem.startswith(said) for problem in rotation(body))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD[:-40], "E409 the calendar is torn"),
        (calendar(event("Team lunch", "20261101", "20261102")), "E409 no event from 2026-10-19 until 2027-02-02"),
        (calendar(event("amira", "20261101", "20261102", zone="")).replace("20261101", "1"), "E409 the calendar"),
    ],
)  # fmt: skip
def test_calendar_beside_the_rules_that_is_bad_is_an_error(rotation, text, said):
    """So it never replaces one that was good."""
    assert any(problem.startswith(said) for problem in rotation("{calendar: {file: on.ics}}", text))


def test_calendar_warns_of_gaps_and_of_events_that_name_nobody(rotation):
    """Nobody plans 90 days ahead, so that is no error."""
    text = calendar(event("amira", "20261101", "20261110"), event("Team lunch", "20261101", "20261102"))
    assert rotation("{calendar: {file: on.ics}}", text, warnings=True) == [
        "W331 nobody holds the rotation r from 2026-11-10T00:00Z until 2027-01-31T03:00Z",
        "W329 events that name nobody count for nothing: 'Team lunch'",
    ]
    assert rotation("{calendar: {url: 'https://c.example.org'}}", warnings=True) == [
        "W330 nobody holds the rotation r until its calendar has been read"
    ]


def test_calendar_that_nobody_reads_has_no_turns(now):
    """Where only rules are compiled, calendars come from the store."""
    files = [SourceFile("r.yml", f"{PEOPLE}{ROLES}rotations: {{r: {{calendar: {{file: on.ics}}}}}}")]
    (layer,) = load_rule_set([*files, SourceFile("on.ics", GOOD)], now=now).rule_set.oncall.rotations["r"].layers
    assert (layer.order, layer.turns, layer.calendar.file) == ((), (), "on.ics")


def test_calendars_are_read_along_with_the_rule_files_that_name_them(tmp_path, now):
    """From where the rule file lies; none that no rule names, and one that is missing is reported in its place."""
    (tmp_path / "r.yml").write_text(PEOPLE + ROLES + "rotations: {r: {calendar: {file: sub/on.ics}}}")
    (tmp_path / "other.ics").write_text(GOOD)
    read = read_rule_files([str(tmp_path)])
    assert "E409" in render_text(check(read.files, now, read_calendar=read_calendar))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "on.ics").write_text(GOOD)
    read = read_rule_files([str(tmp_path / "r.yml")])
    assert [file.name for file in read.files if file.is_calendar] == [str(tmp_path / "sub" / "on.ics")]
    assert check(read.files, now, read_calendar=read_calendar).errors == 0
