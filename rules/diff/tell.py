"""Writes the changes between two rule sets as text and as plain values for JSON. Pure."""

from collections import Counter
from collections.abc import Sequence

from rules.diff.compare import Change, Field, Kind, singular
from rules.diff.words import NOTHING

_MARKS = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~"}
_STYLES = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow"}


def diff_lines(changes: Sequence[Change]) -> list[tuple[str, str]]:
    """Return the lines of a report, each with the style it has on a terminal."""
    lines: list[tuple[str, str]] = []
    for change in changes:
        name = change.section if change.name == change.section else f"{change.what} {change.name}"
        lines.append((f"{_MARKS[change.kind]} {name}", _STYLES[change.kind]))
        lines += [(f"    {_field(change, field)}", "") for field in change.fields]
    return [*lines, (summary(changes), "bold")]


def _field(change: Change, field: Field) -> str:
    name = f"{field.name}: " if field.name else ""
    if change.kind is Kind.ADDED:
        return name + field.new
    return name + field.old if change.kind is Kind.REMOVED else f"{name}{field.old} -> {field.new}"


def summary(changes: Sequence[Change]) -> str:
    """Return one line: how many of each were added, removed and changed."""
    if not changes:
        return "no difference"
    counts = Counter((change.section, change.kind) for change in changes)
    parts = []
    for section in dict.fromkeys(change.section for change in changes):
        told = [f"{counts[section, kind]} {kind}" for kind in Kind if counts[section, kind]]
        total = sum(counts[section, kind] for kind in Kind)
        parts.append(f"{section if total > 1 else singular(section)}: {', '.join(told)}")
    return "; ".join(parts)


def as_json(changes: Sequence[Change]) -> list[dict[str, object]]:
    """Return the changes as plain values; null stands for what is not there."""
    return [
        {
            "section": change.section,
            "name": change.name,
            "change": change.kind.value,
            "fields": [
                {"field": field.name or change.section, "old": _or_null(field.old), "new": _or_null(field.new)}
                for field in change.fields
            ],
        }
        for change in changes
    ]


def _or_null(text: str) -> str | None:
    return None if text == NOTHING else text
