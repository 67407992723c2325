"""The sections of a rule set, merged over all of its files. Pure."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from rules.loading.context import Context
from rules.loading.nodes import Kind, Node
from rules.loading.yaml import read_documents
from rules.openslo import is_openslo
from rules.shapes.file import FILE

PACK_PREFIX = "pack:"
CALENDAR_SUFFIX = ".ics"
SECTIONS = tuple(FILE.keys)


class SourceFile(NamedTuple):
    """A rule file: the name to show in messages, and what it holds; `pack:NAME` is the name of a shipped pack."""

    name: str
    text: str | bytes

    @property
    def is_calendar(self) -> bool:
        """Whether it is a calendar that a rotation of a rule file names."""
        return self.name.endswith(CALENDAR_SUFFIX)


def calendar_name(rule_file: str, file: str) -> str:
    """Return the name of a calendar, as a rule file gives it: its path begins where the rule file lies."""
    return str(PurePath(rule_file).parent / file)


class Sections:
    """Every section of every file. What a shipped pack says of a key or an id gives way to what a file says of it."""

    def __init__(self, files: Sequence[SourceFile], context: Context) -> None:
        self._context = context
        roots: list[Node] = []
        self.openslo: list[Node] = []  # documents of another language
        self.calendars = {file.name: file.text for file in files if file.is_calendar}
        for file in files:
            if file.is_calendar:
                continue
            read = read_documents(file.text, file.name, context.problems, several=is_openslo)
            (self.openslo if is_openslo(read[0]) else roots).extend(read)
        self._roots = [context.fields(root, "a rule file", SECTIONS).node for root in roots]

    def places(self, section: str) -> Iterator[tuple[Node, Node]]:
        """Give the key and the value of a section in each file that has it; empty ones are left out."""
        for root in self._roots:
            node = root.entries.get(section)
            if node is not None and node.kind not in {Kind.NULL, Kind.INVALID}:
                yield root.keys[section], node

    def keys(self, section: str) -> list[Node]:
        """Return the key of a section in each file that names it, be it empty or not."""
        return [root.keys[section] for root in self._roots if section in root.keys]

    def items(self, section: str) -> list[Node]:
        """Return the items of a section that is a list, of all files, in file order.

        An item of a file takes the place of the shipped pack's item with the same id.
        """
        found: list[Node] = []
        for key, node in self.places(section):
            if node.kind is not Kind.LIST:
                self._context.error(key, "E201", f"{section} must be a list, not {node.kind.value}", _as_list(node))
            found += node.items
        own = {_id_of(item) for item in found if not _is_shipped(item)} - {""}
        return [item for item in found if not (_is_shipped(item) and _id_of(item) in own)]

    def merged(self, section: str, kind: str) -> Node:
        """Return a section that is a mapping as one node over all files; a key in two files is a problem.

        Each shipped pack can stand alone, so several may say the same of a key; the first of them is taken.
        """
        merged = Node(kind=Kind.MAPPING, file="", line=1, column=1)
        for _key, node in sorted(self.places(section), key=lambda place: _is_shipped(place[1])):
            fields = self._context.fields(node, section, None)
            for name, key in fields.node.keys.items():
                if _is_shipped(node) and name in merged.entries:
                    continue
                if self._context.define(kind, key):
                    merged.keys[name] = key
                    merged.entries[name] = fields.node.entries[name]
        return merged


def _as_list(node: Node) -> str:
    if node.kind is Kind.MAPPING:
        return "begin each item with '- ', and give it its name with id:"
    return "put it in brackets: [...]"


def _is_shipped(node: Node) -> bool:
    return node.file.startswith(PACK_PREFIX)


def _id_of(item: Node) -> str:
    node = item.entries.get("id")
    return "" if node is None else node.text
