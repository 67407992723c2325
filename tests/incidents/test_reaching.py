"""Who could not be reached: people without channels, channels that failed last, rotations with gaps."""

from datetime import timedelta

from builders import NOW
from msgspec.structs import replace

from incidents.calendars import CalendarStatus, id_of
from incidents.oncall import Calendar, Channel, Layer, OnCall, Override, Person, Policy, Rotation, Step
from incidents.reaching import Attempt, unreachable

CONSOLE = Channel(name="amira/1", kind="console")


def oncall(**changes):
    """Amira is on call and has a channel; bo is not, and has none."""
    fields = {
        "people": {"amira": Person(id="amira", channels=(CONSOLE,)), "bo": Person(id="bo")},
        "rotations": {"commanders": Rotation(id="commanders", order=("amira",))},
    }
    return OnCall(**(fields | changes))


def found(settings, attempts=None):
    return [(each.what, each.name) for each in unreachable(settings, attempts or {}, NOW)]


def test_reaching_is_well_where_everybody_on_call_has_a_channel():
    """Who is never paged needs none."""
    assert found(oncall()) == []


def test_reaching_misses_the_channels_of_whoever_may_be_paged():
    """By the order of a rotation, an override to come, or a step; an override that is over no longer counts."""
    for past, expected in ((-2, []), (2, [("person", "bo")])):
        ends = NOW + timedelta(hours=past)
        override = Override(start=ends - timedelta(hours=1), until=ends, person="bo")
        rotation = Rotation(id="commanders", order=("amira",), overrides=(override,))
        assert found(oncall(rotations={"commanders": rotation})) == expected
    steps = {"default": Policy(id="default", steps=(Step(page=("bo",)),))}
    assert found(oncall(policies=steps)) == [("person", "bo")]


def test_reaching_tells_of_channels_that_failed_last():
    """Those of people and named ones; one that is no longer configured is nobody's."""
    attempts = {
        "amira/1": Attempt(at=NOW, failed="404 Not Found"),
        "team": Attempt(at=NOW),
        "gone": Attempt(at=NOW, failed="refused"),
    }
    settings = oncall(channels={"team": Channel(name="team", kind="console")})
    assert found(settings, attempts) == [("channel", "amira/1")]
    assert "404 Not Found" in unreachable(settings, attempts, NOW)[0].why


def test_reaching_tells_of_calendars_that_cannot_be_read():
    """Since when, and why; and of events that name nobody."""
    layer = Layer(order=(), calendar=Calendar(url="https://calendar.example.org/x.ics"))
    settings = oncall(rotations={"keepers": Rotation(id="keepers", layers=(layer, Layer(order=("amira",))))})
    good = CalendarStatus(rotations=("keepers",), at=NOW, good_at=NOW, refresh=timedelta(minutes=15))

    def told(status):
        statuses = {} if status is None else {id_of(layer): status}
        return [each.why for each in unreachable(settings, {}, NOW, statuses) if each.what == "calendar"]

    assert told(None) == ["it has not been read yet"]
    assert told(good) == []
    assert told(replace(good, failed="answered 404 Not Found")) == [
        "it was read last at 2026-01-05T09:00:00.000Z: answered 404 Not Found"
    ]
    assert told(replace(good, good_at=None, failed="torn")) == ["it was never read: torn"]
    assert told(replace(good, unknown=("Team lunch",))) == ["these events name nobody of people: 'Team lunch'"]


def test_reaching_tells_of_gaps():
    """Nobody holds it: the first three gaps of the next 90 days."""
    empty = Rotation(id="keepers", layers=(Layer(order=()),))
    assert found(oncall(rotations={"keepers": empty})) == [("rotation", "keepers")]
