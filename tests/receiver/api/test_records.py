"""The record of an incident as the API gathers it: page by page, as far as it is wanted, and no further."""

from datetime import UTC, datetime, timedelta
from itertools import islice

from incidents.store.reads import EntryPage
from incidents.timeline import EntryKind, TimelineEntry
from receiver.api.records import AT_ONCE, every_entry

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Timeline:
    """A timeline of so many entries, that counts which pages of it are read."""

    def __init__(self, entries):
        self.entries = [
            TimelineEntry(
                id=f"{number}-0", at=NOW + timedelta(seconds=number), kind=EntryKind.NOTE, actor="bo", text="x", data={}
            )
            for number in range(1, entries + 1)
        ]
        self.pages = 0

    def timeline(self, name, *, kinds, limit, after=""):
        del name, kinds
        self.pages += 1
        begin = int(after.partition("-")[0] or 0)
        found = tuple(self.entries[begin : begin + limit])
        return EntryPage(found, found[-1].id if begin + limit < len(self.entries) else None)


def test_every_entry_is_read_in_order_and_once():
    """All of a timeline of many pages."""
    timeline = Timeline(3 * AT_ONCE + 7)
    assert list(every_entry(timeline, "x")) == timeline.entries
    assert timeline.pages == 4


def test_every_entry_reads_no_further_than_it_is_asked():
    """Who stops after a few has read one page, however long the timeline is."""
    timeline = Timeline(50_000)
    assert len(list(islice(every_entry(timeline, "x"), 10))) == 10
    assert timeline.pages == 1


def test_every_entry_ends_where_it_is_told_to():
    """With the entry that is named, also at the end of a page; ids are compared as numbers."""
    timeline = Timeline(3 * AT_ONCE)
    for last in (9, 10, AT_ONCE, AT_ONCE + 1):
        assert [entry.id for entry in every_entry(timeline, "x", until=f"{last}-0")][-1] == f"{last}-0"
    timeline.pages = 0
    assert len(list(every_entry(timeline, "x", until=f"{AT_ONCE}-0"))) == AT_ONCE
    assert timeline.pages == 1
