"""Templates to HTML. Everything foreign is escaped, addresses are links only where they are http or https. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from receiver.web.assets import address_of


class Entry(NamedTuple):
    """A line of the menu."""

    path: str
    name: str


MENU: tuple[Entry, ...] = (
    Entry("/incidents", "Incidents"),
    Entry("/oncall", "On call"),
    Entry("/rules", "Rules"),
    Entry("/statistics", "Statistics"),
    Entry("/postmortems", "Post-mortems"),
    Entry("/quarantine", "Quarantine"),
)

_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class Renderer:
    """Renders the templates, which are compiled once."""

    def __init__(self, build: str) -> None:
        self._environment = Environment(
            loader=PackageLoader("receiver.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals |= {"build": build, "menu": MENU, "asset": address_of}
        self._environment.filters |= {
            "at": at,
            "ago": ago,
            "until": until,
            "http": http,
            "span": span,
            "iso": iso,
            "words": words,
            "sentence": sentence,
            "coded": coded,
            "parsed": datetime.fromisoformat,
        }

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """Return a page as HTML."""
        return self._environment.get_template(template).render(values)


def iso(instant: datetime) -> str:
    """Return an instant as `2026-11-02T03:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(instant: datetime, now: datetime) -> Markup:
    """Return an instant as UTC, to the second; the day stands there where it is not today's."""
    utc = instant.astimezone(UTC)
    shown = f"{utc:%H:%M:%S}" if utc.date() == now.astimezone(UTC).date() else f"{utc:%b} {utc.day} {utc:%H:%M:%S}"
    return Markup('<time class="at" datetime="{}" title="{}">{}</time>').format(iso(instant), _exact(utc), shown)


def ago(instant: datetime, now: datetime) -> Markup:
    """Return how long ago an instant was; the script counts on."""
    return Markup('<time data-ago datetime="{}" title="{}">{}</time>').format(
        iso(instant), _exact(instant.astimezone(UTC)), span(now - instant)
    )


def until(instant: datetime, now: datetime) -> Markup:
    """Return how long it is until an instant; the script counts down."""
    left = f"in {span(instant - now)}" if instant > now else "now"
    return Markup('<time data-until datetime="{}" title="{}">{}</time>').format(
        iso(instant), _exact(instant.astimezone(UTC)), left
    )


def span(length: timedelta) -> str:
    """Return a length in its two greatest units: `3 min 20 s`, `2 h 5 min`; from ten minutes on minutes are enough."""
    seconds = max(int(length.total_seconds()), 0)
    for place, (unit, name) in enumerate(_UNITS):
        if seconds >= unit:
            rest = seconds % unit
            lower, lower_name = _UNITS[place + 1] if place + 1 < len(_UNITS) else (1, "")
            more = rest // lower if lower_name and not (unit == 60 and seconds >= 600) else 0
            return f"{seconds // unit} {name}" + (f" {more} {lower_name}" if more else "")
    return "0 s"


def http(address: object) -> str:
    """Return a foreign address where it is one of the web, else nothing: a link may never run anything."""
    text = str(address or "").strip()
    if len(text) > 2000 or _CONTROL.search(text):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and parts.netloc else ""


def words(name: object) -> str:
    """Return a stored word as people read it: `incident_commander` is "incident commander"."""
    return str(name).replace("_", " ")


def plainly(text: str) -> str:
    """Return a text in which whatever does not show, or turns others around, stands as an escape."""
    return "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text)


def sentence(text: str) -> str:
    """Return what a problem says with a capital and a full stop; a name that it begins with stays as it is."""
    first = text.split(" ", 1)[0]
    begun = text[:1].upper() + text[1:] if first.isalpha() else text
    return begun if begun.endswith((".", "!", "?")) else begun + "."


def coded(text: str) -> Markup:
    """Return a text in which what stands between backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return Markup.escape(text)
    shown = (Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts))
    return Markup("").join(shown)


def _exact(utc: datetime) -> str:
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d} UTC"
