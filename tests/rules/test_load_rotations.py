"""Rotations of rule files: layers, hours and members arrive as values, or say what is wrong."""

from datetime import date, time

import pytest

from incidents.oncall import Hours, Term

PEOPLE = "people: {amira: {channels: [console]}, bo: {channels: [console]}, cy: {channels: [console]}}\n"


@pytest.fixture
def rotation(load):
    """Load one rotation `r` from its body; what was wrong, or the rotation."""

    def read(body):
        loaded = load(PEOPLE, f"rotations:\n  r: {body}\nroles: {{incident_commander: {{rotation: r}}}}")
        return [f"{each.code} {each.message}" for each in loaded.errors] or loaded.rule_set.oncall.rotations["r"]

    return read


def test_rotations_read_layers_with_what_they_inherit(rotation):
    """What a layer does not say it takes from the rotation, the handoff as a whole."""
    found = rotation(
        "{timezone: Asia/Tokyo, handoff: {every: 1d, at: '08:00', starting: 2026-02-01}, layers: ["
        "{order: [amira], hours: [{weekdays: [mon, friday], from: '09:00', until: '17:00'}]},"
        "{timezone: UTC, order: [bo, cy], handoff: {every: 1w}}]}"
    )
    first, second = found.layers
    assert (first.timezone, first.every.days, first.at, first.starting) == ("Asia/Tokyo", 1, time(8), date(2026, 2, 1))
    assert first.hours == (Hours(weekdays=(0, 4), start=time(9), until=time(17)),)
    assert (second.timezone, second.every.days, second.at, second.hours) == ("UTC", 7, time(9), ())


def test_rotations_read_members(rotation):
    """A member may have a first day, a last day, or be there for ever."""
    found = rotation("{order: [amira, {person: bo, from: 2026-03-01, until: 2026-04-01}, {person: cy}]}")
    assert found.order == ("amira", "bo", "cy")
    assert found.terms == (Term(), Term(joins=date(2026, 3, 1), leaves=date(2026, 4, 1)), Term())
    assert rotation("{order: [amira, {person: bo}]}").terms == ()


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("{}", "E203", "a rotation needs 'order'"),
        ("{order: [amira], layers: [{order: [bo]}]}", "E311", "cannot have order beside them"),
        ("{hours: [{from: '09:00', until: '10:00'}], layers: [{order: [bo]}]}", "E311", "cannot have hours beside"),
        ("{layers: []}", "E407", "at least one layer"),
        ("{layers: [{order: []}]}", "E407", "at least one person"),
        ("{layers: [{hours: []}]}", "E203", "a layer needs 'order'"),
        ("{order: [amira], hours: []}", "E303", "hours is an empty list"),
        ("{order: [amira], hours: [{from: '09:00'}]}", "E203", "hours needs 'until'"),
        ("{order: [amira], hours: [{from: 9, until: '10:00'}]}", "E402", "from is not a time"),
        ("{order: [amira], hours: [{weekdays: [mo], from: '09:00', until: '10:00'}]}", "E204", "cannot hold 'mo'"),
        ("{order: [amira], hours: [{weekdays: [], from: '09:00', until: '10:00'}]}", "E303", "weekdays is an empty"),
        ("{order: [{person: bo, from: 2026-03-01, until: 2026-03-01}]}", "E403", "leaves before joining"),
        ("{order: [{person: bo, from: soon}]}", "E402", "from is not a day"),
        ("{order: [{persn: bo}]}", "E202", "a member has no key 'persn'"),
        ("{order: [{person: dee}]}", "E309", "no person 'dee'"),
        (
            "{order: [amira, {person: bo, until: 2026-03-01}], hours: [{from: '09:00', until: '10:00'}]}",
            "E404",
            "nobody",
        ),
        ("{order: [{person: amira, until: 2026-03-01}]}", "E404", "nobody holds the rotation r from 2026-11-02T03:00Z"),
    ],
)
def test_rotations_say_what_is_wrong(rotation, body, code, said):
    """Each mistake has its code and its words."""
    assert any(each.startswith(code) and said in each for each in rotation(body)), rotation(body)
