"""What a person wrote in a file, as nodes that know where they stand, and problems that say where something is wrong.

Pure values: `rules/loading/yaml.py` reads them.
"""

from enum import StrEnum

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong in a file that a person wrote; line and column count from 1, line 0 means "no place"."""

    file: str
    line: int = 0
    column: int = 0
    code: str
    message: str
    hint: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.severity}[{self.code}] {self.message}" + (f" ({self.hint})" if self.hint else "")


class Kind(StrEnum):
    """What a node is, in words that fit after "expected" and "not"."""

    MAPPING = "a mapping"
    LIST = "a list"
    STRING = "a string"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    NULL = "empty"
    # What was already reported (an alias, a syntax error): readers take the default and stay silent.
    INVALID = "invalid"


Scalar = str | int | float | bool | None


class Node(msgspec.Struct, kw_only=True):
    """One value of a file and its place (from 1).

    `value` is the typed scalar and `text` its spelling, whose characters stand `inset` columns after the node's own
    (-1: nobody knows, for it has escapes or several lines); `items` holds the values of a list; `entries` those of a
    mapping by key, `keys` its key nodes.
    """

    kind: Kind
    file: str
    line: int
    column: int
    value: Scalar = None
    text: str = ""
    inset: int = -1
    items: list["Node"] = msgspec.field(default_factory=list)
    entries: dict[str, "Node"] = msgspec.field(default_factory=dict)
    keys: dict[str, "Node"] = msgspec.field(default_factory=dict)


def problem_at(node: Node, code: str, message: str, hint: str = "", *, severity: str = "error") -> Problem:
    """Return a problem that stands where the node stands."""
    return Problem(
        file=node.file, line=node.line, column=node.column, code=code, message=message, hint=hint, severity=severity
    )


def problem_inside(node: Node, code: str, message: str, offset: int, hint: str = "") -> Problem:
    """Return a problem that stands at a character (from 0) of the node's text."""
    column = node.column + node.inset + offset if node.inset >= 0 else node.column
    return Problem(file=node.file, line=node.line, column=column, code=code, message=message, hint=hint)
