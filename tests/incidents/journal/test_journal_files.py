"""The journal's files: what is written comes back, whatever dies or breaks in between."""

import gzip
import json
import os
import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from incidents.alert import Alert
from incidents.clock import to_ms
from incidents.journal.files import file_of
from incidents.journal.lines import Became, Kind, Recorded, Said, Writing, encode_line
from incidents.journal.members import SIGNATURE, EntryId
from incidents.journal.reader import Journal, read
from incidents.journal.writer import Chunk, JournalBusy, JournalStuck, Writer
from incidents.values import AlertStatus

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def line(number: int, at: datetime) -> bytes:
    alert = Alert(fingerprint=f"{number:016x}", status=AlertStatus.FIRING, labels={"alertname": f"A{number}"})
    return encode_line(
        Writing(
            id=f"{to_ms(at)}-0.0",
            kind=Kind.ALERT,
            source="prom",
            received_at=at,
            decided_at=at,
            rules="abc",
            became=Became.FIRED,
            alert=msgspec.Raw(msgspec.json.encode(alert)),
            said=(Said(rule="critical", outcome="holds", tier=1),),
        )
    )


def chunk_of(*numbers: int, start: datetime = START, step: timedelta = timedelta(minutes=1)) -> Chunk:
    """A chunk with one line for each number, so many steps after the start."""
    chunk = Chunk()
    for number in numbers:
        at = start + step * number
        chunk.add(line(number, at), to_ms(at), EntryId(to_ms(at), 0))
        chunk.position = EntryId(to_ms(at), 0)
    return chunk


def names(events: list[Recorded]) -> list[str]:
    return [event.labels["alertname"] for event in events]


@pytest.fixture
def writer(tmp_path: Path):
    writer = Writer(tmp_path / "journal")
    yield writer
    writer.close()


def test_journal_gives_back_what_was_written(writer: Writer):
    """An event comes back with its alert and what was decided."""
    writer.append(chunk_of(1, 2))
    first, second = read(writer.directory)
    assert (first.alert.fingerprint, first.became) == ("0000000000000001", Became.FIRED)
    assert (second.id, second.said[0].rule) == (f"{to_ms(START + timedelta(minutes=2))}-0.0", "critical")


def test_journal_is_json_lines_for_any_gzip_reader(writer: Writer):
    """What the files hold can be read without us."""
    writer.append(chunk_of(1))
    writer.append(chunk_of(2))
    with gzip.open(file_of(writer.directory, START.date()), "rt") as lines:
        assert [json.loads(each)["alert"]["labels"]["alertname"] for each in lines] == ["A1", "A2"]


def test_journal_is_seen_by_its_owner_alone(writer: Writer):
    """Directory and files are closed to others."""
    writer.append(chunk_of(1))
    paths = [writer.directory, *writer.directory.iterdir()]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}


def test_journal_turns_with_the_day(writer: Writer):
    """Each UTC day has a file of its own, and a span of time reads only what lies in it."""
    days = [START + timedelta(days=number) for number in range(3)]
    for number, day in enumerate(days):
        writer.append(chunk_of(number, start=day))
    assert sorted(path.name for path in writer.directory.glob("*.gz")) == [f"{day.date()}.jsonl.gz" for day in days]
    assert names(read(writer.directory, days[1], days[2])) == ["A1"]
    assert names(read(writer.directory, until=days[1])) == ["A0"]


def test_journal_does_not_turn_back(writer: Writer):
    """A clock that goes back over midnight writes on into the file that is open."""
    writer.append(chunk_of(1, start=START + timedelta(days=1)))
    writer.append(chunk_of(2, start=START))
    assert len(list(writer.directory.glob("*.gz"))) == 1


def test_journal_forgets_days_that_are_over_long_enough(writer: Writer):
    """Files older than the retention go; the one that is written never does."""
    for number in range(4):
        writer.append(chunk_of(number, start=START + timedelta(days=number)))
    assert len(writer.prune(START + timedelta(days=3), timedelta(days=1))) == 2
    assert names(read(writer.directory)) == ["A2", "A3"]
    writer.prune(START + timedelta(days=400), timedelta(days=1))
    assert names(read(writer.directory)) == ["A3"]


@pytest.mark.parametrize("cut", [1, 8, 90, 200])
def test_journal_skips_and_counts_a_torn_end(writer: Writer, cut: int):
    """A member that was half-written is left out and counted, and the next writer cuts it off."""
    writer.append(chunk_of(1))
    path = file_of(writer.directory, START.date())
    whole = path.stat().st_size
    writer.append(chunk_of(2))
    os.truncate(path, path.stat().st_size - cut)
    journal = Journal(writer.directory)
    assert (names(journal.read()), journal.skipped) == (["A1"], 1)
    position = writer.position
    writer.close()
    again = Writer(writer.directory)
    assert again.position < position
    assert path.stat().st_size == whole
    again.append(chunk_of(2))
    assert names(read(again.directory)) == ["A1", "A2"]
    again.close()


def test_journal_reads_past_a_damage(writer: Writer):
    """Bytes that the disk lost cost the lines in their place, and no others."""
    for number in range(3):
        writer.append(chunk_of(number))
    path = file_of(writer.directory, START.date())
    data = bytearray(path.read_bytes())
    second = data.find(SIGNATURE, 1)
    data[second : second + 4] = bytes(4)
    path.write_bytes(data)
    journal = Journal(writer.directory)
    assert (names(journal.read()), journal.skipped) == (["A0", "A2"], 1)
    data[second : second + 4] = SIGNATURE[:4]
    data[second + 120] ^= 0xFF
    path.write_bytes(data)
    journal = Journal(writer.directory)
    assert (names(journal.read()), journal.skipped) == (["A0", "A2"], 1)


def test_journal_drops_what_never_reached_the_disk(writer: Writer):
    """After a power failure the end may be of zeros: the next writer goes on after the last sound member."""
    writer.append(chunk_of(1))
    writer.append(chunk_of(2))
    path = file_of(writer.directory, START.date())
    data = path.read_bytes()
    path.write_bytes(data[:-40] + bytes(40))
    writer.close()
    again = Writer(writer.directory)
    assert again.position == EntryId(to_ms(START + timedelta(minutes=1)), 0)
    assert again.lines_after("0-0") == 1
    again.close()


def test_journal_has_one_writer(writer: Writer):
    """A second writer is refused by name, and comes in once the first has gone."""
    with pytest.raises(JournalBusy, match=str(writer.directory)):
        Writer(writer.directory)
    writer.close()
    Writer(writer.directory).close()


def test_journal_finds_the_events_of_an_entry(writer: Writer):
    """An id that a sender was answered leads to its events, without looking into other members."""
    for number in range(50):
        writer.append(chunk_of(number))
    entry = EntryId(to_ms(START + timedelta(minutes=7)), 0)
    assert names(Journal(writer.directory).of_entry(entry)) == ["A7"]
    assert Journal(writer.directory).of_entry(EntryId(entry.ms, 1)) == []


def test_journal_finds_lines_by_what_is_in_them(writer: Writer):
    """A fingerprint leads to every event of its alert."""
    writer.append(chunk_of(1, 2, 3))
    assert names(Journal(writer.directory).containing(b'"fingerprint":"0000000000000002"')) == ["A2"]


def test_journal_says_that_the_disk_is_full(writer: Writer):
    """A write that does not fit leaves nothing behind, and the next one that does goes on."""
    writer.append(chunk_of(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_of(writer.directory, START.date()).stat().st_size + 50, hard))
    try:
        with pytest.raises(JournalStuck, match="too large"):
            writer.append(chunk_of(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.append(chunk_of(3))
    journal = Journal(writer.directory)
    assert (names(journal.read()), journal.skipped) == (["A1", "A3"], 0)


def test_journal_that_is_not_there_is_empty(tmp_path: Path):
    """No journal was ever written here: nothing to read, and no error."""
    assert list(read(tmp_path / "nothing")) == []
