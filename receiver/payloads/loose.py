"""Reads JSON of which nothing is certain: what is not there, or of another kind, is empty. Pure."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from receiver.payloads.json_text import checked, malformed, mended
from receiver.payloads.parsed import BadPayload

MAX_LINE = 1024

_decode = msgspec.json.Decoder().decode
_GAPS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")

Object = Mapping[str, Any]
NOTHING: Object = {}


def decode(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the value that a body holds; raises `BadPayload`."""
    text = checked(body)
    try:
        return _decode(mended(text))
    except RecursionError:
        raise BadPayload("The body is nested too deeply.") from None
    except msgspec.DecodeError as error:
        raise malformed(body, text, error) from None


def object_at(value: object, *path: str) -> Object:
    """Return the object at a path, empty when there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else NOTHING


def list_at(value: object, *path: str) -> list[Any]:
    """Return the list at a path, empty when there is none."""
    found = object_at(value, *path[:-1]).get(path[-1])
    return found if isinstance(found, list) else []


def text_at(value: object, *path: str) -> str:
    """Return the text at a path, empty when there is none; a number is its text."""
    found = object_at(value, *path[:-1]).get(path[-1])
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""


def as_text(value: object) -> str:
    """Return any value as text: what is no text as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def line(text: str, most: int = MAX_LINE) -> str:
    """Return text as one line without control characters, cut with an ellipsis."""
    flat = _GAPS.sub(" ", text[: most * 4]).strip()
    return flat if len(flat) <= most else flat[: most - 1] + "…"
