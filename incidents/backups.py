"""The file of a backup: compressed lines of JSON, each with a digest of itself and of all before it. No store here.

A line is sixteen hexadecimal digits, a space and JSON. The first line says what it is, the last how many there are, so
that a file that is torn, edited, cut or put together is known for it, with the place.
"""

import base64
import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from incidents.errors import TocsinError

FORMAT = 1
DIGEST = 16  # hexadecimal digits of a line
LINE_BYTES = 256 * 1024**2  # no line is longer: one row of the largest value, and a slice of rows otherwise
LEVEL = 6
MODE = 0o600  # it holds what the store holds: what alerts say, and the key that signs links


class BadBackup(TocsinError):
    """A file that is no whole, unchanged backup; the text says where and why."""

    def __init__(self, path: Path, place: str, why: str) -> None:
        super().__init__(f"{path}: {place}: {why}")


class Head(msgspec.Struct, frozen=True, kw_only=True, tag="head", tag_field="line"):
    """The first line."""

    format: int
    made_at: str
    version: str  # of Tocsin


class Part(msgspec.Struct, frozen=True, kw_only=True, tag="part", tag_field="line", omit_defaults=True):
    """Some rows of a key; a later first part of a key stands for all before it."""

    key: str
    kind: str  # `none`: the key is gone
    rows: list[Any] = []
    first: bool = True
    last: bool = True
    lapses_ms: int = 0
    last_id: str = ""


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end", tag_field="line"):
    """The last line: when the store was as the file says, and how many keys it had then."""

    at_ms: int
    keys: int
    lines: int


Line = Head | Part | End
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def packed_row(row: Any) -> Any:  # noqa: ANN401 - rows nest
    """Return a row with its bytes as text, or, where they are none, as an object with their Base64."""
    if not isinstance(row, bytes):
        return [packed_row(part) for part in row]
    try:
        return row.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(row).decode()}


def unpacked_row(row: Any) -> Any:  # noqa: ANN401 - rows nest
    """Return a row with its bytes, as it was before `packed_row`."""
    if isinstance(row, str):
        return row.encode()
    if isinstance(row, list):
        return tuple(unpacked_row(part) for part in row)
    return base64.b64decode(row["base64"])


class BackupWriter:
    """Writes a backup beside its place and puts it there when it is whole; use as a context manager."""

    def __init__(self, path: Path, head: Head) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._head = head
        self.lines = 0

    def __enter__(self) -> Self:
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)
        self._raw = os.fdopen(descriptor, "wb")
        self._file = gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=self._raw)
        self._chain = hashlib.sha256()
        self.write(self._head)
        return self

    def write(self, line: Line) -> None:
        """Add a line."""
        text = _ENCODER.encode(line)
        self._chain.update(text)
        self._file.write(self._chain.hexdigest()[:DIGEST].encode() + b" " + text + b"\n")
        self.lines += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
            self._raw.close()
            if kind is None:
                self._temporary.replace(self._path)
        finally:
            self._temporary.unlink(missing_ok=True)


def read_backup(path: Path, progress: Callable[[float], None] = lambda _: None) -> Iterator[Part | End]:
    """Yield the lines after the first; raises `BadBackup` at the first that is not as it was written, and `OSError`.

    `progress` gets the share of the file that was read.
    """
    size = max(path.stat().st_size, 1)
    with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as file:
        chain = hashlib.sha256()
        number, ended = 0, False
        for number, text in enumerate(_lines(path, file), 1):
            if ended:
                raise BadBackup(path, f"line {number}", "something follows after the end")
            line = _checked(path, number, text, chain)
            if number == 1:
                _check_head(path, line)
                continue
            if isinstance(line, Head):
                raise BadBackup(path, f"line {number}", "it begins a second time here")
            ended = _is_end(path, number, line)
            progress(raw.tell() / size)
            yield line
        if not ended:
            raise BadBackup(path, f"after line {number}", "it is torn: the end is missing")


def _lines(path: Path, file: gzip.GzipFile) -> Iterator[bytes]:
    number = 0
    place = "at the beginning"
    try:
        while text := file.readline(LINE_BYTES):
            number += 1
            place = f"after line {number}"
            yield text
    except gzip.BadGzipFile as error:
        why = "it is damaged" if number else "it is no backup of Tocsin"
        raise BadBackup(path, place, f"{why} ({error})") from None
    except EOFError:
        raise BadBackup(path, place, "it is torn: the rest is missing") from None
    except zlib.error as error:
        raise BadBackup(path, place, f"it is damaged ({error})") from None


def _checked(path: Path, number: int, text: bytes, chain: "hashlib._Hash") -> Line:
    place = f"line {number}"
    digest, space, body = text.rstrip(b"\n").partition(b" ")
    if not space or len(digest) != DIGEST or not text.endswith(b"\n"):
        why = "it is no backup of Tocsin" if number == 1 else "it is torn, or was edited: no such line was written"
        raise BadBackup(path, place, why)
    chain.update(body)
    if chain.hexdigest()[:DIGEST].encode() != digest:
        raise BadBackup(path, place, "it was changed, or a line before it is missing: its digest does not fit")
    try:
        return _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        raise BadBackup(path, place, f"it cannot be understood: {error}") from None


def _check_head(path: Path, line: Line) -> None:
    if not isinstance(line, Head):
        raise BadBackup(path, "line 1", "it is no backup of Tocsin")
    if line.format != FORMAT:
        why = f"it has the format {line.format}, made by Tocsin {line.version}; this version reads format {FORMAT}"
        raise BadBackup(path, "line 1", why)


def _is_end(path: Path, number: int, line: Part | End) -> bool:
    if isinstance(line, End) and line.lines != number:
        raise BadBackup(path, f"line {number}", f"{line.lines} lines were written, and this is line {number}")
    return isinstance(line, End)
