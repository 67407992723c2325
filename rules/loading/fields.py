"""Typed readers over the nodes of a YAML file: each returns the value or the default, and reports what is wrong.

They never raise for what a file says, so that one run shows every error, and never repeat a value that may be secret.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import TypeVar

from rules.durations import parse_duration
from rules.loading.mends import form_of, meant, mend_of
from rules.loading.nodes import Kind, Node, Problem, problem_at

T = TypeVar("T")
MAX_ITEMS = 500  # of a list inside of something: shifts, people in turn, labels of an identity
MAX_HINTS = 100  # after so many problems nobody reads which word was meant; and each costs a comparison with all


class Fields:
    """The keys of one mapping, read by name.

    `what` names the mapping in messages ("a source"), `known` are the keys it may have (None: any). A node that is not
    a mapping is reported once and read as an empty one; an empty node is read as an empty mapping.
    """

    def __init__(self, node: Node, problems: list[Problem], *, what: str, known: Collection[str] | None) -> None:
        self.node = node
        self.what = what
        self._problems = problems
        if node.kind not in {Kind.MAPPING, Kind.NULL, Kind.INVALID}:
            problems.append(wrong_kind(node, what, "a mapping", form_of(what, node, known)))
            self.node = Node(kind=Kind.INVALID, file=node.file, line=node.line, column=node.column)
        for key, key_node in node.keys.items():
            if known is not None and key not in known:
                message = f"{what} has no key {key[:60]!r}"
                hint = mend_of(key, known, node) if len(problems) < MAX_HINTS else ""
                problems.append(problem_at(key_node, "E202", message, hint))

    def __contains__(self, key: object) -> bool:
        return key in self.node.entries

    def get(self, key: str) -> Node | None:
        """Return the node of a key, or None when it is absent, empty or already reported as invalid."""
        node = self.node.entries.get(key)
        return None if node is None or node.kind in {Kind.NULL, Kind.INVALID} else node

    def report(self, key: str, code: str, message: str, hint: str = "", *, severity: str = "error") -> None:
        """Add a problem at the value of a key, or at the mapping itself when the key is absent."""
        self._problems.append(problem_at(self.node.entries.get(key, self.node), code, message, hint, severity=severity))

    def require(self, *keys: str) -> bool:
        """Report each key that is absent or empty; True when all are there."""
        if self.node.kind is Kind.INVALID:
            return False
        missing = [key for key in keys if self.get(key) is None]
        for key in missing:
            node = self.node.entries.get(key)
            if node is None or node.kind is Kind.NULL:
                self.report(key, "E203", f"{self.what} needs {key!r}")
        return not missing

    def string(self, key: str, default: T) -> str | T:
        """Read text; a number or a boolean is refused with the advice to quote it."""
        node = self.get(key)
        if node is None:
            return default
        return as_string(node, self._problems, key, default)

    def integer(self, key: str, default: T, *, least: int = 0, most: int = 2**53) -> int | T:
        """Read a whole number within bounds."""
        node = self.get(key)
        if node is None:
            return default
        if node.kind is not Kind.INTEGER or not isinstance(node.value, int):
            return self._wrong(node, key, "a whole number", default)
        return node.value if self._is_within(node, key, node.value, least, most) else default

    def number(self, key: str, default: T, *, least: float = -1e300, most: float = 1e300) -> float | T:
        """Read a number within bounds; whole numbers are numbers too."""
        node = self.get(key)
        if node is None:
            return default
        if node.kind not in {Kind.INTEGER, Kind.NUMBER} or not isinstance(node.value, int | float):
            hint = "write the number without %" if node.text.endswith("%") else ""
            return self._wrong(node, key, "a number", default, hint)
        return float(node.value) if self._is_within(node, key, node.value, least, most) else default

    def boolean(self, key: str, default: T) -> bool | T:
        """Read `true` or `false`; `yes`, `on` and their like are strings in YAML 1.2 and refused."""
        node = self.get(key)
        if node is None:
            return default
        return node.value if isinstance(node.value, bool) else self._wrong(node, key, "true or false", default)

    def choice(self, key: str, choices: Collection[str], default: T) -> str | T:
        """Read one word of a closed list."""
        node = self.get(key)
        if node is None:
            return default
        if node.text in choices and node.kind not in {Kind.LIST, Kind.MAPPING}:
            return node.text
        if node.kind is not Kind.STRING:
            like = next((each for each in choices if node.text and each.endswith(node.text)), "")
            hint = f"did you mean '{like}'?" if like else ""
            self._problems.append(wrong_kind(node, key, "one of " + ", ".join(choices), hint))
            return default
        message = f"{key} cannot be {node.text[:60]!r}; it is one of {', '.join(choices)}"
        self._problems.append(problem_at(node, "E204", message, meant(node.text, choices)))
        return default

    def duration(self, key: str, default: T) -> timedelta | T:
        """Read a duration as Prometheus writes it."""
        node = self.get(key)
        return default if node is None else as_duration(node, self._problems, key, default)

    def nodes(self, key: str) -> list[Node]:
        """Read a list; each item is a node still to be read. Absent: empty."""
        node = self.get(key)
        if node is None:
            return []
        if node.kind is not Kind.LIST:
            return self._wrong(node, key, "a list", [])
        if len(node.items) > MAX_ITEMS:
            self.report(key, "E206", f"{key} has {len(node.items)} items; at most {MAX_ITEMS} are read")
        return node.items[:MAX_ITEMS]

    def strings(self, key: str, default: T, *, single: bool = False) -> tuple[str, ...] | T:
        """Read a list of texts; with `single`, one text stands for a list of one."""
        node = self.get(key)
        if node is None:
            return default
        if single and node.kind is not Kind.LIST:
            one = as_string(node, self._problems, key, None)
            return default if one is None else (one,)
        found = (as_string(item, self._problems, f"an item of {key}", None) for item in self.nodes(key))
        return tuple(item for item in found if item is not None)

    def fields(self, key: str, *, what: str, known: Collection[str] | None) -> "Fields":
        """Read a mapping below this one; absent: an empty one at the place of this one."""
        node = self.get(key)
        if node is None:
            node = Node(kind=Kind.INVALID, file=self.node.file, line=self.node.line, column=self.node.column)
        return Fields(node, self._problems, what=what, known=known)

    def _wrong(self, node: Node, key: str, expected: str, default: T = None, hint: str = "") -> T:  # type: ignore[assignment]
        self._problems.append(wrong_kind(node, key, expected, hint))
        return default

    def _is_within(self, node: Node, key: str, value: float, least: float, most: float) -> bool:
        if least <= value <= most:
            return True
        bound = f"at least {least}" if value < least else f"at most {most}"
        self._problems.append(problem_at(node, "E206", f"{key} must be {bound}"))
        return False


def wrong_kind(node: Node, key: str, expected: str, hint: str = "") -> Problem:
    """Return the problem "expected this, found that" (kinds only: the value may be secret)."""
    if not hint and expected == "a string" and node.kind in {Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN}:
        hint = "put it in quotes"
    elif not hint and expected.startswith("a list"):
        hint = "put it in brackets: [...]"
    return problem_at(node, "E201", f"{key} must be {expected}, not {node.kind.value}", hint)


def as_string(node: Node, problems: list[Problem], key: str, default: T) -> str | T:
    """Read one node as text; INVALID gives the default in silence."""
    if node.kind is Kind.STRING:
        return node.text
    if node.kind is not Kind.INVALID:
        problems.append(wrong_kind(node, key, "a string"))
    return default


def as_duration(node: Node, problems: list[Problem], key: str, default: T) -> timedelta | T:
    """Read one node as a duration; INVALID gives the default in silence."""
    if node.kind is Kind.INVALID:
        return default
    if node.kind in {Kind.MAPPING, Kind.LIST}:
        problems.append(wrong_kind(node, key, "a duration"))
        return default
    try:
        return parse_duration(node.text)
    except ValueError as error:
        problems.append(problem_at(node, "E205", f"{key}: {error}"))
        return default
