"""Holds what a test wants against what there is, and shows where they differ. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from rules.durations import format_duration
from rules.testing.model import Wanted
from rules.testing.observe import Got

TELLING = ("id", "identity", "rule", "to", "step", "at", "kind")  # equal in these, two probably mean the same thing
SHOWN = {
    "incidents": ("identity", "severity", "status", "rule"),
    "would_declare": ("rule", "severity", "identity", "declared_at"),
    "pages": ("to", "step", "round", "reason", "at"),
    "escalations": ("to", "step", "round", "at"),
    "timeline": ("at", "kind", "text"),
}


class Difference(NamedTuple):
    """What is wanted and missing, what is there and unwanted, or what differs from what is wanted."""

    wanted: Wanted | None
    got: Got | None

    def said(self, subject: str) -> tuple[str, str]:
        """Return both sides in the words of a test file, "" for nothing."""
        names = SHOWN[subject] if self.wanted is None else tuple(self.wanted.fields)
        wanted = shown(self.wanted.fields) if self.wanted is not None else ""
        got = shown({name: self.got.fields[name] for name in names}) if self.got is not None else ""
        return wanted, got


def holds(wanted: Wanted, got: Got) -> bool:
    """Tell whether every field that is wanted is there; a text is enough when it is contained."""
    return all(_equal(name, value, got.fields[name]) for name, value in wanted.fields.items())


def _equal(name: str, wanted: Any, got: Any) -> bool:  # noqa: ANN401 - any value of a test file
    if name in {"text", "summary"}:
        return wanted in (got or "")
    return bool(wanted == got)


def differences(wanted: Sequence[Wanted], got: Sequence[Got]) -> list[Difference]:
    """Pair what is wanted with what there is, in any order, each with one; return what does not fit."""
    left = list(got)
    missing: list[Wanted] = []
    # Those that say most choose first, so that a vague one never takes what a precise one needs.
    for one in sorted(wanted, key=lambda each: -len(each.fields)):
        found = next((each for each in left if holds(one, each)), None)
        if found is None:
            missing.append(one)
        else:
            left.remove(found)
    found_differences = []
    for one in sorted(missing, key=lambda each: (each.node.line, each.node.column)):
        near = max(left, key=lambda each: _nearness(one, each), default=None)
        if near is not None and _nearness(one, near) > (0, 0):
            left.remove(near)
            found_differences.append(Difference(one, near))
        else:
            found_differences.append(Difference(one, None))
    return found_differences + [Difference(None, each) for each in left]


def in_order(wanted: Sequence[Wanted], got: Sequence[Got]) -> Wanted | None:
    """Return the first that is wanted and not there in this order; others may stand between."""
    rest = iter(got)
    return next((one for one in wanted if not any(holds(one, each) for each in rest)), None)


def _nearness(wanted: Wanted, got: Got) -> tuple[int, int]:
    same = [name for name, value in wanted.fields.items() if _equal(name, value, got.fields[name])]
    telling = sum(name in TELLING for name in same)
    if not set(TELLING) & wanted.fields.keys():
        return 0, 1 + len(same)  # it says nothing by which it could be told apart
    return (telling, len(same)) if telling else (0, 0)


def shown(fields: Mapping[str, Any]) -> str:
    """Return fields in the words of a test file."""
    return "{" + ", ".join(f"{name}: {_value(value)}" for name, value in fields.items()) + "}"


def _value(value: Any) -> str:  # noqa: ANN401 - any value of a test file
    match value:
        case timedelta():
            return format_duration(value)
        case Mapping():
            return shown(value)
        case tuple() | list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case bool():
            return str(value).lower()
        case None:
            return "~"
        case str():
            return value if value and not set(value) & set(',:{}[]"') else '"' + value.replace('"', '\\"') + '"'
        case _:
            return str(value)
