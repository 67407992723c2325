"""What can be said of PromQL without a parser: brackets, quotes, ranges, and where labels may be put in. Pure."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from rules.durations import parse_duration

_CLOSES = {")": "(", "]": "[", "}": "{"}
_QUOTES = frozenset("\"'`")
_RANGE = re.compile(r"\[([^\[\]]*)\]")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`", re.DOTALL)
_COMMENT = re.compile(r"#[^\n]*")
_HOLE = re.compile(r"\{\{\s*labels\.([A-Za-z0-9_.:/-]+)\s*\}\}")
_REGEX_BEFORE = re.compile(r"[=!]~\s*$")
_META = re.compile(r"([\\.+*?()|\[\]{}^$])")
WINDOW = "$window"


def unbalanced(promql: str) -> str:
    """Say what is not closed, or "" when all is balanced."""
    if not promql.strip():
        return "the query is empty"
    rest = _bare(promql)
    quote = next((character for character in rest if character in _QUOTES), None)
    if quote is not None:
        return f"a quote {quote} is never closed"
    opened: list[str] = []
    for character in rest:
        if character in "([{":
            opened.append(character)
        elif character in _CLOSES and (not opened or opened.pop() != _CLOSES[character]):
            return f"a bracket {character} closes nothing"
    return f"a bracket {opened[-1]} is never closed" if opened else ""


def ranges_without_window(promql: str) -> list[str]:
    """Return every range that does not use `$window`; a query without any range is named as a whole."""
    ranges: list[str] = _RANGE.findall(_bare(promql))
    if not ranges:
        return ["no range"]
    return [f"[{found}]" for found in ranges if WINDOW not in found]


def longest_range(promql: str) -> timedelta:
    """Return the longest range of a query, 0 where it has none."""
    found = timedelta()
    for text in _RANGE.findall(_bare(promql)):
        try:
            found = max(found, parse_duration(text.partition(":")[0].strip()))
        except ValueError:
            continue
    return found


def has_holes(promql: str) -> bool:
    """Tell whether labels are to be put into a query."""
    return "{{" in promql


def misplaced_hole(promql: str) -> str:
    """Say what is wrong with a `{{ labels.x }}` in a query, or "": it must be a part of a text in quotes.

    There a label is always data; elsewhere whoever names a label could write the query.
    """
    if not has_holes(promql):
        return ""
    for text in _STRING.findall(_COMMENT.sub("", promql)):
        if text[0] == "`" and has_holes(text):
            return "{{ labels.x }} cannot stand between backticks; use double quotes"
        if has_holes(_HOLE.sub("", text)):
            return "only {{ labels.NAME }} can be put into a query, without filters"
    return "{{ labels.x }} must stand inside of double quotes" if has_holes(_bare(promql)) else ""


def filled(promql: str, labels: Mapping[str, str]) -> str:
    """Return a query with labels put in: as text, and literally where the text is a regular expression."""
    if not has_holes(promql):
        return promql
    parts: list[str] = []
    at = 0
    for text in _STRING.finditer(promql):
        parts.append(promql[at : text.start()])
        is_regex = _REGEX_BEFORE.search(promql, 0, text.start()) is not None
        parts.append(_HOLE.sub(partial(_put_into, labels, is_regex=is_regex), text[0]))
        at = text.end()
    return "".join((*parts, promql[at:]))


def _put_into(labels: Mapping[str, str], hole: re.Match[str], *, is_regex: bool) -> str:
    return _put(labels.get(hole[1], ""), is_regex=is_regex)


def _put(value: str, *, is_regex: bool) -> str:
    if is_regex:
        value = _META.sub(r"\\\1", value)
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").replace("\n", "\\n")


def _bare(promql: str) -> str:
    """Return the query without strings and comments."""
    return _COMMENT.sub("", _STRING.sub("", promql))
