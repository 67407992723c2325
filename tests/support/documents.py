"""Reads our documents as the tests of them need it: blocks of code, tables under their headings, anchors and links."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NOT_YET = "**not yet**"

_FENCE = re.compile(r"^```(\w*)[ \t]*([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")


class Block(NamedTuple):
    """One fenced block: where it is, its language, the words after it, and its text."""

    document: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        return f"{name_of(self.document)}:{self.line}"


class Row(NamedTuple):
    """One row of a table."""

    cells: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """What stands as code in the first cell."""
        return _CODE.findall(self.cells[0])

    @property
    def is_not_yet(self) -> bool:
        """Whether the whole row is about something that is not there yet: it says so before anything else."""
        return any(cell.lower().startswith(NOT_YET) for cell in self.cells[1:])


@cache
def documents() -> tuple[Path, ...]:
    """Every document of the project."""
    return (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def blocks() -> tuple[Block, ...]:
    """Every fenced block of every document."""
    return tuple(
        Block(path, text_of(path)[: found.start()].count("\n") + 1, found[1], tuple(found[2].split()), found[3])
        for path in documents()
        for found in _FENCE.finditer(text_of(path))
    )


def prose_of(path: Path) -> str:
    """Return a document without its fenced blocks."""
    return _FENCE.sub("", text_of(path))


def links(path: Path) -> Iterator[str]:
    """Yield the target of every link and picture."""
    for found in _LINK.finditer(re.sub(r"`[^`\n]*`", "", prose_of(path))):
        yield found[1]


def anchors(path: Path) -> set[str]:
    """Return the anchors that the headings of a document make."""
    headings = re.findall(r"^#+ (.+)$", prose_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables(document: str, heading: str) -> list[list[Row]]:
    """Return the tables under a heading (up to the next heading), without their heads."""
    text = prose_of(ROOT / document)
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{document} has no heading {heading!r}"
    groups = re.findall(r"(?:^\|.*\|$\n?)+", found[1], re.MULTILINE)
    return [[_row(line) for line in group.strip().splitlines()[2:]] for group in groups]


def _row(line: str) -> Row:
    return Row(tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))))


def table(document: str, heading: str, number: int = 1) -> list[Row]:
    """Return the n-th table under a heading."""
    return tables(document, heading)[number - 1]


def first_names(rows: list[Row]) -> list[str]:
    """Return the first name of each row; a name that stands twice stays twice."""
    return [row.names[0] if row.names else row.cells[0] for row in rows]
