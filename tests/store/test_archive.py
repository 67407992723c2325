"""Closed incidents as one compressed value: what goes in comes out, whoever looks, changes or dies meanwhile."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW

from incidents import events, keys
from incidents.archive import is_archive
from incidents.errors import NotFound
from incidents.keyring import LISTS_OF_INCIDENTS, MOMENTARY, PARTS_OF_INCIDENT, parts_of
from incidents.oncall import OnCall
from incidents.store.alert_reads import AlertReads
from incidents.store.archive import Kept, bring_back, sweep
from incidents.store.connection import Link
from incidents.store.incidents import Incidents
from incidents.store.logical import read_values
from incidents.store.measured import measure
from incidents.store.reads import Reads
from incidents.timeline import EntryKind
from incidents.values import IncidentStatus, Severity
from workers.keeping import EVERY_SECONDS, Keeper

DAY = timedelta(days=1)
KEPT = Kept(plain=7 * DAY, whole=400 * DAY)
WEEK_LATER = NOW + 8 * DAY


@pytest.fixture
def link(store_url):
    link = Link(store_url)
    yield link
    link.drop()


@pytest.fixture
def incidents(links):
    return Incidents(links, lambda _: OnCall())


@pytest.fixture
def closed(link, incidents):
    """Declare and close an incident, `filled` with something under every key that it can have; answers its id."""

    def close(service="db", event=None, *, filled=True) -> str:
        declared = events.DeclaredByHand(
            actor="amira",
            title=f"{service} is broken",
            severity=Severity.SEV2,
            identity={"service": service},
            identity_key=f"key-of-{service}",
        )
        name = incidents.declare(declared, now=NOW).incident.id
        incidents.apply(name, events.Note(actor="bo", text="a note"), now=NOW)
        event = event or events.Resolve(actor="bo", override="seen")
        incidents.apply(name, event, now=NOW + timedelta(hours=1))
        link.one("DEL", keys.identity(f"key-of-{service}"))  # the time to reopen is over
        link.one("HSET", keys.tally(name), "firing", 0, "resolved", 3, "clear_since", 1_767_603_600_000, "fold:x", 7)
        link.one("SADD", keys.incident_alerts(name), "prom/a", "prom/b")
        for part in parts_of(name):
            if filled and part != keys.incident_awake(name) and not link.one("EXISTS", part):
                link.one("RPUSH", part, b"one \xff", "two")
        return name

    return close


def held(link, name) -> dict:
    """Return what is kept of an incident, without that somebody looked at it."""
    values = read_values(link, [keys.incident(name), *parts_of(name)], 0)
    del values[keys.incident_awake(name)]
    return {key: value._replace(rows=sorted(value.rows, key=repr)) for key, value in values.items()}


def archive(link, now=WEEK_LATER, kept=KEPT):
    """Look at everything once."""
    swept = sweep(link, 0, kept, now)
    assert swept.next is None
    return swept


def test_archive_is_one_value_and_comes_back_as_it_was(link, closed):
    """After seven days one key is left; brought back, every key is there again, its rows and ids the same."""
    name = closed()
    before = held(link, name)
    assert archive(link, now=NOW + 6 * DAY).archived == ()
    assert archive(link).archived == (name,)
    assert is_archive(link.one("GET", keys.incident(name)))
    assert link.one("EXISTS", *parts_of(name)) == 0
    assert archive(link).archived == ()
    assert bring_back(link, name)
    assert held(link, name) == before
    assert not bring_back(link, name)


def test_archive_is_listed_and_read_like_any_other(link, links, incidents, closed):
    """List, counts, timeline, folds and alerts are the same before and after."""
    name = closed("db", filled=False)
    other = closed("web", events.Dismiss(actor="bo", reason="a test"), filled=False)
    reads, alerts = Reads(links), AlertReads(links)
    listed, timeline = reads.incidents(), reads.timeline(name)
    assert set(archive(link).archived) == {name, other}
    assert reads.incidents() == listed
    assert reads.incidents(statuses=frozenset({IncidentStatus.DISMISSED})).incidents[0].incident.id == other
    assert is_archive(link.one("GET", keys.incident(name)))  # a list brings nothing back
    assert reads.timeline(name) == timeline
    assert reads.latest(other, kinds=frozenset({EntryKind.NOTE})).entries
    assert archive(link).archived == ()  # who looked may look again
    link.one("DEL", keys.incident_awake(name), keys.incident_awake(other))
    archive(link)
    assert incidents.get(name) == (listed.incidents[1].incident, listed.incidents[1].alerts)
    archive(link)
    assert alerts.alerts(incident_id=name).alerts == ()


def test_archive_brings_back_what_is_reopened(link, incidents, closed):
    """A command on an archived incident happens to the whole of it."""
    name = closed()
    archive(link)
    done = incidents.apply(name, events.Reopen(actor="bo"), now=WEEK_LATER)
    assert done.incident.status is IncidentStatus.DECLARED
    assert done.alerts.resolved == 3
    assert link.one("XLEN", keys.timeline(name)) > 3
    assert archive(link, now=NOW + 900 * DAY) == ((), (), None)  # open: neither archived nor deleted


def test_archive_keeps_what_was_written_beside_it(link, closed):
    """Should something be written under the id of an archived incident, it stands after what was there before."""
    name = closed()
    length = link.one("XLEN", keys.timeline(name))
    archive(link)
    link.one("XADD", keys.timeline(name), "*", "e", "late")
    link.one("SADD", keys.incident_alerts(name), "prom/c")
    bring_back(link, name)
    entries = link.one("XRANGE", keys.timeline(name), "-", "+")
    assert len(entries) == length + 1
    assert entries[-1][1][1] == b"late"
    assert link.one("SCARD", keys.incident_alerts(name)) == 3


def test_archive_leaves_what_may_still_reopen_by_itself(link, incidents, closed):
    """While its identity leads to it, an alert may reopen it any moment: it stays as it is."""
    name = closed()
    link.one("SET", keys.identity("key-of-db"), f"{name}:3")
    assert archive(link).archived == ()


class Meddler(Link):
    """A link that lets somebody else change something before each transaction is executed."""

    meddle = staticmethod(lambda: None)

    def ask(self, commands, **more):
        if ("EXEC",) in commands:
            self.meddle()
        return super().ask(commands, **more)


@pytest.mark.parametrize("part", range(len(PARTS_OF_INCIDENT) + 1))
def test_archive_gives_way_to_a_change_at_the_same_moment(link, store_url, closed, part):
    """Whatever of an incident changes while it is packed, the change stays and the packing does not happen."""
    name = closed()
    touched = (keys.incident(name), *parts_of(name))[part]
    meddler = Meddler(store_url)
    meddler.meddle = lambda: link.ask([("COPY", touched, "other"), ("DEL", touched), ("COPY", "other", touched)])
    if touched == keys.incident_awake(name):
        meddler.meddle = lambda: link.one("SET", touched, "1")
    before = held(link, name)
    assert archive(meddler).archived == ()
    meddler.drop()
    assert held(link, name) == before


def test_archive_deletes_after_the_retention_and_leaves_nothing(link, incidents, links, closed):
    """What was closed for so long is gone, archived or not, with every key and from every list."""
    name, plain = closed("db"), closed("web")
    link.one("SET", keys.incident_awake(plain), "1")
    archive(link)
    later = NOW + 400 * DAY + timedelta(hours=1)
    assert archive(link, now=later - timedelta(minutes=1)).deleted == ()
    for command, place in LISTS_OF_INCIDENTS:
        for each in (name, plain):
            added = {
                "ZREM": ("ZADD", place, 1, each),
                "HDEL": ("HSET", place, each, "x"),
                "SREM": ("SADD", place, each),
            }
            link.one(*added[command])
    assert set(archive(link, now=later).deleted) == {name, plain}
    left = {key for _, found in [link.one("SCAN", 0, "COUNT", 10_000)] for key in found}
    assert not any(b"INC-" in key for key in left)
    assert [link.one("EXISTS", place) for _, place in LISTS_OF_INCIDENTS] == [0] * len(LISTS_OF_INCIDENTS)
    assert Reads(links).incidents().incidents == ()
    with pytest.raises(NotFound):
        incidents.get(name)
    # Its number is not given again.
    assert closed("api") == "INC-2026-0003"


def looked_through(keeper) -> int:
    """Let the keeper look at everything once; answers in how many steps."""
    following, steps = keeper.step(0), 1
    while following.wait < EVERY_SECONDS:
        following, steps = keeper.step(following.start), steps + 1
    return steps


def test_archive_goes_through_all_of_them_in_steps(link, store_url, closed):
    """However many there are, each is looked at, also where some are deleted on the way."""
    for number in range(7):
        closed(f"s{number}")
    for number in range(300):
        link.one("ZADD", keys.incidents(), number, f"INC-2025-{number:04d}")  # what is listed and not there goes
    keeper = Keeper(Link(store_url), owner="k", kept=KEPT, now=lambda: WEEK_LATER)
    assert looked_through(keeper) == 4
    assert link.one("ZCARD", keys.incidents()) == 7
    values = [link.one("GET", keys.incident(f"INC-2026-{number:04d}")) for number in range(1, 8)]
    assert all(is_archive(value) for value in values)
    link.one("SET", keys.keeper_lease(), "another")
    assert keeper.step(0).start == 0
    assert keeper.step(0).wait < EVERY_SECONDS


def test_archive_goes_on_beside_what_cannot_be_read(link, store_url, closed):
    """One incident that nobody can read keeps no other from being archived."""
    names = [closed(f"s{number}") for number in range(3)]
    link.one("SET", keys.incident(names[1]), "{torn")
    keeper = Keeper(Link(store_url), owner="k", kept=KEPT, now=lambda: WEEK_LATER)
    looked_through(keeper)
    assert [is_archive(link.one("GET", keys.incident(name))) for name in names] == [True, False, True]


def test_archive_counts_what_is_archived(link, links, closed):
    """Up with each that is archived, down with each that is brought back or deleted."""
    name, _, other = closed("a"), closed("b"), closed("c")
    sweep(link, 0, KEPT, WEEK_LATER)
    assert measure(links).archived == 3
    bring_back(link, name)
    assert measure(links).archived == 2
    link.one("DEL", keys.incident_awake(name))
    sweep(link, 0, KEPT._replace(whole=9 * DAY), WEEK_LATER + 2 * DAY)
    assert (measure(links).archived, link.one("EXISTS", keys.incident(other))) == (0, 0)


def test_archive_forgets_who_was_paged_as_long_ago_as_incidents_are_deleted(link, store_url):
    """Counts of pages of the last 400 days stay; those before them go, once the day has turned too."""
    days = {f"{NOW - number * DAY:%Y-%m-%d}|night|amira": 1 for number in (0, 400, 401, 900)}
    link.one("HSET", keys.statistics_pages(), *(part for each in days.items() for part in each))
    clock = [NOW]
    keeper = Keeper(Link(store_url), owner="k", kept=KEPT, now=lambda: clock[0])
    keeper.step(0)
    assert {field.decode()[:10] for field in link.one("HKEYS", keys.statistics_pages())} == {"2026-01-05", "2024-12-01"}
    clock[0] += DAY
    keeper.step(0)
    assert [field.decode()[:10] for field in link.one("HKEYS", keys.statistics_pages())] == ["2026-01-05"]


def key_functions():
    folder = Path(keys.__file__).parent
    nodes = [node for path in sorted(folder.glob("*.py")) for node in ast.parse(path.read_text()).body]
    return [node for node in nodes if isinstance(node, ast.FunctionDef)]


def test_keys_of_an_incident_are_all_listed():
    """A key that is made of the id of an incident is archived and deleted with it: list it in PARTS_OF_INCIDENT."""
    of_incident = {
        function.name
        for function in key_functions()
        if "tocsin:incident:{" in ast.unparse(function) and function.name != "incident"
    }
    assert of_incident == {part.__name__ for part in PARTS_OF_INCIDENT}
    assert all(key.startswith(f"{keys.incident('INC')}:") for key in parts_of("INC"))


def test_keys_that_last_for_moments_are_all_listed():
    """What lapses within a minute only tells of the moment: list it in MOMENTARY, so that no backup holds it."""
    shortly = {
        function.name
        for function in key_functions()
        if "second" in (ast.get_docstring(function) or "").partition("TTL:")[2][:25]
    }
    assert len(shortly) > 5
    assert {getattr(keys, name)() for name in shortly} - MOMENTARY == set()
