"""Writes a journal: whole members at the end of the day's file, one writer at a time, on the disk before they count.

Whatever a writer that died left half-written is cut off by the next one, which goes on after the last whole member.
"""

import fcntl
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from incidents.errors import TocsinError
from incidents.journal.files import Walk, file_of, files_in
from incidents.journal.members import Damaged, EntryId, Note, entry_id, lines_of, member_of

LOCK_FILE = "writer.lock"
DIRECTORY_MODE, FILE_MODE = 0o700, 0o600


class JournalBusy(TocsinError):
    """Another process writes this journal."""


class JournalStuck(TocsinError):
    """The disk does not take what is to be written: it is full, read-only or gone."""


class Chunk:
    """Lines on their way to the disk, with what the note says of them."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.size = 0
        self.first_ms = self.last_ms = 0
        self.position = EntryId()
        self.first = self.last = EntryId()

    def add(self, line: bytes, at_ms: int, entry: EntryId | None) -> None:
        """Take a line in: when its event was decided, and the entry of the intake's stream that the event is from."""
        self.lines.append(line)
        self.size += len(line) + 1
        self.first_ms = min(self.first_ms or at_ms, at_ms)
        self.last_ms = max(self.last_ms, at_ms)
        if entry is not None:
            self.first = min(self.first, entry) if any(self.first) else entry
            self.last = max(self.last, entry)

    @property
    def member(self) -> bytes:
        """The member that holds them."""
        note = Note(0, len(self.lines), self.first_ms, self.last_ms, self.position, self.first, self.last)
        return member_of(b"\n".join(self.lines) + b"\n" if self.lines else b"", note)


class Writer:
    """The one writer of a journal. Raises `JournalBusy` and `JournalStuck`; not for two threads at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._descriptor = -1
        self._size = 0
        self._day = date.min
        self.position = EntryId()
        try:
            directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            self._lock = _locked(directory / LOCK_FILE)
        except OSError as error:
            raise JournalStuck(f"the journal {directory} cannot be written: {error.strerror}") from error
        try:
            self._go_on()
        except BaseException:
            self.close()
            raise

    def append(self, chunk: Chunk) -> None:
        """Write lines and see them onto the disk; raises `JournalStuck`, and then nothing of them is there."""
        day = max(self._day, datetime.fromtimestamp(chunk.last_ms / 1000, UTC).date())
        try:
            if day != self._day or self._descriptor < 0:
                self._open(day)
            self._write(chunk.member)
        except OSError as error:
            raise JournalStuck(f"the journal {self.directory} cannot be written: {error.strerror}") from error
        self.position = max(self.position, chunk.position)

    def lines_after(self, position: str) -> int:
        """Return how many lines were written after a position: of what a writer had no time to tell of."""
        after, lines = entry_id(position), 0
        for _, path in reversed(files_in(self.directory)):
            notes = [note for note in _notes_in(path) if note.position > after]
            if not notes:
                break
            lines += sum(note.lines for note in notes)
        return lines

    def prune(self, now: datetime, keep: timedelta) -> list[date]:
        """Remove the files of days that are over for longer than `keep`; return the days."""
        oldest = (now - keep).astimezone(UTC).date()
        gone = []
        for day, path in files_in(self.directory):
            if day < oldest and day != self._day:
                path.unlink(missing_ok=True)
                gone.append(day)
        return gone

    def close(self) -> None:
        """Let the journal go."""
        self._close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _go_on(self) -> None:
        """Find where the last writer ended; a file without any whole member tells nothing: look at the one before."""
        for day, path in reversed(files_in(self.directory)):
            position = _mend(path)
            if self._day == date.min:
                self._day = day
            if position is not None:
                self.position = position
                return

    def _open(self, day: date) -> None:
        self._close()
        path = file_of(self.directory, day)
        is_new = not path.exists()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
        self._size = os.fstat(self._descriptor).st_size
        self._day = day
        if is_new:
            _sync_directory(self.directory)

    def _write(self, member: bytes) -> None:
        left = memoryview(member)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fdatasync(self._descriptor)
        except OSError:
            self._take_back()
            raise
        self._size += len(member)

    def _take_back(self) -> None:
        """Cut off what was written of a member that did not fit; the file is opened anew for the next one."""
        descriptor, self._descriptor = self._descriptor, -1
        try:
            os.ftruncate(descriptor, self._size)
        finally:
            os.close(descriptor)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise JournalBusy(f"another process writes the journal {path.parent}") from None
    return descriptor


def _mend(path: Path) -> EntryId | None:
    """Cut a file off after its last whole and sound member, and return its position; None where there is none."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        walk = Walk(descriptor)
        places = list(walk)
        end = walk.end
        while places:
            offset, note = places[-1]
            try:
                lines_of(os.pread(descriptor, note.size, offset))
                break
            except Damaged:  # power was lost before it was on the disk
                places.pop()
                end = offset
        if os.fstat(descriptor).st_size > end:
            os.ftruncate(descriptor, end)
            os.fsync(descriptor)
        return places[-1].note.position if places else None
    finally:
        os.close(descriptor)


def _notes_in(path: Path) -> list[Note]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return [place.note for place in Walk(descriptor)]
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
