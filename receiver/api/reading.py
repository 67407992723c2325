"""Reads what a caller of the API sent: query, body, preconditions. Every mistake is answered with its place. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import msgspec

from receiver.api import texts
from receiver.api.route import Parameter
from receiver.payloads.json_text import checked, malformed
from receiver.problems import Problem
from rules.loading.mends import did_you_mean

MAX_LIST = 200
MAX_PARAMETER = 1024  # characters

_PLACE = re.compile(r" - at (`key` in )?`\$(.*)`$")
_UNKNOWN_FIELD = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_MISSING_FIELD = re.compile(r"^Object missing required field `(.*)`$")
_BAD_ENUM = re.compile(r"^Invalid enum value (.*)$", re.DOTALL)
_BAD_TIME = re.compile(r"^(?:Invalid RFC3339 encoded |Expected `)(date|datetime)(?: \| null)?(?:`, got .*)?$")
_BAD_LENGTH = re.compile(r"^Expected `(\w+)(?: \| null)?` of length (<=|>=) (\d+)$")
_BAD_TYPE = re.compile(r"^Expected `([\w |]+)`, got `(\w+)`$")
_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_INDEX = re.compile(r"\[(\d+)\]")
_ETAG = re.compile(r'^(?:W/)?"?(\d{1,18})"?$', re.ASCII)


def one_of(values: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a text that is one of these."""
    return {"type": "string", "enum": list(values)}


LIMIT = Parameter(
    name="limit",
    description=f"How many at most; more than {MAX_LIST} are taken as {MAX_LIST}.",
    schema={"type": "integer", "minimum": 1, "default": 50},
)
AFTER = Parameter(name="after", description="The cursor that the page before was answered with as `next`.")


# ---------------------------------------------------------------------------------------------------------------- query


def query_of(given: Iterable[tuple[str, str]], known: Sequence[Parameter]) -> dict[str, tuple[str, ...]]:
    """Return the values of each parameter that was given; raises `Problem` 400 for one that is not known."""
    parameters = {parameter.name: parameter for parameter in known}
    found: dict[str, list[str]] = {}
    for name, value in given:
        parameter = parameters.get(name)
        if parameter is None:
            hint = did_you_mean(name, parameters) or (
                f"This call takes {', '.join(parameters)}." if parameters else "This call takes no parameter."
            )
            raise bad_parameter(name, f"There is no parameter {name[:64]!r} here.", hint)
        if len(value) > MAX_PARAMETER:
            raise bad_parameter(name, f"{name} is longer than {MAX_PARAMETER} characters.")
        values = value.split(",") if parameter.many else [value]
        found.setdefault(name, []).extend(each.strip() for each in values if each.strip())
    for name, each in found.items():
        if len(each) > 1 and not parameters[name].many:
            raise bad_parameter(name, f"{name} is given {len(each)} times.", "Give it once.")
    return {name: tuple(each) for name, each in found.items()}


def text_in(query: Mapping[str, tuple[str, ...]], name: str) -> str:
    """Return the one value of a parameter, empty where it is not given."""
    values = query.get(name, ())
    return values[0] if values else ""


def limit_in(query: Mapping[str, tuple[str, ...]], *, default: int = 50, most: int = MAX_LIST) -> int:
    """Return how many are wanted, never more than `most`; raises `Problem` 400 for what is no number above 0."""
    text = text_in(query, "limit")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise bad_parameter("limit", f"limit must be a whole number of at least 1, not {text[:40]!r}.")
    return min(int(text), most)


def words_in(
    query: Mapping[str, tuple[str, ...]], name: str, kind: type[StrEnum], also: Sequence[str] = ()
) -> frozenset[str]:
    """Return the words that were given for a parameter; raises `Problem` 400 for one that does not exist."""
    known = [*(each.value for each in kind), *also]
    for word in query.get(name, ()):
        if word not in known:
            hint = did_you_mean(word, known) or f"There is {', '.join(known)}."
            raise bad_parameter(name, f"{name}={word[:64]!r} does not exist.", hint)
    return frozenset(query.get(name, ()))


def bad_parameter(name: str, detail: str, hint: str = "") -> Problem:
    """Return the answer to a parameter that cannot be used."""
    return Problem(HTTPStatus.BAD_REQUEST, detail, hint=hint, members={"parameter": name[:64]})


# ----------------------------------------------------------------------------------------------------------------- body


def body_of(body: bytes, kind: type[Any]) -> Any:  # noqa: ANN401 - as typed as the route says
    """Return a body as its type; none at all is an empty object.

    Raises `BadPayload` (400) for what is no JSON, and `Problem` 422 with a pointer for what does not fit.
    """
    text = checked(body if body.strip() else b"{}")
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise _unfit(str(error), kind) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise malformed(body, text, error) from None


def unfit(pointer: str, detail: str, hint: str = "") -> Problem:
    """Return the answer to a field that does not fit."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, hint=hint, members={"pointer": pointer})


def label_value(pointer: str, text: str) -> str:
    """Return a text that rules match as the value of a label; raises `Problem` 422 for an empty or odd one."""
    value = text.strip()
    if not value or not texts.is_fit(value):
        name = pointer.removeprefix("/")
        raise unfit(pointer, f"{name} must be text without control characters, and not empty.".capitalize())
    return value


def _unfit(message: str, kind: type[Any]) -> Problem:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    place = _PLACE.search(message)
    said = message[: place.start()] if place else message
    pointer = _pointer(place[2]) if place else ""
    if unknown := _UNKNOWN_FIELD.match(said):
        name = unknown[1]
        listed = f"This call takes {', '.join(fields)}." if fields else "This call takes no field."
        hint = did_you_mean(name, fields) or listed
        return unfit(f"{pointer}/{_escaped(name[:64])}", f"There is no field {name[:64]!r} here.", hint)
    if missing := _MISSING_FIELD.match(said):
        return unfit(f"{pointer}/{missing[1]}", f"The field {missing[1]!r} is missing.")
    if wrong := _BAD_ENUM.match(said):
        known = _values_at(kind, pointer)
        given = wrong[1].strip("'\"")
        listed = f"{wrong[1][:64]} does not exist: there is {', '.join(known)}."
        return unfit(pointer, listed, did_you_mean(given, known))
    if (when := _BAD_TIME.match(said)) and pointer:
        field = pointer.rpartition("/")[2]
        expected, example = ("a day", "2026-12-01") if when[1] == "date" else ("an instant", "2026-12-01T09:00:00Z")
        return unfit(pointer, f"{field} is not {expected}.".capitalize(), f"Write it like {example}.")
    within = "A name in " if place and place[1] else "A value in " if place and "[...]" in place[2] else ""
    what = f"{within}{pointer}" if pointer else "The body"
    return unfit(pointer, f"{what} {_in_words(said)}.")


def _in_words(said: str) -> str:
    """Return what is said of a value that has the wrong length or type as people say it."""
    if long := _BAD_LENGTH.match(said):
        number = int(long[3])
        unit = "characters" if long[1] == "str" else "entries"
        if long[2] == "<=":
            return f"has more than {number:,} {unit}"
        return "is empty" if number == 1 else f"has fewer than {number:,} {unit}"
    if (wrong := _BAD_TYPE.match(said)) and wrong[2] in _KINDS:
        wanted = [_KINDS.get(each, each) for each in wrong[1].split(" | ")]
        return f"has to be {' or '.join(wanted)}, and is {_KINDS[wrong[2]]}"
    return f"does not fit: {said[:1].lower()}{said[1:]}".replace("`", "")


def _values_at(kind: type[Any], pointer: str) -> list[str]:
    """Return the values that may stand at a place of a body: those of the enumeration, or the literals, in its type."""
    found = [msgspec.inspect.type_info(kind)]
    for step in pointer.split("/")[1:]:
        found = [inner for each in found for inner in _inside(each, step)]
    return [str(value) for each in found for single in _alternatives(each) for value in _values_of(single)]


def _inside(info: msgspec.inspect.Type, step: str) -> list[msgspec.inspect.Type]:
    inner: list[msgspec.inspect.Type] = []
    for each in _alternatives(info):
        if isinstance(each, msgspec.inspect.StructType):
            inner += [field.type for field in each.fields if field.encode_name == step]
        elif isinstance(each, msgspec.inspect.ListType):
            inner.append(each.item_type)
    return inner


def _alternatives(info: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    """Return what a type may be, without what is only said about it."""
    if isinstance(info, msgspec.inspect.Metadata):
        return _alternatives(info.type)
    if isinstance(info, msgspec.inspect.UnionType):
        return [one for each in info.types for one in _alternatives(each)]
    return [info]


def _values_of(info: msgspec.inspect.Type) -> list[Any]:
    if isinstance(info, msgspec.inspect.EnumType):
        return [value.value for value in info.cls]
    return list(info.values) if isinstance(info, msgspec.inspect.LiteralType) else []


def _pointer(path: str) -> str:
    """Return msgspec's `.identity[...]` as a JSON pointer; it does not tell which value of an object it was."""
    return _INDEX.sub(r"/\1", path.replace("[...]", "")).replace(".", "/")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


# --------------------------------------------------------------------------------------------------------- precondition


def version_in(if_match: str) -> int | None:
    """Return the version that `If-Match` asks for, None for none; raises `Problem` 400."""
    if not if_match or if_match.strip() == "*":
        return None
    found = _ETAG.match(if_match.strip())
    if found is None:
        hint = 'Send the version of the incident, like If-Match: "3".'
        raise Problem(HTTPStatus.BAD_REQUEST, "If-Match is no version.", hint=hint)
    return int(found[1])
