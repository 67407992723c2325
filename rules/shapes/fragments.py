"""How single values of rule files are written: fragments of JSON Schema (draft-07); tables of keys are made of them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from rules.durations import DURATION_PATTERN
from rules.templates import TEMPLATE_PATTERN

Schema = Mapping[str, object]

ID_PATTERN = "[A-Za-z0-9_.-]{1,100}"
TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
ID: Schema = {
    "type": ["string", "number"],
    "pattern": f"^{ID_PATTERN}$",
    "patternErrorMessage": "letters, digits, '-', '_' and '.', at most 100",
}
DURATION: Schema = {
    "anyOf": [{"type": "string", "minLength": 1, "pattern": f"^(?:{DURATION_PATTERN}|0)$"}, {"const": 0}],
    "errorMessage": "a duration, written like 30s, 5m, 1h30m or 2d",
}
PERCENT: Schema = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 100},
        {"type": "string", "pattern": "^ *(?:100(?:[.]0+)?|[0-9]{1,2}(?:[.][0-9]+)?) *%? *$"},
    ],
    "errorMessage": "a percentage, written like 25%",
}
INSTANT: Schema = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*(?:Z|[+-][0-9]{2}:?[0-9]{2})$",
    "patternErrorMessage": "an instant with its offset, written like 2026-12-24T10:00:00+01:00",
}
DAY: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
TIME: Schema = {
    "type": "string",
    "pattern": "^(?:[01][0-9]|2[0-3]):[0-5][0-9]$",
    "patternErrorMessage": 'a time of the day in quotes, written like "10:00"',
}
TIMEZONE: Schema = {"type": "string", "minLength": 1, "examples": ["UTC", "Europe/Berlin", "America/New_York"]}
MATCHER: Schema = {
    "type": "string",
    "pattern": '^[^=!]*(?:=~|!=|!~|=(?!= *"))',
    "patternErrorMessage": "a matcher, written like 'severity=\"critical\"'",
    "examples": ['severity="critical"', 'environment=~"prod|live"', 'team!=""'],
}
MATCHERS: Schema = {"anyOf": [MATCHER, {"type": "array", "items": MATCHER, "minItems": 1}]}
TEMPLATE: Schema = {
    "type": "string",
    "pattern": TEMPLATE_PATTERN,
    "patternErrorMessage": "between {{ and }} stands labels.NAME, annotations.NAME or value, then filters after a |",
    "examples": ["{{ labels.service }}: {{ labels.alertname }}"],
}
ADDRESS: Schema = {
    "type": "string",
    "pattern": "^https?://.",
    "patternErrorMessage": "an address, written like https://pager.example.org/hook",
}


class Shape(NamedTuple):
    """One mapping: how messages name it, what it is, its keys, and what holds between them.

    `needs` are the keys it cannot be without, `one_of` those of which exactly one must be there; `also` is what else
    holds, as keywords of JSON Schema.
    """

    what: str
    says: str
    keys: Mapping[str, Schema]
    needs: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    also: Schema = MappingProxyType({})


def key(says: str, form: Schema, **more: object) -> Schema:
    """Return the form of a value with the sentence that an editor shows; `more` is further keywords."""
    return {**form, "description": says, **more}


def words(choices: Iterable[str]) -> Schema:
    """Return the form of one word of a closed list."""
    return {"enum": [str(choice) for choice in choices]}


def numbers(*, least: float, most: float, whole: bool = False) -> Schema:
    """Return the form of a number between two bounds."""
    return {"type": "integer" if whole else "number", "minimum": least, "maximum": most}


def lists(item: Schema, *, least: int = 0, distinct: bool = False) -> Schema:
    """Return the form of a list."""
    form: dict[str, object] = {"type": "array", "items": item}
    if least:
        form["minItems"] = least
    if distinct:
        form["uniqueItems"] = True
    return form


def maps(value: Schema, *, ids: bool = True) -> Schema:
    """Return the form of a mapping from names to values; the names are ids, or texts of any kind."""
    names = {"propertyNames": {"pattern": f"^{ID_PATTERN}$"}} if ids else {}
    return {"type": "object", "additionalProperties": value, **names}


def one_or_more(item: Schema) -> Schema:
    """Return the form of a value, or of a list of such values that is not empty."""
    return {"anyOf": [item, lists(item, least=1)]}


def shape(name: str) -> Schema:
    """Refer to a mapping by the name of its shape."""
    return {"$ref": f"#/definitions/{name}"}


def excludes(*keys: str) -> Schema:
    """Say that not all of these keys may stand in one mapping."""
    return {"not": {"required": list(keys)}}
