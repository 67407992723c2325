"""The journal over a real Valkey: every event that took effect is in it once, whatever dies."""

import multiprocessing
import random
import resource
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from builders import alert, rule_set
from programs import eventually
from stage import Stage

from incidents import keys
from incidents.clock import utc_now
from incidents.incoming import Action, Incoming, Touch, TouchKind
from incidents.journal.files import file_of
from incidents.journal.lines import Became, Kind, Recorded
from incidents.journal.members import entry_id
from incidents.journal.reader import Journal, read
from incidents.store import journal as store_journal
from incidents.store.connection import Links
from incidents.store.journal import expect, standing
from incidents.store.quarantine import NotRequeueable, Quarantine
from rules.deciding.deciding import Deciding
from workers.entries import Cursor
from workers.journaling import Journaling
from workers.leaving import keep_bounded

WAITS = """
rules:
- id: critical
  match: 'severity="critical"'
  when: {firing_for: 5m}
  declare: SEV2
"""


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    stage = Stage(store_url, links, rule_set())
    expect(stage.link)
    return stage


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def journaling(stage: Stage, directory: Path, owner: str = "one") -> Journaling:
    return Journaling(url=stage.url, owner=owner, directory=directory, keep=timedelta(days=90), now=lambda: stage.now)


def write(stage: Stage, directory: Path) -> list[Recorded]:
    """Write all that there is, and read it."""
    writing = journaling(stage, directory)
    while standing(stage.link).lag:
        writing.step()
        writing.flush()
    writing.stop()
    writing._end()
    return list(read(directory))


def test_journal_tells_what_each_event_did(stage: Stage, directory: Path):
    """A firing, its repeat and its end are three lines, with the rule, the incident and the page."""
    stage.post(alert())
    stage.post(alert())
    stage.post(alert(status="resolved", ends_at=stage.now))
    stage.decide()
    first, repeat, end = write(stage, directory)
    assert [each.became for each in (first, repeat, end)] == [Became.FIRED, Became.REPEATED, Became.RESOLVED]
    assert (first.kind, first.source, first.received_at, first.rules) == (
        Kind.ALERT,
        "prom",
        stage.now,
        stage.rules.hash,
    )
    assert first.labels == alert().labels
    (said,) = first.said
    assert (said.rule, said.outcome, said.tier, said.incident) == ("critical", "holds", 1, "INC-2026-0001")
    (did,) = first.did
    assert (did.incident, did.paged) == ("INC-2026-0001", ("amira",))
    assert did.entries == ("incident_declared", "role_assigned", "alert_fired")
    assert repeat.alert is not None
    assert (repeat.alert.fingerprint, repeat.labels, repeat.became) == (alert().fingerprint, {}, Became.REPEATED)
    assert end.did[0].entries == ("alert_resolved",)


def test_journal_keeps_what_a_condition_answered(store_url: str, links: Links, directory: Path):
    """A tier that waits says what it had, what it wants and when it is due; the timer that ends it is a line too."""
    stage = Stage(store_url, links, rule_set(WAITS))
    expect(stage.link)
    stage.post(alert())
    stage.decide()
    stage.now += timedelta(minutes=5)
    stage.decide()
    fired, timer, *_ = write(stage, directory)
    (answer,) = fired.said[0].answers
    assert (fired.said[0].outcome, answer.condition, answer.got, answer.wanted) == ("waits", "firing_for", "0s", "5m")
    assert answer.due == stage.now
    assert (timer.kind, timer.timer) == (Kind.TIMER, f"alert|prom/{alert().fingerprint}")
    assert (timer.said[0].outcome, timer.did[0].entries[0]) == ("holds", "incident_declared")


def test_journal_keeps_what_is_more_than_an_alert(stage: Stage, directory: Path):
    """Actions and what people did elsewhere are lines, and a delivery that comes twice says so."""
    touch = Touch(fingerprint="x", kind=TouchKind.NOTE, text="looking", actor="bo")
    event = Incoming(ids=("once",), touch=touch)
    stage.take(event, event, Incoming(action=Action(kind="rollback", service="checkout", actor="bo")))
    stage.decide()
    note, again, action = write(stage, directory)
    assert [each.became for each in (note, again, action)] == [Became.TAKEN, Became.DUPLICATE, Became.TAKEN]
    assert note.incoming is not None
    assert note.incoming.touch == touch
    assert action.incoming is not None
    assert action.incoming.action is not None


def test_journal_keeps_what_went_to_quarantine(stage: Stage, directory: Path):
    """An event that could not be decided stands in its place, whole, with the error."""

    class Explosive(Deciding):
        def match(self, key, labels):
            if labels.get("instance") in {"n1", "n3"}:
                raise RuntimeError("boom")
            return super().match(key, labels)

    stage.post(*(alert(instance=f"n{number}") for number in range(5)))
    stage.link.one("XADD", keys.stream(), "*", "k", "riddle", "s", "prom", "t", 1, "n", 2, "b", "???")
    stage.post(alert(instance="n5"))
    stage.decide(stage.decider(deciding=lambda _: Explosive(stage.rules)))
    events = write(stage, directory)
    by_name = {each.labels["instance"]: each for each in events if each.kind is Kind.ALERT}
    assert {name: each.became for name, each in by_name.items()} == {
        **dict.fromkeys(("n0", "n2", "n4", "n5"), Became.FIRED),
        **dict.fromkeys(("n1", "n3"), Became.QUARANTINED),
    }
    assert "boom" in by_name["n3"].error
    assert by_name["n4"].said[0].rule == "critical"
    (riddle,) = [each for each in events if each.kind is Kind.UNREADABLE]
    assert (riddle.text, riddle.became) == ("???", Became.QUARANTINED)


def test_journal_follows_a_decider_that_goes_event_by_event(stage: Stage, directory: Path):
    """A cursor in the midst of an entry is no reason to miss an event or to tell of one twice."""
    stage.post(*(alert(instance=f"n{number}") for number in range(7)))
    decider = stage.decider()
    decider._suspects.careful = True
    stage.decide(decider)
    stage.post(alert(instance="n7"))
    stage.decide()
    assert [each.labels["instance"] for each in write(stage, directory)] == [f"n{number}" for number in range(8)]


def test_journal_lets_the_stream_go_only_when_it_has_it(stage: Stage, directory: Path):
    """The decider leaves the stream to a journal that is expected, and the journal trims what it has written."""
    for number in range(300):
        stage.post(alert(instance=f"n{number}"))
        if not number % 100:
            stage.decide()
    stage.decide()
    assert stage.link.one("XLEN", keys.stream()) == 300
    write(stage, directory)
    assert stage.link.one("XLEN", keys.stream()) <= 101  # of whole nodes of the stream
    assert stage.counter("journal_missed_events_total") == 0


def test_decider_goes_on_without_a_journal(stage: Stage, directory: Path):
    """Where nobody has written for ten minutes the decider trims alone, and counts what no journal tells of."""
    stage.post(alert(), alert(instance="b"))
    stage.decide()
    stage.link.one("DEL", keys.journal_expected())
    stage.post(alert(instance="c"))
    stage.decide()
    assert stage.counter("journal_missed_events_total") == 3  # two that waited, and one
    assert standing(stage.link).lag == 0
    expect(stage.link)
    stage.post(alert(instance="d"))
    stage.decide()
    assert [each.labels["instance"] for each in write(stage, directory)] == ["d"]


def test_decider_drops_what_memory_does_not_bear(stage: Stage, directory: Path, monkeypatch: pytest.MonkeyPatch):
    """A journal that falls too far behind loses events, which is counted, and never the store."""
    monkeypatch.setattr(store_journal, "EVENTS_AT_MOST", 2)
    stage.post(*(alert(instance=f"n{number}") for number in range(3)))
    decider = stage.decider()
    stage.decide(decider)
    keep_bounded(stage.link, Cursor(stage.link.one("GET", keys.cursor()).decode().partition("|")[0]))
    assert stage.counter("journal_missed_events_total") == 3
    stage.post(alert(instance="after"))
    stage.decide(decider)
    assert [each.labels["instance"] for each in write(stage, directory)] == ["after"]
    assert standing(stage.link).lag == 0


def test_journal_is_written_by_one(stage: Stage, directory: Path):
    """A second writer waits until the first has gone."""
    first, second = journaling(stage, directory, "one"), journaling(stage, directory, "two")
    assert first._open()
    assert not second._open()
    first._end()
    assert second._open()
    second._end()


def test_journal_waits_for_room_on_the_disk(stage: Stage, directory: Path):
    """A full disk is told of, costs the intake nothing, and everything is written once there is room."""
    stage.post(alert(instance="before"))
    stage.decide()
    write(stage, directory)
    size = file_of(directory, stage.now.date()).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    writing = journaling(stage, directory)
    writing._stopped.set()  # no pauses
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
        stage.post(alert(instance="meanwhile"))
        stage.decide()
        writing.step()
        writing._flush_at = 0.0
        writing.step()
        assert "File too large" in standing(stage.link).error
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writing._end()
    assert [each.labels["instance"] for each in write(stage, directory)] == ["before", "meanwhile"]
    assert standing(stage.link).error == ""


def test_journal_loses_and_repeats_nothing_when_its_writer_is_killed(stage: Stage, directory: Path):
    """Killed twenty times at random, the writer leaves every event in the journal exactly once."""
    chance = random.Random(7)
    context = multiprocessing.get_context("fork")
    expected: list[str] = []
    for death in range(20):
        link = journaling(stage, directory, f"writer-{death}")
        stage.link.one("DEL", keys.journal_lease())  # it would run out by itself after ten seconds
        child = context.Process(target=_write_quickly, args=(link,))
        child.start()
        until = time.monotonic() + chance.uniform(0.02, 0.25)
        while time.monotonic() < until:
            names = [f"n{len(expected) + number}" for number in range(20)]
            stage.post(*(alert(instance=name) for name in names))
            stage.decide()
            expected += names
        child.kill()
        child.join()
    stage.link.one("DEL", keys.journal_lease())
    events = write(stage, directory)
    assert [each.labels["instance"] for each in events] == expected
    assert Journal(directory).skipped == 0
    known = standing(stage.link)
    assert (known.decided, known.written) == (len(expected), len(expected))


def _write_quickly(writing: Journaling) -> None:
    while True:
        writing.step()
        if writing._writer is not None:
            writing.flush()


def test_journal_in_the_background(stage: Stage, directory: Path):
    """The thread writes within seconds, ends when asked to, and an entry is found by the id that its sender got."""
    stage.now = utc_now()
    writing = Journaling(url=stage.url, owner="me", directory=directory, keep=timedelta(days=1), now=utc_now)
    writing.start()
    appended = stage.intake.append_alerts(source="prom", alerts=[alert()], received_at=stage.now)
    stage.decide()
    eventually(lambda: not standing(stage.link).lag, what="a journal that is written")
    writing.stop()
    assert not writing.is_alive()
    (event,) = Journal(directory).of_entry(entry_id(appended.event_id))
    assert event.id == f"{appended.event_id}.0"


def test_requeue_takes_from_the_journal_what_the_quarantine_had_to_cut(stage: Stage, directory: Path):
    """An alert too long for the quarantine is requeued whole; without the journal it is refused."""

    class Explosive(Deciding):
        def match(self, key, labels):
            raise RuntimeError("boom")

    long = {f"note{number}": "ü" * 10_000 for number in range(9)}
    stage.post(msgspec.structs.replace(alert(), annotations=long))
    stage.decide(stage.decider(deciding=lambda _: Explosive(stage.rules)))
    write(stage, directory)
    ((item,), _) = Quarantine(stage.links, lambda: None).items()
    with pytest.raises(NotRequeueable):
        Quarantine(stage.links, lambda: None).requeue(item.id, now=stage.now)
    Quarantine(stage.links, lambda: None, directory).requeue(item.id, now=stage.now)
    stage.decide()
    assert len(stage.incidents()) == 2  # it, and the one that told of the quarantine
    assert write(stage, directory)[-1].alert.annotations == long
