"""A strict reader of YAML that knows where everything stands; rule files and `tocsin.yml` are read with it.

It builds nodes with line and column from the parser's events, without recursion, and never makes Python objects of
foreign tags. It opens no file, and it never raises for what a file says: every error is a `Problem` in a list.
"""

import contextlib
import itertools
import math
import re
from collections.abc import Callable, Iterator

import yaml

from rules.loading.nodes import Kind, Node, Problem, Scalar, problem_at
from rules.loading.yaml_errors import explain

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100
MAX_EVENTS = 250_000
MAX_ENTRIES = 20_000  # of a list: as many as there may be rules
_NO_LIST = -1
_TASTE = 2000  # events of a file of too many, in which it may say what is wrong with it
MAX_PROBLEMS = 100

# The parser over libyaml is twenty times as fast; the one in Python reads the same language.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?")
_WORDS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}


def read_yaml(source: str | bytes, name: str, problems: list[Problem]) -> Node:
    """Read one document; a second one is an error. See `read_documents`."""
    return read_documents(source, name, problems, several=lambda _root: False)[0]


def read_documents(
    source: str | bytes, name: str, problems: list[Problem], *, several: Callable[[Node], bool]
) -> list[Node]:
    """Read a file of one document, or of more where `several` says so of the one before.

    Whatever is wrong is appended to `problems` and stands as an INVALID node in the result.

    Scalars are typed as in YAML 1.2: `NO`, `off`, `12:30`, `2026-01-02` are strings. A number with a leading zero
    (`010`) is a string too, for half of its readers would take it for 8 and the others for 10. Keys are always text.
    """
    nothing = Node(kind=Kind.INVALID, file=name, line=1, column=1)
    text = _decode(source, name, problems)
    if text is None:
        return [nothing]
    too_many = _beyond(text, name)
    builder = _Builder(name, problems, several)
    try:
        for event in itertools.islice(_events(text), _TASTE if too_many else None):
            if not builder.take(event):
                return [nothing]
    except yaml.YAMLError as error:
        line, column, code, message, hint = explain(error, text)
        problems.append(Problem(file=name, line=line, column=column, code=code, message=message, hint=hint))
        return [nothing]
    if too_many:
        problems.append(too_many)
        return [nothing]
    return [*builder.earlier, builder.root or Node(kind=Kind.NULL, file=name, line=1, column=1)]


def _events(text: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
    return events


def _beyond(text: str, name: str) -> Problem | None:
    """Return the problem of a file with too many values: counted beforehand, for building costs four times as much."""
    if len(text) <= 2 * MAX_ENTRIES:  # an entry takes two characters at least
        return None
    open_: list[int] = []  # collections around the event: how many entries a list has so far, -1 for a mapping
    with contextlib.suppress(yaml.YAMLError):  # the builder meets it again, and says what is wrong before it too
        for number, event in enumerate(_events(text)):
            if number == MAX_EVENTS:
                return _too_many(event, name, f"the file holds more than {MAX_EVENTS:,} values and brackets")
            if isinstance(event, yaml.CollectionEndEvent):
                open_.pop()
            elif isinstance(event, yaml.NodeEvent):
                if open_ and open_[-1] != _NO_LIST:
                    open_[-1] += 1
                    if open_[-1] > MAX_ENTRIES:
                        return _too_many(event, name, f"the list holds more than {MAX_ENTRIES:,} entries")
                if isinstance(event, yaml.CollectionStartEvent):
                    open_.append(0 if isinstance(event, yaml.SequenceStartEvent) else _NO_LIST)
            if len(open_) > MAX_DEPTH:  # what the builder refuses; each level costs the parser as much as all before it
                break
    return None


def _too_many(event: yaml.Event, name: str, message: str) -> Problem:
    return problem_at(_node(event, Kind.INVALID, name), "E113", message, "split it into several files")


def _decode(source: str | bytes, name: str, problems: list[Problem]) -> str | None:
    """Return the text if it is small enough, UTF-8 and free of control characters."""
    if len(source) > MAX_BYTES:
        message = f"the file is larger than the {MAX_BYTES} bytes that are read"
        problems.append(Problem(file=name, line=1, column=1, code="E102", message=message, hint="split it"))
        return None
    text = source if isinstance(source, str) else ""
    if isinstance(source, bytes):
        try:
            text = source.decode("utf-8")
        except UnicodeDecodeError as error:
            line, column = _place(source[: error.start].decode("utf-8"), error.start)
            message = f"byte 0x{source[error.start]:02x} is not UTF-8"
            problems.append(
                Problem(file=name, line=line, column=column, code="E103", message=message, hint="save it as UTF-8")
            )
            return None
    text = text.removeprefix("\ufeff")
    if found := _CONTROL.search(text):
        line, column = _place(text, found.start())
        message = f"the control character U+{ord(found.group()):04X} is not allowed"
        hint = "is this a text file? inside of double quotes it can be written as an escape"
        problems.append(Problem(file=name, line=line, column=column, code="E103", message=message, hint=hint))
        return None
    return text


def _place(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


class _Builder:
    """Takes the parser's events and keeps the stack of collections that are still open."""

    def __init__(self, name: str, problems: list[Problem], several: Callable[[Node], bool]) -> None:
        self.root: Node | None = None
        self.earlier: list[Node] = []  # documents before the last
        self._several = several
        self._name = name
        self._problems = problems
        self._limit = len(problems) + MAX_PROBLEMS
        self._documents = 0
        self._stack: list[Node] = []
        # For each open mapping: the key that waits for its value.
        self._keys: list[Node | None] = []

    def take(self, event: yaml.Event) -> bool:
        """Take one event; False when the rest of the file must not be read."""
        if isinstance(event, yaml.ScalarEvent):
            self._place(self._scalar(event))
        elif isinstance(event, yaml.AliasEvent):
            self._report(event, "E104", f"aliases are not allowed: *{event.anchor}", "write the value out")
            self._place(self._node(event, Kind.INVALID))
        elif isinstance(event, yaml.CollectionStartEvent):
            return self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()
            self._keys.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            return self._document(event)
        return len(self._problems) < self._limit

    def _document(self, event: yaml.DocumentStartEvent) -> bool:
        if self.root is not None and self._several(self.root):
            self.earlier.append(self.root)
            self.root = None
            self._documents = 0
        self._documents += 1
        if self._documents > 1:
            self._report(event, "E109", "a file holds one document", "put the second into a file of its own")
        if event.tags:
            self._report(event, "E106", "%TAG is not allowed", "remove it")
        return self._documents == 1

    def _open(self, event: yaml.CollectionStartEvent) -> bool:
        if len(self._stack) >= MAX_DEPTH:
            self._report(event, "E111", f"nested deeper than {MAX_DEPTH} levels")
            return False
        kind = Kind.MAPPING if isinstance(event, yaml.MappingStartEvent) else Kind.LIST
        node = self._node(event, kind)
        if not self._is_plain(event):
            node.kind = Kind.INVALID
        self._place(node)
        self._stack.append(node)
        self._keys.append(None)
        return True

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        node = self._node(event, Kind.STRING)
        node.text = node.value = event.value
        node.inset = _inset(event)
        if not self._is_plain(event):
            node.kind = Kind.INVALID
        elif event.style in {None, ""}:
            node.value = _typed(event.value)
            node.kind = _kind_of(node.value)
        return node

    def _is_plain(self, event: yaml.NodeEvent) -> bool:
        """Report an anchor or a tag; False when the value cannot be used because of it."""
        if event.anchor:
            self._report(event, "E105", f"anchors are not allowed: &{event.anchor}", "write the value out")
        tag = getattr(event, "tag", None)
        if tag:
            self._report(event, "E106", f"tags are not allowed: {tag[:60]}", "remove it")
        return not tag

    def _place(self, node: Node) -> None:
        """Put a node where it belongs: the root, the next item, the next key or the value of the waiting key."""
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        # A mapping that bore a tag is INVALID, and what it holds is read only to find further problems.
        if parent.kind is not Kind.MAPPING:
            parent.items.append(node)
        elif (key := self._keys[-1]) is None:
            self._keys[-1] = self._key(node)
        else:
            self._keys[-1] = None
            self._entry(parent, key, node)

    def _key(self, node: Node) -> Node:
        if node.kind in {Kind.MAPPING, Kind.LIST}:
            self._problems.append(problem_at(node, "E112", "a key must be text", "put {{ ... }} in quotes"))
            if (parent := self._stack[-1]).line == node.line and parent.column == node.column - 1:
                parent.kind = Kind.INVALID  # a template without quotes is no mapping either
            return Node(kind=Kind.INVALID, file=self._name, line=node.line, column=node.column)
        return node

    def _entry(self, parent: Node, key: Node, node: Node) -> None:
        if key.kind is Kind.INVALID:
            return
        if key.text == "<<":
            self._problems.append(problem_at(key, "E107", "merge keys are not allowed: <<", "write the keys out"))
        elif earlier := parent.keys.get(key.text):
            message = f"the key {key.text[:60]!r} is already there in line {earlier.line}"
            self._problems.append(problem_at(key, "E108", message, "remove one of them"))
        else:
            parent.keys[key.text] = key
            parent.entries[key.text] = node

    def _node(self, event: yaml.Event, kind: Kind) -> Node:
        return _node(event, kind, self._name)

    def _report(self, event: yaml.Event, code: str, message: str, hint: str = "") -> None:
        self._problems.append(problem_at(self._node(event, Kind.INVALID), code, message, hint))


def _node(event: yaml.Event, kind: Kind, name: str) -> Node:
    """Return a node that stands where the event stands."""
    mark = event.start_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return Node(kind=kind, file=name, line=line + 1, column=column + 1)


def _inset(event: yaml.ScalarEvent) -> int:
    """Return how far the text begins after the scalar: 1 in quotes, -1 when it is not written as it reads."""
    start, end = event.start_mark, event.end_mark
    if start is None or end is None or start.line != end.line:
        return -1
    more = end.column - start.column - len(event.value)
    return more // 2 if more in {0, 2} else -1


def _typed(text: str) -> Scalar:
    """Type a plain scalar after the core schema of YAML 1.2 (without infinities, which no setting of ours means)."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0)
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _kind_of(value: Scalar) -> Kind:
    if value is None:
        return Kind.NULL
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int):
        return Kind.INTEGER
    return Kind.NUMBER if isinstance(value, float) else Kind.STRING
