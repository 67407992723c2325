"""What can be said of PromQL without a parser: brackets, quotes, ranges, and where labels may be put in. Pure."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from rules.durations import parse_duration

_CLOSES = {")": "(", "]": "[", "}": "{"}
_QUOTES = frozenset("\"'`")
_RANGE = re.compile(r"\[([^\[\]]*)\]")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`", re.DOTALL)
_COMMENT = re.compile(r"#[^\n]*")
_HOLE = re.compile(r"\{\{\s*labels\.([A-Za-z0-9_.:/-]+)\s*\}\}")
_REGEX_BEFORE = re.compile(r"[=!]~\s*$")
_META = re.compile(r"([\\.+*?()|\[\]{}^$])")
_VARIABLE = re.compile(r"\$\{?\w+\}?")
_RANGELESS = re.compile(
    r"\b(rate|irate|increase|delta|idelta|deriv|resets|changes|(?:avg|min|max|sum|count|last)_over_time)"
    r"\s*+\(\s*+([A-Za-z_:][\w:]*+\s*+(?:\{[^{}]*+\})?+)\s*+\)"  # possessive: no run of spaces is gone back through
)
WINDOW = "$window"


class Fault(NamedTuple):
    """What is wrong with a query, at which character (from 0), and the mend."""

    message: str
    at: int = 0
    hint: str = ""


def fault(promql: str, *, windowed: bool = False) -> Fault | None:
    """Return what Prometheus would refuse, as far as can be told without it; `windowed` knows `$window` as a range."""
    if not promql.strip():
        return Fault("the query is empty")
    rest = _bare(promql)
    return _quotes(rest) or _brackets(rest) or _strange(rest, promql, windowed=windowed)


def unbalanced(promql: str) -> str:
    """Say what is not closed, or "" when all is balanced."""
    rest = _bare(promql)
    found = fault(promql) if not promql.strip() else _quotes(rest) or _brackets(rest)
    return found.message if found is not None else ""


def _quotes(rest: str) -> Fault | None:
    at = next((place for place, character in enumerate(rest) if character in _QUOTES), None)
    return None if at is None else Fault(f"a quote {rest[at]} is never closed", at)


def _brackets(rest: str) -> Fault | None:
    opened: list[int] = []
    for place, character in enumerate(rest):
        if character in "([{":
            opened.append(place)
        elif character in _CLOSES and (not opened or rest[opened.pop()] != _CLOSES[character]):
            return Fault(f"a bracket {character} closes nothing", place)
    return Fault(f"a bracket {rest[opened[-1]]} is never closed", opened[-1]) if opened else None


def _strange(rest: str, promql: str, *, windowed: bool) -> Fault | None:
    """Look for variables of dashboards, and for rates without a range."""
    for found in _VARIABLE.finditer(rest):
        if not (windowed and found[0] in {WINDOW, "${window}"}):
            hint = f"write a range such as [{WINDOW}]" if windowed else "write what it stands for, such as [5m]"
            return Fault(f"Prometheus knows no variables, and {found[0]} is one", found.start(), hint)
    found_call = _RANGELESS.search(rest)
    if found_call is None:
        return None
    metric, span = promql[found_call.start(2) : found_call.end(2)].strip()[:60], WINDOW if windowed else "5m"
    return Fault(f"{found_call[1]} needs a range", found_call.start(), f"write {found_call[1]}({metric}[{span}])")


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
    """Return the query without strings and comments: spaces stand in their places, so that every other stays."""
    return _COMMENT.sub(_spaces, _STRING.sub(_spaces, promql))


def _spaces(found: re.Match[str]) -> str:
    return " " * len(found[0])
