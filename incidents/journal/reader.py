"""Reads a journal, as it is being written too: what is torn or damaged is skipped and counted. Touches no store."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from incidents.clock import to_ms
from incidents.journal.files import Place, Walk, files_in
from incidents.journal.lines import Recorded, decode_line
from incidents.journal.members import Damaged, EntryId, lines_of

LONGEST = 2**63
CLOCKS_APART = timedelta(hours=1)
Wanted = Callable[[Place], bool]


class Journal:
    """A journal to be read; `skipped` counts torn and damaged places, and lines that this version cannot read."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.skipped = 0
        self.gave_up = False

    def read(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Recorded]:
        """Yield the events that were decided from `since` on and before `until`, in the order of deciding."""
        first, last = _bounds(since, until)
        for lines in self._members(since, until):
            for line in lines.splitlines():
                recorded = self._decoded(line)
                if recorded is not None and first <= to_ms(recorded.decided_at) < last:
                    yield recorded

    def containing(
        self,
        needle: bytes,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Iterator[Recorded]:
        """Yield the events whose line has these bytes in it, oldest first; others are not even decoded.

        Gives up, and says so in `gave_up`, once `is_over` says that it took long enough.
        """
        for lines in self._members(since, until):
            if is_over():
                self.gave_up = True
                return
            if needle in lines:
                found = (self._decoded(line) for line in lines.splitlines() if needle in line)
                yield from (recorded for recorded in found if recorded is not None)

    def of_entry(self, entry: EntryId) -> list[Recorded]:
        """Return the events of one entry of the intake's stream, in order; only the members that can hold it are read.

        An entry is decided after it was written, so only files from its own day on are looked at; clocks may differ.
        """
        needle = f'"id":"{entry}.'.encode()
        written = (datetime.fromtimestamp(entry.ms / 1000, UTC) - CLOCKS_APART).date()
        found: list[Recorded] = []
        for day, path in files_in(self.directory):
            if day < written:
                continue
            for lines in self._members_of(path, lambda place: place.note.may_hold(entry)):
                rows = (self._decoded(line) for line in lines.splitlines() if needle in line)
                found += [recorded for recorded in rows if recorded is not None]
            if found:
                break
        return found

    def _members(self, since: datetime | None, until: datetime | None) -> Iterator[bytes]:
        first, last = _bounds(since, until)
        for day, path in files_in(self.directory):
            if (since is None or day >= since.date()) and (until is None or day <= until.date()):
                yield from self._members_of(
                    path, lambda place: place.note.last_ms >= first and place.note.first_ms < last
                )

    def _members_of(self, path: Path, wanted: Wanted) -> Iterator[bytes]:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # its time was over since the directory was listed
            return
        try:
            walk = Walk(descriptor)
            for place in walk:
                if not wanted(place):
                    continue
                try:
                    yield lines_of(os.pread(descriptor, place.note.size, place.offset))
                except Damaged:
                    self.skipped += 1
            self.skipped += walk.damaged
        finally:
            os.close(descriptor)

    def _decoded(self, line: bytes) -> Recorded | None:
        try:
            return decode_line(line)
        except msgspec.MsgspecError:
            self.skipped += 1
            return None


def read(directory: Path, since: datetime | None = None, until: datetime | None = None) -> Iterator[Recorded]:
    """Yield what a journal recorded from `since` on and before `until`; what cannot be read is left out."""
    return Journal(directory).read(since, until)


def _bounds(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    return (to_ms(since) if since else 0), (to_ms(until) if until else LONGEST)
