"""The bytes of a journal file: gzip members that any gzip reads, each with a note of what is in it. Pure.

The note stands in the extra field of the member's header: its size, its lines, their times, and how far the journal
had come. So a reader goes from header to header without inflating anything, and a writer that died knows where it was.
"""

import struct
import zlib
from typing import NamedTuple

LEVEL = 3
FIXED = b"\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff"  # gzip, deflate, an extra field, no time, any system
NOTE = struct.Struct("<IIQQQQQQQQ")
EXTRA = struct.pack("<H2sH", NOTE.size + 4, b"TJ", NOTE.size)
SIGNATURE = FIXED + EXTRA
HEADER = len(SIGNATURE) + NOTE.size
TRAILER = struct.Struct("<II")
RAW_DEFLATE = -15


class EntryId(NamedTuple):
    """The id of an entry of a stream, in its order."""

    ms: int = 0
    number: int = 0

    def __str__(self) -> str:
        return f"{self.ms}-{self.number}"


def entry_id(text: str) -> EntryId:
    """Read an id such as `1762052400000-0`; raises ValueError."""
    ms, _, number = text.partition("-")
    return EntryId(int(ms), int(number or 0))


class Note(NamedTuple):
    """What a member holds: bytes, lines, when they were decided (ms), how far the journal had come after it, and which
    entries of the intake's stream are in it (both zero: none).
    """

    size: int
    lines: int
    first_ms: int
    last_ms: int
    position: EntryId
    first: EntryId
    last: EntryId

    def may_hold(self, entry: EntryId) -> bool:
        """Whether the member can hold an event of an entry."""
        return self.first <= entry <= self.last


class Damaged(ValueError):
    """A member whose bytes are not what was written."""


def member_of(lines: bytes, note: Note) -> bytes:
    """Return the member that holds these lines; the note's size is made here."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW_DEFLATE)
    body = deflate.compress(lines) + deflate.flush()
    size = HEADER + len(body) + TRAILER.size
    packed = NOTE.pack(size, note.lines, note.first_ms, note.last_ms, *note.position, *note.first, *note.last)
    return b"".join((SIGNATURE, packed, body, TRAILER.pack(zlib.crc32(lines), len(lines) & 0xFFFFFFFF)))


def note_of(header: bytes) -> Note | None:
    """Return the note in a member's header, None where there is no whole header of ours."""
    if len(header) < HEADER or not header.startswith(SIGNATURE):
        return None
    size, lines, first_ms, last_ms, *ids = NOTE.unpack_from(header, len(SIGNATURE))
    if size < HEADER + TRAILER.size:
        return None
    return Note(size, lines, first_ms, last_ms, EntryId(*ids[:2]), EntryId(*ids[2:4]), EntryId(*ids[4:6]))


def lines_of(member: bytes) -> bytes:
    """Return the lines of a member; raises `Damaged`."""
    inflate = zlib.decompressobj(RAW_DEFLATE)
    try:
        lines = inflate.decompress(member[HEADER : -TRAILER.size])
    except zlib.error as error:
        raise Damaged(str(error)) from None
    if not inflate.eof or TRAILER.unpack(member[-TRAILER.size :]) != (zlib.crc32(lines), len(lines) & 0xFFFFFFFF):
        raise Damaged("the checksum does not fit")
    return lines
