"""Reading incidents, timelines and alerts from a real store."""

import pytest
from builders import alert, rule_set

from incidents import keys
from incidents.clock import to_ms
from incidents.errors import NotFound
from incidents.events import DeclaredByHand, Dismiss, Note
from incidents.store import alert_reads, listing, reads
from incidents.store.alert_reads import AlertReads
from incidents.store.codec import encode
from incidents.store.commit import entry_command
from incidents.store.incidents import Incidents
from incidents.store.quarantine import Quarantine
from incidents.store.reads import Reads, UnknownCursor
from incidents.timeline import Entry, EntryKind
from incidents.values import OPEN_STATUSES, IncidentStatus, Severity
from rules.index import identity_key


@pytest.fixture
def incidents(links):
    oncall = rule_set().oncall
    return Incidents(links, lambda _: oncall)


@pytest.fixture
def declare(incidents, now):
    """Declares incidents, all in the same millisecond."""

    def declared(name):
        identity = {"service": name}
        event = DeclaredByHand(
            actor="amira",
            title=name,
            severity=Severity.SEV3,
            identity=identity,
            identity_key=identity_key(identity),
        )
        return incidents.declare(event, now=now).incident.id

    return declared


def pages_of(read):
    """Follow a list to its end; return every id in order."""
    shown, after = [], ""
    while after is not None:
        page = read(after)
        shown += [counted.incident.id for counted in page.incidents]
        after = page.next
    return shown


def test_reads_incidents_of_one_millisecond_keep_an_order(links, declare):
    """Incidents declared in the same millisecond are paged without a gap or a repeat."""
    ids = {declare(str(number)) for number in range(9)}
    for statuses in (frozenset(), OPEN_STATUSES):
        shown = pages_of(lambda after, only=statuses: Reads(links).incidents(statuses=only, after=after, limit=2))
        assert len(shown) == 9
        assert set(shown) == ids


def test_reads_look_through_history_in_bounded_steps(links, incidents, declare, now, monkeypatch):
    """A filter that finds little ends a page early with a cursor; following it finds everything."""
    monkeypatch.setattr(listing, "CHUNK", 2)
    monkeypatch.setattr(listing, "LOOKED_AT", 4)
    ids = [declare(str(number)) for number in range(12)]
    incidents.apply(ids[0], Dismiss(actor="bo", reason="drill"), now=now)
    dismissed = frozenset({IncidentStatus.DISMISSED})
    first = Reads(links).incidents(statuses=dismissed, limit=50)
    assert first.incidents == ()
    assert first.next is not None
    assert pages_of(lambda after: Reads(links).incidents(statuses=dismissed, after=after)) == [ids[0]]


def test_reads_open_incidents_without_the_history(links, incidents, declare, now, monkeypatch):
    """The open ones are found by their set: what is closed is not even looked at."""
    closed, opened = declare("a"), declare("b")
    incidents.apply(closed, Dismiss(actor="bo", reason="drill"), now=now)
    monkeypatch.setattr(listing, "LOOKED_AT", 1)
    page = Reads(links).incidents(statuses=OPEN_STATUSES)
    assert [counted.incident.id for counted in page.incidents] == [opened]
    after_closed = Reads(links).incidents(statuses=OPEN_STATUSES, after=opened)
    assert after_closed.incidents == ()


def test_reads_of_an_empty_store(links):
    """Nothing there is an empty page, not an error."""
    assert Reads(links).incidents() == ((), None)
    assert Reads(links).incidents(statuses=OPEN_STATUSES) == ((), None)
    assert Reads(links).open_of("x") is None
    assert AlertReads(links).alerts() == ((), None)
    assert Quarantine(links, lambda: None).items() == ((), None)


def test_reads_open_of_an_identity(links, incidents, declare, now):
    """Only an open incident is the one of an identity."""
    name = declare("db")
    key = identity_key({"service": "db"})
    assert Reads(links).open_of(key) == name
    incidents.apply(name, Dismiss(actor="bo", reason="drill"), now=now)
    assert Reads(links).open_of(key) is None


def test_reads_refuse_unknown_cursors(links, declare):
    """A cursor of another list is refused by name."""
    name = declare("db")
    for statuses in (frozenset(), OPEN_STATUSES):
        with pytest.raises(UnknownCursor, match="begin without one"):
            Reads(links).incidents(statuses=statuses, after="INC-1-1")
    with pytest.raises(UnknownCursor):
        Reads(links).timeline(name, after="x")
    with pytest.raises(UnknownCursor):
        AlertReads(links).alerts(after="x")
    with pytest.raises(UnknownCursor):
        Quarantine(links, lambda: None).items(after="x")


def test_reads_timeline_joins_the_counts_of_folds(links, declare, now):
    """A fold says how many it stands for, in its text and its data; other entries are as they were written."""
    name = declare("db")
    entry = Entry(at=now, kind=EntryKind.ALERT_FIRED, text="DiskFull fired", data={"a": "b"}, fold="f|prod|DiskFull@1")
    lone = Entry(at=now, kind=EntryKind.ALERT_FIRED, text="LinkDown fired", fold="f|prod|LinkDown@1")
    with links.borrow() as link:
        for each in (entry, lone):
            link.one(*entry_command(name, each))
        link.one("HSET", keys.tally(name), "fold:f|prod|DiskFull@1", 1000, "fold:f|prod|LinkDown@1", 1)
    page = Reads(links).timeline(name, kinds=frozenset({EntryKind.ALERT_FIRED}))
    assert [each.text for each in page.entries] == ["DiskFull fired (and 999 more like it)", "LinkDown fired"]
    assert [each.data for each in page.entries] == [{"a": "b", "count": 1000}, {"count": 1}]
    assert "count" not in Reads(links).timeline(name, limit=1).entries[0].data


def test_reads_timeline_looks_through_entries_in_bounded_steps(links, incidents, declare, now, monkeypatch):
    """A kind that is rare ends a page early with a cursor; following it finds everything."""
    monkeypatch.setattr(reads, "CHUNK", 2)
    monkeypatch.setattr(reads, "ENTRIES_LOOKED_AT", 4)
    name = declare("db")
    for number in range(20):
        incidents.apply(name, Note(actor="bo", text=str(number)), now=now)
    incidents.apply(name, Dismiss(actor="bo", reason="drill"), now=now)
    found, after, asked = [], "", 0
    while after is not None:
        page = Reads(links).timeline(name, kinds=frozenset({EntryKind.DISMISSED}), after=after, limit=1)
        found += page.entries
        after, asked = page.next, asked + 1
    assert [entry.kind for entry in found] == [EntryKind.DISMISSED]
    assert asked > 3


def test_reads_timeline_of_an_unknown_incident(links):
    """A timeline belongs to an incident that is there."""
    with pytest.raises(NotFound):
        Reads(links).timeline("INC-2026-0001")
    with pytest.raises(NotFound):
        AlertReads(links).alerts(incident_id="INC-2026-0001")


def test_reads_alerts_of_one_webhook_keep_an_order(links, now, monkeypatch):
    """Alerts last heard in the same millisecond are paged without a gap or a repeat, also in bounded steps."""
    monkeypatch.setattr(alert_reads, "CHUNK", 3)
    monkeypatch.setattr(alert_reads, "LOOKED_AT", 6)
    names = {f"prod/{number}" for number in range(20)}
    given = alert()
    state = {
        "source": "prod",
        "fingerprint": given.fingerprint,
        "status": "firing",
        "labels": given.labels,
        "starts_at": now,
        "received_at": now,
    }
    with links.borrow() as link:
        for name in names:
            link.one("HSET", keys.alerts(), name, encode(state | {"fingerprint": name}))
            link.one("ZADD", keys.alerts_seen(), to_ms(now), name)
        link.one("ZADD", keys.alerts_seen(), to_ms(now), "prod/forgotten")
    for status in (None, given.status):
        shown, after = [], ""
        while after is not None:
            page = AlertReads(links).alerts(status=status, after=after, limit=4)
            shown += [heard.state.fingerprint for heard in page.alerts]
            after = page.next
        assert len(shown) == 20
        assert set(shown) == names


def test_reads_alerts_of_an_incident_with_many(links, declare, now, monkeypatch):
    """They are in the order of all alerts, whether they are found near its front or further back."""
    monkeypatch.setattr(alert_reads, "MANY", 10)
    monkeypatch.setattr(alert_reads, "LATELY", 12)
    name = declare("db")
    labels = alert().labels
    expected = []
    with links.borrow() as link:
        for number in range(60):
            key = f"prod/{number:02}"
            state = {"source": "prod", "fingerprint": key, "status": "firing", "labels": labels}
            link.one("HSET", keys.alerts(), key, encode(state | {"starts_at": now, "received_at": now}))
            link.one("ZADD", keys.alerts_seen(), to_ms(now) + number // 3, key)
            if number % 3 == 0 or number < 15:
                link.one("SADD", keys.incident_alerts(name), key)
                expected.insert(0, key)
    shown, after = [], ""
    while after is not None:
        page = AlertReads(links).alerts(incident_id=name, after=after, limit=4)
        shown += [heard.state.fingerprint for heard in page.alerts]
        after = page.next
    assert shown == expected


@pytest.mark.parametrize("wanted", ["mail", 'a "quote"', "straße", "STRASSE", "ﬁn", "café"])
def test_reads_words_drop_nothing_that_is_wanted(links, declare, wanted):
    """What stands escaped in the store, or folds to other letters, is found as everything else is."""
    titles = ["Mail waits", 'A "quote" fails', "Die Straße", "FIN is late", "The café closed", "back\\slash"]
    for title in titles:
        declare(title)
    words = wanted.casefold().split()
    page = Reads(links).incidents(chosen=lambda one: all(w in one.title.casefold() for w in words), words=words)
    assert [one.incident.title for one in page.incidents] == [
        title for title in reversed(titles) if all(word in title.casefold() for word in words)
    ]
    assert page.incidents
