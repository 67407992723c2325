"""Says the values of a rule set in the words of rule files. Pure.

What may be secret (addresses, keys) is never said: of two that differ only that they do.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import msgspec

from incidents.oncall import Calendar, Channel
from rules.conditions import All, Any, Condition, None_, name_of
from rules.durations import format_duration
from rules.matchers import Matcher

NOTHING = "nothing"
# Fields of a rule set that rule files call something else; those that they do not know at all are left out.
NAMES: Mapping[str, str] = {
    "matchers": "match",
    "condition": "when",
    "compare": "",
    "start": "from",
    "sla_owner": "sla owner",
    "policies": "paging",
    "index": "",
    "id": "",
    "file": "",
    "line": "",
    "hash": "",
    "turns": "",  # of a calendar
}
_GROUPS = (All, Any, None_)


def said(value: object) -> str:  # noqa: PLR0911 - one line for each kind of value
    """Return a value as a rule file would write it, on one line."""
    if value is None or value in ("", (), {}):
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Matcher):
        return str(value)
    if isinstance(value, Calendar):
        return value.file or value.url_file or "an address"
    if isinstance(value, Channel):
        return value.name if "/" not in value.name else value.kind
    if isinstance(value, msgspec.Struct):
        return _struct(value)
    return _collection(value)


def _collection(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(said(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{said(name)}: {said(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _struct(value: msgspec.Struct) -> str:
    if is_condition(value):
        return _condition(value)  # type: ignore[arg-type]
    told = [str(value.id)] if hasattr(value, "id") else []
    for name, each in told_fields(value).items():
        if not is_default(value, name):
            told.append(said(each) if is_condition(each) else f"{name}: {said(each)}")
    return "{" + ", ".join(told) + "}"


def is_condition(value: object) -> bool:
    """Tell whether a value is a condition, which is said under its own key."""
    return isinstance(value, msgspec.Struct) and value.__struct_config__.tag is not None


def _condition(condition: Condition) -> str:
    """Return a condition under its key: `firing_for: 5m`, `count: {gte: 5, within: 10m}`, `any: [...]`."""
    name = name_of(condition)
    if isinstance(condition, _GROUPS):
        inner = [said(each) for each in condition.conditions]
        return " and ".join(inner) if isinstance(condition, All) else f"{name}: [{'; '.join(inner)}]"
    fields = {field: getattr(condition, field) for field in condition.__struct_fields__}
    if len(fields) == 1:
        return f"{name}: {said(next(iter(fields.values())))}"
    compare, limit = fields.pop("compare", None), fields.pop("limit", fields.pop("percent", None))
    told = [f"{field}: {said(value)}" for field, value in fields.items()]
    return f"{name}: {{{', '.join(told if compare is None else [*told, f'{compare}: {said(limit)}'])}}}"


def told_fields(value: msgspec.Struct) -> dict[str, object]:
    """Return the fields of a value under the names that rule files have for them."""
    found = {NAMES.get(field, field): getattr(value, field) for field in value.__struct_fields__}
    return {name: each for name, each in found.items() if name}


def is_default(value: msgspec.Struct, name: str) -> bool:
    """Tell whether a field says what it would say if nobody had written it."""
    for field in msgspec.structs.fields(value):
        if NAMES.get(field.name, field.name) == name:
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            return bool(getattr(value, field.name) == default)
    return False
