"""The list of open incidents: in the order in which they need somebody, and never more is read than what is shown."""

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest
from builders import rule_set
from msgspec.structs import replace

from incidents import keys
from incidents.commit import Commit
from incidents.events import Acknowledge, DeclaredByHand, Dismiss, Escalate
from incidents.store import listing, reads
from incidents.store.archive import Kept, sweep
from incidents.store.codec import decode_incident, encode
from incidents.store.commit import commit_commands
from incidents.store.connection import Link, Links
from incidents.store.following import REMEMBERED_SECONDS, OpenIncidents
from incidents.store.incidents import Incidents
from incidents.store.measured import measure
from incidents.store.open_order import COMPARED_EVERY, OpenOrder
from incidents.store.reads import Reads, UnknownCursor
from incidents.urgency import bands, standing_of, urgency
from incidents.values import OPEN_STATUSES, Severity
from rules.index import identity_key


class CountingLink(Link):
    """Counts the commands that it sends, and the values that it is answered."""

    def __init__(self, url) -> None:
        super().__init__(url)
        self.sent, self.values = Counter(), Counter()

    def ask(self, commands, **how):
        replies = super().ask(commands, **how)
        for command, reply in zip(commands, replies, strict=True):
            self.sent[command[0]] += 1
            self.values[command[0]] += len(reply) if isinstance(reply, list) else 1
        return replies


class CountingLinks(Links):
    """Lends one link that counts."""

    def __init__(self, url) -> None:
        super().__init__(url)
        self.link = CountingLink(url)

    @contextmanager
    def borrow(self):
        yield self.link

    def asked(self, question) -> tuple[Counter, Counter]:
        """Return how many commands of each kind one question sends, and how many values they are answered with."""
        self.link.sent, self.link.values = Counter(), Counter()
        question()
        return self.link.sent, self.link.values


@pytest.fixture
def counting(store_url):
    links = CountingLinks(store_url)
    yield links
    links.link.drop()


@pytest.fixture
def incidents(links):
    oncall = rule_set().oncall
    return Incidents(links, lambda _: oncall)


@pytest.fixture
def declare(incidents, now):
    """Declares incidents, each some minutes after the first."""

    def declared(name, severity=Severity.SEV3, minutes=0):
        identity = {"service": str(name)}
        event = DeclaredByHand(
            actor="amira",
            title=f"{name} fails",
            severity=severity,
            identity=identity,
            identity_key=identity_key(identity),
        )
        return incidents.declare(event, now=now + timedelta(minutes=minutes)).incident.id

    return declared


@pytest.fixture
def many(declare, incidents, now):
    """Thirty open incidents of every severity, three to a minute, every fourth acknowledged."""
    names = [declare(number, list(Severity)[number % 4], number // 3) for number in range(30)]
    for name in names[1::4]:
        incidents.apply(name, Acknowledge(actor="bo"), now=now)
    return names


def stored(links, names):
    with links.borrow() as link:
        return [decode_incident(link.one("GET", keys.incident(name))) for name in names]


def in_order(found):
    return [one.id for one in sorted(found, key=lambda one: (urgency(one), one.id), reverse=True)]


def followed(read):
    """Follow a list to its end; return every id in order."""
    shown, after = [], ""
    while after is not None:
        page = read(after)
        shown += [counted.incident.id for counted in page.incidents]
        after = page.next
    return shown


def test_urgency_puts_what_nobody_took_before_what_is_graver(links, declare, incidents, now):
    """Nobody took it, then the severity, then the newest: in this order."""
    taken = declare("taken", Severity.SEV1, 9)
    old, new, grave = declare("old"), declare("new", minutes=1), declare("grave", Severity.SEV2)
    incidents.apply(taken, Acknowledge(actor="bo"), now=now)
    shown = [one.incident.id for one in Reads(links).urgent().incidents]
    assert shown == [grave, new, old, taken]


@pytest.mark.parametrize("status", sorted(OPEN_STATUSES))
@pytest.mark.parametrize("severity", Severity)
def test_urgency_tells_how_an_incident_stands(links, declare, status, severity):
    """Severity and status can be read from it, and it is within the bands of that severity, exact as a double."""
    (one,) = stored(links, [declare("db")])
    number = urgency(replace(one, severity=severity, status=status))
    assert standing_of(number) == (severity, status)
    assert any(low <= number <= high for low, high in bands(severity))
    assert int(float(number)) == number


@pytest.mark.parametrize("is_known", [True, False])
def test_measures_count_open_incidents_without_reading_them(counting, many, is_known):
    """By severity and status; of a store of an earlier version they are read, and nothing is written."""
    expected = Counter((one.severity, one.status) for one in stored(counting, many))
    if not is_known:
        with counting.borrow() as link:
            link.one("DEL", keys.incidents_urgent())
            link.one("ZADD", keys.incidents_urgent(), 5, "INC-2025-0001")
    measured = []
    sent, _ = counting.asked(lambda: measured.append(measure(counting)))
    assert measured[0].open_incidents == expected
    assert sent["MGET"] == (0 if is_known else 1)


@pytest.mark.parametrize("limit", [1, 4, 50])
def test_urgent_pages_have_no_gap_and_no_repeat(links, many, limit):
    """Whatever the page's size: all of them once, in order, also those of one instant."""
    shown = followed(lambda after: Reads(links).urgent(after=after, limit=limit))
    assert shown == in_order(stored(links, many))


def test_urgent_pages_of_a_severity(links, many):
    """Both those that nobody took and the others, and only these, from any cursor on."""
    wanted = frozenset({Severity.SEV2, Severity.SEV4})
    shown = followed(lambda after: Reads(links).urgent(severities=wanted, after=after, limit=2))
    assert shown == in_order([one for one in stored(links, many) if one.severity in wanted])


def test_urgent_pages_go_on_where_somebody_took_the_last_one(links, many, incidents, now):
    """It moves back in the order; those that come after its old place are shown still."""
    expected = in_order(stored(links, many))
    first = Reads(links).urgent(limit=3)
    incidents.apply(expected[2], Acknowledge(actor="bo"), now=now)
    incidents.apply(expected[1], Dismiss(actor="bo", reason="drill"), now=now)
    rest = followed(lambda after: Reads(links).urgent(after=after or first.next, limit=4))
    assert [name for name in rest if name != expected[2]] == expected[3:]
    assert expected[2] in rest


def test_urgent_reads_what_it_shows(counting, many, declare):
    """A page of five costs the same commands and values, however many incidents are open."""
    found = Reads(counting)
    found.urgent(limit=5)  # the first question of a process compares the order with the set
    before = counting.asked(lambda: found.urgent(limit=5))
    for number in range(30, 60):
        declare(number)
    assert counting.asked(lambda: found.urgent(limit=5)) == before
    assert before[1]["MGET"] == 6
    assert before[0]["HMGET"] == 5
    assert before[0].total() < 15
    of_severity = counting.asked(lambda: found.urgent(limit=5, severities=frozenset({Severity.SEV1})))
    assert of_severity[1]["MGET"] <= 6 + 5


def test_open_list_of_many_reads_what_it_shows(counting, many, declare, monkeypatch):
    """The API's page of the newest neither asks for all that are open, nor loads more than it shows."""
    monkeypatch.setattr(reads, "FEW_OPEN", 20)
    monkeypatch.setattr(listing, "CHUNK", 10)
    found = Reads(counting)
    sent, values = counting.asked(lambda: found.incidents(statuses=OPEN_STATUSES, limit=5))
    assert values["MGET"] == 6
    assert values["ZREVRANGE"] + values["SMISMEMBER"] == 20
    assert "SMEMBERS" not in sent


def test_open_list_is_the_same_however_many_are_open(links, many, incidents, now, monkeypatch):
    """Newest first without a gap, found in the history or in the set of the open ones; a closed cursor goes on."""
    for name in many[::5]:
        incidents.apply(name, Dismiss(actor="bo", reason="drill"), now=now)
    monkeypatch.setattr(listing, "CHUNK", 4)

    def walked(after=""):
        return followed(lambda at: Reads(links).incidents(statuses=OPEN_STATUSES, after=at or after, limit=3))

    expected, rest = walked(), walked(many[20])
    assert expected == [name for name in reversed(many) if name not in many[::5]]
    monkeypatch.setattr(reads, "FEW_OPEN", 10)
    assert (walked(), walked(many[20])) == (expected, rest)
    monkeypatch.setattr(reads, "LATELY", 8)
    assert (walked(), walked(many[20])) == (expected, rest)


def test_urgent_of_a_store_that_an_earlier_version_wrote(links, many):
    """Without any order all are found, and it is there from then on."""
    expected = in_order(stored(links, many))
    with links.borrow() as link:
        link.one("DEL", keys.incidents_urgent())
        assert followed(lambda after: Reads(links).urgent(after=after, limit=7)) == expected
        assert link.one("ZCARD", keys.incidents_urgent()) == len(many)


def test_urgent_of_a_store_that_an_earlier_version_writes_now(links, declare):
    """One that it declared and one that it closed: in half a minute at most the list is right, though as many stand."""
    first, second, third = declare(1), declare(2), declare(3)
    clock = [0.0]
    order, kept = OpenOrder(lambda: clock[0]), frozenset[Severity]()

    def shown(link):
        chunks = order.places(link, after=None, severities=kept, size=2)
        return [place.name.decode() for chunk in chunks for place in chunk]

    with links.borrow() as link:
        assert shown(link) == [third, second, first]
        link.one("SREM", keys.incidents_open(), first)
        assert shown(link) == [third, second]  # there are fewer: this is seen at once
        link.one("ZREM", keys.incidents_urgent(), second)
        link.one("ZADD", keys.incidents_urgent(), 1, first)
        clock[0] += COMPARED_EVERY
        assert shown(link) == [third, second]


def test_urgent_mends_a_place_that_is_wrong(links, declare):
    """An incident that an earlier version changed stands where it stood, once; then where it belongs."""
    old, new = declare("old"), declare("new", minutes=1)
    found = Reads(links)
    found.urgent()
    with links.borrow() as link:
        link.one("ZADD", keys.incidents_urgent(), 5, new)
    assert [one.incident.id for one in found.urgent().incidents] == [old, new]
    assert [one.incident.id for one in found.urgent().incidents] == [new, old]
    with links.borrow() as link:
        link.one("ZADD", keys.incidents_urgent(), 5, new)
    assert [one.incident.id for one in Reads(links).urgent().incidents] == [new, old]  # a process that begins looks


@pytest.mark.parametrize("cursor", ["INC-2026-0001", "x:INC-2026-0001", "-1:a", "1" * 99 + ":a", ":", "\0"])
def test_urgent_refuses_unknown_cursors(links, cursor):
    """What no page of this list was answered with is refused by name."""
    with pytest.raises(UnknownCursor, match="begin without one"):
        Reads(links).urgent(after=cursor)


def test_lists_name_no_restricted_incident_as_a_cursor(links, many, monkeypatch):
    """Where a question ends early, it ends at an incident that its reader may know."""
    with links.borrow() as link:
        for one in stored(links, many[10:20]):
            link.one("SET", keys.incident(one.id), encode(replace(one, restricted=True)))
    monkeypatch.setattr(listing, "CHUNK", 4)
    monkeypatch.setattr(listing, "LOOKED_AT", 4)
    found = Reads(links)
    for read in (found.urgent, found.incidents):
        after, cursors = "", []
        while after is not None:
            page = read(after=after, limit=3, reader="bo", chosen=lambda _: False)
            after = page.next
            cursors.append(after or "")
        assert len(cursors) > 4
        assert not {cursor.partition(":")[2] or cursor for cursor in cursors} & set(many[10:20])


def test_reads_decode_only_what_may_be_wanted(links, many, monkeypatch):
    """Of a filter for one severity no other incident is taken apart."""
    taken_apart = []
    monkeypatch.setattr(listing, "decode_incident", lambda value: taken_apart.append(value) or decode_incident(value))
    page = Reads(links).incidents(severities=frozenset({Severity.SEV4}))
    assert [one.incident.id for one in page.incidents] == many[3::4][::-1]
    assert len(taken_apart) == len(page.incidents)


def test_search_unpacks_an_archived_incident_once(links, incidents, declare, now, monkeypatch):
    """It is looked through, shown and counted from one look at it."""
    name = declare("archived")
    incidents.apply(name, Dismiss(actor="bo", reason="drill"), now=now)
    with links.borrow() as link:
        assert sweep(link, 0, Kept(timedelta(1), timedelta(99)), now + timedelta(days=2)).archived == (name,)
    unpacked, front_of = [], listing.front_of
    monkeypatch.setattr(listing, "front_of", lambda value: unpacked.append(value) or front_of(value))
    page = Reads(links).incidents(chosen=lambda one: "archived" in one.title, words=["archived"])
    assert [one.incident.id for one in page.incidents] == [name]
    assert len(unpacked) == 1


class Watched:
    """What one process that watches is told, and what each look costs it."""

    def __init__(self, counting) -> None:
        self.clock = 0.0
        self.counting = counting
        self.open = OpenIncidents(counting, lambda: self.clock)

    def look(self) -> int:
        """Return how many commands a look sends."""
        return self.counting.asked(self.open.read)[0].total()


def test_watching_costs_one_command_while_nothing_changes(counting, many, incidents, now):
    """An acknowledgement and a new severity are seen at the next look, which alone pays for them."""
    watched, name = Watched(counting), many[3]
    assert watched.look() > 5
    assert [watched.look(), watched.look()] == [1, 1]
    for event in (Acknowledge(actor="bo"), Escalate(actor="bo", severity=Severity.SEV1)):
        incidents.apply(name, event, now=now)
        assert watched.look() > 5
        assert watched.look() == 1
    shown = {one.incident.id: one.incident for one in watched.open.read()}
    assert (shown[name].severity, shown[name].acknowledged_by) == (Severity.SEV1, "bo")


def test_watching_sees_that_no_alert_fires_any_more(counting, declare, now):
    """Whether any fires is shown, and changes without a change of the incident."""
    name = declare("db")
    watched = Watched(counting)
    watched.look()
    for firing, clear_since in ((1, None), (-1, now)):
        commit = Commit(now)
        commit.count_alert(name, firing=firing, resolved=0)
        commit.clear_since[name] = clear_since
        with counting.borrow() as link:
            link.ask([("MULTI",), *commit_commands(commit), ("EXEC",)])
        assert watched.open.read()[0].alerts.firing == max(firing, 0)


def test_watching_trusts_no_count_for_long(counting, declare):
    """A store that counts no change, as an earlier version writes it, is read again after half a minute."""
    name = declare("db")
    watched = Watched(counting)
    watched.look()
    with counting.borrow() as link:
        link.one("SREM", keys.incidents_open(), name)
        link.one("ZREM", keys.incidents_urgent(), name)
    assert watched.open.read()
    watched.clock += REMEMBERED_SECONDS
    assert watched.open.read() == ()
