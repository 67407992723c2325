"""The files of a journal: one for each UTC day, found by name, walked member by member. Reads only."""

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from incidents.journal.members import HEADER, SIGNATURE, Note, note_of

SUFFIX = ".jsonl.gz"
SEARCHED = 1024 * 1024
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.jsonl\.gz")


class Place(NamedTuple):
    """Where a member lies in a file, and its note."""

    offset: int
    note: Note


def file_of(directory: Path, day: date) -> Path:
    """Return the file of a day."""
    return directory / f"{day.isoformat()}{SUFFIX}"


def files_in(directory: Path) -> list[tuple[date, Path]]:
    """Return the files of a journal with their days, oldest first; none where there is no directory."""
    try:
        names = [path.name for path in directory.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for name in names:
        match = _NAME.fullmatch(name)
        if match:
            try:
                found.append((date.fromisoformat(match[1]), directory / name))
            except ValueError:
                continue
    return sorted(found)


class Walk:
    """Goes through the members of an open file; `damaged` counts the places where something else was found."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.damaged = 0
        self.end = 0  # after the last whole member

    def __iter__(self) -> Iterator[Place]:
        offset, length = 0, os.fstat(self._descriptor).st_size
        while offset < length:
            note = note_of(os.pread(self._descriptor, HEADER, offset))
            if note is None or offset + note.size > length:
                self.damaged += 1
                found = self._next(offset + 1, length)
                if found is None:
                    return
                offset = found
                continue
            yield Place(offset, note)
            offset += note.size
            self.end = offset

    def _next(self, offset: int, length: int) -> int | None:
        """Find where the next member begins after a damage."""
        while offset < length:
            chunk = os.pread(self._descriptor, SEARCHED, offset)
            at = chunk.find(SIGNATURE)
            if at >= 0:
                return offset + at
            if len(chunk) < SEARCHED:
                return None
            offset += len(chunk) - len(SIGNATURE)
        return None
