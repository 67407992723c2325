"""Says in plain words, and at the place where it went wrong, what a parser of YAML could not read. Pure."""

from collections.abc import Callable
from typing import NamedTuple

import yaml


class Explained(NamedTuple):
    """What is wrong with a text, where (from 1), and the mend."""

    line: int
    column: int
    code: str
    message: str
    hint: str = ""


class _Error(NamedTuple):
    """What the parser said: its words, where it stopped, and where that began which it was reading."""

    context: str
    said: str
    stopped: tuple[int, int]
    began: tuple[int, int]
    lines: list[str]

    @property
    def rest(self) -> str:
        """What stands where it stopped, until the end of the line."""
        line, column = self.stopped
        return self.lines[line - 1][column - 1 :] if line <= len(self.lines) else ""

    @property
    def before(self) -> str:
        """What stands before that in the line."""
        line, column = self.stopped
        return self.lines[line - 1][: column - 1] if line <= len(self.lines) else ""


def explain(error: yaml.YAMLError, text: str) -> Explained:
    """Return what a syntax error means."""
    stopped, began = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    found = _Error(
        context=str(getattr(error, "context", None) or ""),
        said=str(getattr(error, "problem", None) or "this cannot be read as YAML"),
        stopped=_place(stopped or began),
        began=_place(began or stopped),
        lines=text.split("\n"),
    )
    if found.rest.startswith("\t") or "found a tab character" in found.said:
        return Explained(*found.stopped, "E110", "a tab cannot indent", "use spaces")
    for words, explained in _MEANINGS.items():
        if words in f"{found.context}: {found.said}":
            return explained(found)
    if found.rest.startswith(("@", "`", "%")):
        begins = f"a value cannot begin with {found.rest[0]}"
        return Explained(*found.stopped, "E101", begins, "put the value in quotes")
    message = f"{found.context}: {found.said}" if found.context else found.said
    return Explained(*found.stopped, "E101", message)


def _place(mark: yaml.Mark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _quote(error: _Error) -> Explained:
    return Explained(*error.began, "E101", "the quote that opens here is never closed", "close it on the same line")


def _escape(error: _Error) -> Explained:
    message = f"{error.rest[:2]} means nothing inside of double quotes"
    return Explained(*error.stopped, "E101", message, "use single quotes, in which a backslash is a backslash")


def _bracket(error: _Error) -> Explained:
    line, column = error.began
    opened = error.lines[line - 1][column - 1 : column] if line <= len(error.lines) else ""
    closing = {"[": "]", "{": "}"}.get(opened, "a bracket")
    if error.stopped[0] > len(error.lines) or not "".join(error.lines[error.stopped[0] - 1 :]).strip():
        if opened not in ("[", "{"):  # the parser names the end of the file; what stands last is the bracket, or in it
            line, column = _last(error.lines)
            opened = error.lines[line - 1][column - 1 : column]
        if opened not in ("[", "{"):
            return Explained(line, column, "E101", "the file ends within brackets", "close them")
        message = f"the {opened} that opens here is never closed"
        return Explained(line, column, "E101", message, f"close it with {']' if opened == '[' else '}'}")
    message = f"expected a comma or the {closing} that closes line {line}, column {column}"
    return Explained(*error.stopped, "E101", message, "values with a space, comma or bracket in them need quotes")


def _last(lines: list[str]) -> tuple[int, int]:
    """Return the place of the last character that is no space."""
    places = ((number, len(line.rstrip())) for number, line in enumerate(lines, 1) if line.strip())
    return max(places, default=(1, 1))


def _colon(error: _Error) -> Explained:
    return Explained(*error.began, "E101", "a key without a colon after it", "write KEY: VALUE")


def _item(error: _Error) -> Explained:
    message = f"this does not fit the list that begins in line {error.began[0]}"
    return Explained(*error.stopped, "E101", message, "mend the indentation, or begin the item with '- '")


def _key(error: _Error) -> Explained:
    before = error.before.rstrip()
    if before.endswith(("'", '"')) and (opened := _opened_above(error, before)) is not None:
        message = f"the quote that opens here is closed by the one in line {error.stopped[0]}"
        return Explained(*opened, "E101", message, "close it on the same line")
    if before.endswith(("'", '"', "]", "}")):
        message = f"nothing may follow the closing {before[-1]}"
        return Explained(*error.stopped, "E101", message, "remove it, or put the whole value into one pair of quotes")
    message = f"this does not fit the keys that begin in line {error.began[0]}"
    return Explained(*error.stopped, "E101", message, "mend the indentation")


def _opened_above(error: _Error, before: str) -> tuple[int, int] | None:
    """Return where a quote was opened that ends in this line, if that was in a line above."""
    quote = before[-1]
    if before.count(quote) % 2 == 0:
        return None
    for line in range(error.stopped[0] - 1, 0, -1):
        text = error.lines[line - 1]
        if text.count(quote) % 2:
            return line, text.rindex(quote) + 1
    return None


def _value(error: _Error) -> Explained:
    if ": " in error.before:
        return Explained(*error.stopped, "E101", "a second colon in one value", "put the value in quotes")
    column = len(error.before) - len(error.before.lstrip()) + 1
    message = "this key does not fit what stands above it"
    return Explained(error.stopped[0], column, "E101", message, "mend the indentation")


def _sequence(error: _Error) -> Explained:
    return Explained(*error.stopped, "E101", "a list cannot begin here", "begin it on the next line")


def _alias(error: _Error) -> Explained:
    return Explained(*error.began, "E101", "a value cannot begin with *", "put the value in quotes")


_MEANINGS: dict[str, Callable[[_Error], Explained]] = {
    "quoted scalar: found unexpected end": _quote,
    "quoted scalar: found unexpected document": _quote,
    "unknown escape character": _escape,
    "parsing a flow": _bracket,
    "simple key: could not find expected ':'": _colon,
    "parsing a block collection": _item,
    "parsing a block mapping": _key,
    "mapping values are not allowed": _value,
    "block sequence entries are not allowed": _sequence,
    "scanning an alias": _alias,
}
