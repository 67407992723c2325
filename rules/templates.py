"""Templates of titles, summaries and runbooks: `{{ labels.x }}`, `{{ annotations.x }}`, `{{ value }}` and four filters.

There are no loops, no expressions and no attributes, so a template costs no more than its length. The text of an alert
is data: it is put in as it is, cut at a bound, and never read as a template itself. Pure.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from incidents.texts import one_line

MAX_OUTPUT = 1000
MAX_TEMPLATE = 4000
MAX_TITLE = 300
FILTERS = ("upper", "lower", "truncate", "default")

_OPEN = re.compile(r"\{\{|\{%|\{#")
_NAME = r"[A-Za-z0-9_.:/-]+"
_SOURCE = re.compile(rf"(labels|annotations)\.({_NAME})|value")
_FILTER = re.compile(r'(upper|lower)|truncate\(\s*([0-9]{1,4})\s*\)|default\(\s*(?:"([^"]*)"|\'([^\']*)\')\s*\)')
_HOLE = rf"\{{\{{\s*(?:{_SOURCE.pattern})\s*(?:\|\s*(?:{_FILTER.pattern})\s*)*\}}\}}"
# The same for others that check: a text without loops and comments, every hole of which names something.
TEMPLATE_PATTERN = rf"^(?:[^{{]|\{{(?![{{%#])|{_HOLE})*$"
# How templates of Prometheus and Alertmanager name the same.
_ELSEWHERE = re.compile(rf"(?:\$|\.(?:Common|Group)?)(label|annotation|Label|Annotation)s\.({_NAME})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class BadTemplate(ValueError):
    """A text that is no template: what is wrong, at which character (from 0), and the mend."""

    def __init__(self, message: str, at: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint


class Values(NamedTuple):
    """What a template may name."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


Filter = Callable[[str], str]


class Hole(NamedTuple):
    """One `{{ ... }}`: where its text comes from, and the filters that it goes through."""

    source: str  # labels, annotations, value
    name: str
    filters: tuple[Filter, ...]


def check_template(text: str) -> None:
    """Raise BadTemplate when a text is not a template, or too long to be filled in for each alert."""
    if len(text) > MAX_TEMPLATE:
        raise BadTemplate(f"it has {len(text)} characters; at most {MAX_TEMPLATE} are allowed")
    _parse(text)


def render(template: str, values: Values, *, limit: int = MAX_OUTPUT) -> str:
    """Return the text with every hole filled, cut to `limit` characters; what is missing is empty."""
    parts: list[str] = []
    room = limit
    for part in _parse(template):
        found = part if isinstance(part, str) else _fill(part, values)
        parts.append(found[: room + 1])
        room -= len(found)
        if room < 0:
            break
    return truncate("".join(parts), limit)


def title_of(template: str, values: Values, *, identity: Mapping[str, str]) -> str:
    """Return a title in one line: of the template, else the annotation `summary`, else `alertname: identity values`."""
    for candidate in (render(template, values) if template else "", values.annotations.get("summary", "")):
        title = one_line(_CONTROL.sub(" ", candidate[: 2 * MAX_OUTPUT]))
        if title:
            return truncate(title, MAX_TITLE)
    name = values.labels.get("alertname", "")
    rest = " ".join(value for value in identity.values() if value != name)
    title = one_line(_CONTROL.sub(" ", ": ".join(part for part in (name, rest) if part)))
    return truncate(title, MAX_TITLE) or "alert without a name"


def truncate(text: str, limit: int) -> str:
    """Cut a text to so many characters, the last of them an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"[:limit]


def _fill(hole: Hole, values: Values) -> str:
    if hole.source == "labels":
        found = values.labels.get(hole.name, "")
    elif hole.source == "annotations":
        found = values.annotations.get(hole.name, "")
    else:
        found = values.annotations.get("value", "") or values.labels.get("value", "")
    found = found[: 4 * MAX_OUTPUT]
    for change in hole.filters:
        found = change(found)
    return found


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[str | Hole, ...]:
    parts: list[str | Hole] = []
    at = 0
    while found := _OPEN.search(text, at):
        start = found.start()
        if found.group() != "{{":
            raise BadTemplate(f"{found.group()} is not allowed; only {{{{ ... }}}} is", start)
        end = text.find("}}", start)
        if end < 0:
            raise BadTemplate("the {{ is never closed", start, "close it with }}")
        parts += [text[at:start], _hole(text[start + 2 : end], start + 2)]
        at = end + 2
    return (*parts, text[at:])


def _hole(text: str, at: int) -> Hole:
    source, *filters = (piece.strip() for piece in _split(text))
    found = _SOURCE.fullmatch(source)
    if found is None:
        wanted = "labels.NAME, annotations.NAME or value"
        like = _ELSEWHERE.fullmatch(source)
        hint = f"write {{{{ {like.group(1).lower()}s.{like.group(2)} }}}}" if like else ""
        place = at + len(text) - len(text.lstrip())
        raise BadTemplate(f"{{{{ {source[:40]} }}}} is not allowed; it names {wanted}", place, hint)
    return Hole(
        found.group(1) or "value", found.group(2) or "", tuple(_filter(name, at + text.find(name)) for name in filters)
    )


def _split(text: str) -> list[str]:
    """Split at `|`, but not inside of quotes."""
    return re.findall(r"(?:\"[^\"]*\"|'[^']*'|[^|])+|(?<=\|)(?=\||$)", text) or [""]


def _filter(text: str, at: int) -> Filter:
    found = _FILTER.fullmatch(text)
    if found is None:
        wanted = 'upper, lower, truncate(NUMBER), default("TEXT")'
        raise BadTemplate(f"the filter {text[:40]!r} is not allowed; there are {wanted}", at)
    name, length, double, single = found.groups()
    if name:
        return str.upper if name == "upper" else str.lower
    if length is not None:
        limit = int(length)
        return lambda value: truncate(value, limit)
    fallback: str = double if double is not None else single
    return lambda value: value or fallback
