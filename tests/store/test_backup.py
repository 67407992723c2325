"""Backups: the whole store as it was at one instant, restored as it was, and refused where it was touched."""

import gzip
import threading

import pytest

from incidents import keys
from incidents.backups import BackupWriter, BadBackup, End, Head, read_backup
from incidents.store.backup import Copier, Restorer, StoreInUse, StoreNotEmpty, names_in
from incidents.store.connection import Link
from incidents.store.logical import read_values

HEAD = Head(format=1, made_at="2026-01-05T09:00:00.000Z", version="0.1.0")
LAPSES_MS = 4_000_000_000_000  # in the year 2096


@pytest.fixture
def link(store_url):
    link = Link(store_url)
    yield link
    link.drop()


def fill(link) -> None:
    """Keep something of every kind: long, empty, binary, and with a time at which it lapses."""
    link.one("SET", keys.rules_current(), "r1")
    link.one("SET", keys.incident("INC-2026-0001"), b"\x00\xff binary")
    link.one("SET", keys.overrides("o"), "lapses", "PXAT", LAPSES_MS)
    link.one("HSET", keys.alerts(), *(word for number in range(1200) for word in (f"a{number}", b"\xfe" * 10)))
    link.one("SADD", keys.incidents_open(), "INC-2026-0001", "INC-2026-0002")
    link.one("ZADD", keys.timers(), "1767603600123", "alert|x", "+inf", "alert|y", "-2.5", "alert|z")
    link.one("RPUSH", keys.page("list"), "b", "a", "b")
    timeline = keys.timeline("INC-2026-0001")
    link.ask([("XADD", timeline, f"{number}-7", "e", "{}", "b", b"\xff") for number in range(1, 1300)])
    link.one("XADD", keys.stream(), "5000-1", "k", "alerts")
    link.one("XDEL", keys.stream(), "5000-1")


def held(link) -> dict:
    """Return everything of ours that is in the store; for what lapses only that it does, and no order where none is."""
    found = {}
    for name, value in read_values(link, sorted(set(names_in(link))), 0).items():
        rows = sorted(value.rows) if value.kind in {"hash", "set"} else value.rows
        found[name] = value._replace(rows=rows, lapses_ms=bool(value.lapses_ms))
    return found


def back_up(url, path):
    with BackupWriter(path, HEAD) as writer:
        return Copier(url, writer).copy()


def restore(url, path, *, force=False):
    for _ in read_backup(path):
        pass
    restorer = Restorer(url)
    restorer.prepare(force=force)
    done = restorer.write(read_backup(path))
    restorer.finish()
    return done


def rewritten(path, change):
    """Unpack a backup, change its lines, and pack it again."""
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(change(lines))))


def test_backup_is_restored_as_it_was(link, store_url, tmp_path):
    """Every kind of key comes back with its rows, their order, the last id of a stream and when it lapses."""
    fill(link)
    link.one("SET", keys.fence(), "6")
    before = held(link)
    link.one("SET", keys.wake_pager(), "1")  # of the moment: left out
    link.one("SET", "rq:queue", "not ours")
    copied = back_up(store_url, tmp_path / "b")
    link.one("FLUSHALL")
    done = restore(store_url, tmp_path / "b")
    after = held(link)
    assert after.pop(keys.fence()).rows == [b"7"]  # a decider of before cannot commit
    before.pop(keys.fence())
    assert after == before
    assert copied.keys == done.keys == len(before) + 1
    assert copied.at == done.at
    assert not link.one("EXISTS", "rq:queue")
    assert abs(link.one("PTTL", keys.overrides("o")) - (LAPSES_MS - int(link.one("TIME")[0]) * 1000)) < 60_000
    # What comes after a restore stands after what was there before.
    with pytest.raises(Exception, match="equal or smaller"):
        link.one("XADD", keys.stream(), "5000-1", "k", "alerts")


def test_backup_is_of_one_instant_while_others_write(link, store_url, tmp_path):
    """Two keys that always change together are equal in the copy, however busy the store is; what goes is gone."""
    link.ask([("SET", keys.incident(f"INC-2026-{number:04d}"), "x" * 200) for number in range(3000)])
    stop = threading.Event()

    def write() -> None:
        busy, number = Link(store_url, answer_seconds=60), 0
        while not stop.is_set():
            number += 1
            pair = [("SET", keys.incident("A"), number), ("SET", keys.timeline("A"), number)]
            gone = ("DEL", keys.incident(f"INC-2026-{number % 3000:04d}"))
            busy.ask([("MULTI",), *pair, gone, ("EXEC",)])
        busy.drop()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        copied = back_up(store_url, tmp_path / "b")
    finally:
        stop.set()
        thread.join()
    link.one("FLUSHALL")
    restore(store_url, tmp_path / "b")
    number = int(link.one("GET", keys.incident("A")))
    assert link.one("GET", keys.timeline("A")) == str(number).encode()
    names = {f"INC-2026-{gone % 3000:04d}" for gone in range(1, number + 1)}
    there = link.one("EXISTS", *(keys.incident(f"INC-2026-{each:04d}") for each in range(3000)))
    assert there == 3000 - len(names) == copied.keys - 2


def test_backup_drops_pages_that_were_due(link, store_url, tmp_path):
    """A restore sends no page: those that were due are dropped and counted."""
    link.one("ZADD", keys.pages_due(), 0, "p1", 5, "p2")
    link.one("HSET", keys.page("p1"), "page", "{}")
    back_up(store_url, tmp_path / "b")
    link.one("FLUSHALL")
    assert restore(store_url, tmp_path / "b").pages_dropped == 2
    assert not link.one("EXISTS", keys.pages_due(), keys.page("p1"))


def test_backup_is_refused_by_a_store_that_is_not_empty(link, store_url, tmp_path):
    """Nothing is written over what is there, unless that is asked for; then nothing of it stays."""
    fill(link)
    back_up(store_url, tmp_path / "b")
    link.one("SET", keys.shadows(), "newer")
    with pytest.raises(StoreNotEmpty, match="--force"):
        restore(store_url, tmp_path / "b")
    restore(store_url, tmp_path / "b", force=True)
    assert not link.one("EXISTS", keys.shadows())
    assert link.one("XLEN", keys.timeline("INC-2026-0001")) == 1299


def test_backup_is_refused_while_somebody_works(link, store_url, tmp_path):
    """A store on which a worker works is not touched, not even with --force."""
    back_up(store_url, tmp_path / "b")
    link.one("SET", keys.lease(), "decider")
    with pytest.raises(StoreInUse, match="a decider works"):
        restore(store_url, tmp_path / "b", force=True)


def test_backup_broken_off_is_known(link, store_url, tmp_path):
    """What a restore left half done is named, and is restored with --force."""
    back_up(store_url, tmp_path / "b")
    Restorer(store_url).prepare(force=False)
    link.one("SET", keys.rules_current(), "half")
    with pytest.raises(StoreNotEmpty, match="broken off"):
        restore(store_url, tmp_path / "b")


@pytest.fixture
def made(link, store_url, tmp_path):
    """A backup of a filled store."""
    fill(link)
    back_up(store_url, tmp_path / "b")
    return tmp_path / "b"


def test_backup_torn_anywhere_is_refused(made):
    """A file that ends early is refused wherever it ends, with the last line that is whole."""
    whole = made.read_bytes()
    for length in (0, 1, 10, 30, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        made.write_bytes(whole[:length])
        with pytest.raises(BadBackup, match=r"line|at the beginning"):
            list(read_backup(made))


def test_backup_damaged_is_refused(made):
    """One byte that was flipped is noticed."""
    whole = made.read_bytes()
    for place in range(0, len(whole), max(len(whole) // 40, 1)):
        if 4 <= place < 10:  # the time and the system in the head of gzip mean nothing
            continue
        made.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(BadBackup):
            list(read_backup(made))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines[:3], lines[3].replace(b'"', b"'", 1), *lines[4:]], "line 4: it was changed"),
        (lambda lines: [*lines[:2], *lines[3:]], "line 3: it was changed, or a line before it is missing"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2: it was changed"),
        (lambda lines: lines[:-1], "it is torn: the end is missing"),
        (lambda lines: [*lines, lines[-1]], "something follows after the end"),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], "it is torn"),
        (lambda lines: [b"a text\n"], "line 1: it is no backup of Tocsin"),
        (lambda lines: [], "it is torn"),
    ],
)
def test_backup_edited_is_refused_with_the_place(made, change, said):
    """Lines that were changed, left out, moved, doubled or added are named by their number."""
    rewritten(made, change)
    with pytest.raises(BadBackup, match=said):
        list(read_backup(made))


def test_backup_of_another_format_is_refused(tmp_path):
    """A backup of a later version says so."""
    with BackupWriter(tmp_path / "b", Head(format=2, made_at="", version="9.0")) as writer:
        writer.write(End(at_ms=0, keys=0, lines=2))
    with pytest.raises(BadBackup, match=r"format 2, made by Tocsin 9\.0"):
        list(read_backup(tmp_path / "b"))


def test_backup_that_fails_leaves_no_file(tmp_path):
    """A backup stands in its place only when it is whole, and only its owner may read it."""
    with pytest.raises(RuntimeError), BackupWriter(tmp_path / "b", HEAD):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with BackupWriter(tmp_path / "b", HEAD):
        pass
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
