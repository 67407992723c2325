"""What every part of the loader shares: the problems found so far, the names that may be referred to, small readers."""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from incidents.calendars import Copy
from incidents.values import Severity
from rules.durations import format_duration
from rules.loading.fields import MAX_HINTS, Fields, as_string, wrong_kind
from rules.loading.mends import did_you_mean, meant
from rules.loading.nodes import Kind, Node, Problem, problem_at, problem_inside
from rules.matchers import BadMatcher, BadRegex, Matcher, parse_matchers
from rules.promql import fault
from rules.templates import BadTemplate, check_template

MAX_ID = 100
DEFAULT_POLICY = "default"
_SHORT = 60
ReadCalendar = Callable[[str | bytes, str, datetime], Copy]  # text, zone, now; raises `TocsinError`
_ID = re.compile(r"[A-Za-z0-9_.-]+")
# What looks like a template to those who come from other tools.
_OTHER_TEMPLATE = re.compile(
    r"(?<!\{)\{ *\$?\.?(?:labels?|annotations?)\.\w+ *\}(?!\})|\$\{?(?:labels?|annotations?)\.\w+\}?|\$\{?value\b\}?"
)


class Context:
    """Collects problems and knows every name that the files define, for references in any order."""

    def __init__(self, *, now: datetime, read_calendar: ReadCalendar | None = None) -> None:
        self.now = now
        self.read_calendar = read_calendar  # None: calendars are not read, and nobody holds them
        self.problems: list[Problem] = []
        self.names: dict[str, dict[str, Node]] = {}
        self._used: dict[str, set[str]] = {}
        self._zones: dict[str, bool] = {}
        self._matchers: dict[str, tuple[Matcher, ...]] = {}

    def error(self, node: Node, code: str, message: str, hint: str = "") -> None:
        """Report an error at a node."""
        self.problems.append(problem_at(node, code, message, hint))

    def error_inside(self, node: Node, code: str, error: BadMatcher | BadTemplate, key: str) -> None:
        """Report what is wrong at a character of the node's text; the message says which if its column is not known."""
        place = "" if node.inset >= 0 else f" (character {error.at + 1} of {node.text[:80]!r})"
        self.problems.append(problem_inside(node, code, f"{key}: {error}{place}", error.at, error.hint))

    def warn(self, node: Node, code: str, message: str, hint: str = "") -> None:
        """Report something that is legal and probably wrong."""
        self.problems.append(problem_at(node, code, message, hint, severity="warning"))

    def fields(self, node: Node, what: str, known: Iterable[str] | None) -> Fields:
        """Read a node as a mapping with these keys."""
        return Fields(node, self.problems, what=what, known=None if known is None else frozenset(known))

    def define(self, kind: str, key: Node) -> bool:
        """Take a name as defined; False (and a problem that names both places) when it already was."""
        known = self.names.setdefault(kind, {})
        earlier = known.get(key.text)
        if earlier is not None:
            place = f"{earlier.file}:{earlier.line}:{earlier.column}"
            self.error(key, "E305", f"the {kind} {key.text[:60]!r} is already defined at {place}", "rename one of them")
            return False
        known[key.text] = key
        return True

    def refer(self, kind: str, node: Node, name: str, *, also: Iterable[str] = ()) -> bool:
        """Check that a name is defined; the problem stands at the node. `also` are names of other kinds, for hints."""
        self._used.setdefault(kind, set()).add(name)
        known = self.names.get(kind, {})
        if name in known:
            return True
        if len(self.problems) > MAX_HINTS:
            self.error(node, "E309", f"there is no {kind} {name[:60]!r}")
            return False
        other = next((each for each, names in self.names.items() if name in names and each != kind), None)
        hint = _is_another(name[:60], other, kind) if other else did_you_mean(name, [*known, *also])
        defined = "defined: " + ", ".join(sorted(known)[:20]) if known else f"no {kind} is defined"
        self.error(node, "E309", f"there is no {kind} {name[:60]!r}", hint or defined)
        return False

    def use_every(self, kind: str) -> None:
        """Take every name of a kind as referred to, from where it cannot be seen which are."""
        self._used.setdefault(kind, set()).update(self.names.get(kind, ()))

    def warn_of_unused(self, *kinds: str) -> None:
        """Warn of names that are defined and that nothing refers to."""
        for kind in kinds:
            used = self._used.get(kind, set())
            for name, node in self.names.get(kind, {}).items():
                if name not in used and name != DEFAULT_POLICY:
                    self.warn(
                        node, "W327", f"nothing uses the {kind} {name}", "remove it, or name it where it is meant"
                    )

    def refer_text(self, kind: str, node: Node) -> bool:
        """Check that a node is text that names something."""
        text = self.text(node, f"the name of a {kind}")
        return bool(text) and self.refer(kind, node, text)

    def text(self, node: Node, what: str) -> str:
        """Read a node as text that is not empty; "" (and a problem) when it is not."""
        found = as_string(node, self.problems, what, "")
        if not found and node.kind is Kind.STRING:
            self.error(node, "E203", f"{what} is empty")
        return found

    def identifier(self, node: Node, kind: str) -> str:
        """Read an id: letters, digits, `-`, `_`, `.`; "" when it is not one."""
        text = node.text if node.kind in {Kind.INTEGER, Kind.NUMBER} else as_string(node, self.problems, "id", "")
        if node.kind is Kind.INVALID or (not text and node.kind is not Kind.STRING):
            return ""
        if _ID.fullmatch(text) is None or len(text) > MAX_ID:
            mend = re.sub(r"[^A-Za-z0-9_.-]+", "-", text[:MAX_ID]).strip("-")
            allowed = f"letters, digits, '-', '_' and '.', at most {MAX_ID}"
            message = f"{text[:60]!r} cannot be the id of a {kind}; it is made of {allowed}"
            self.error(node, "E304", message, f"write {mend}" if mend else "")
            return ""
        return text

    def matchers(self, fields: Fields, key: str = "match") -> tuple[Matcher, ...]:
        """Read a matcher or a list of them."""
        node = fields.get(key)
        if node is None:
            if key in fields and fields.node.entries[key].kind is Kind.NULL:
                fields.report(key, "E301", f"{key} is empty", "leave it out to match everything")
            return ()
        return self.matchers_at(node, key)

    def matchers_at(self, node: Node, key: str = "match") -> tuple[Matcher, ...]:
        """Read a node that is a matcher or a list of them."""
        if node.kind is Kind.LIST:
            if not node.items:
                self.error(node, "E301", f"{key} is an empty list", "leave it out to match everything")
            return tuple(matcher for item in node.items for matcher in self._matcher(item, key))
        return self._matcher(node, key)

    def _matcher(self, node: Node, key: str) -> tuple[Matcher, ...]:
        if node.kind is not Kind.STRING:
            if node.kind is Kind.MAPPING:
                self.problems.append(
                    wrong_kind(node, key, """text such as 'severity="critical"'""", _as_matchers(node))
                )
                return ()
            as_string(node, self.problems, key, "")
            return ()
        found = self._matchers.get(node.text)
        if found is None:
            try:
                found = parse_matchers(node.text)
            except BadMatcher as error:
                self.error_inside(node, "E302" if isinstance(error, BadRegex) else "E301", error, key)
                return ()
            self._matchers[node.text] = found
        return found

    def words(self, nodes: Iterable[Node], what: str, known: Collection[str]) -> tuple[str, ...]:
        """Read items of a list, each one word of a closed list."""
        found: list[str] = []
        for node in nodes:
            word = as_string(node, self.problems, f"an item of {what}", "")
            if word in known:
                found.append(word)
            elif word or node.kind is Kind.STRING:
                message = f"{what} cannot hold {word[:60]!r}; its items are of {', '.join(known)}"
                self.error(node, "E204", message, meant(word, known))
        return tuple(found)

    def template(self, fields: Fields, key: str) -> str:
        """Read a text that may hold `{{ labels.x }}`."""
        text = fields.string(key, "")
        try:
            check_template(text)
        except BadTemplate as error:
            self.error_inside(fields.node.entries[key], "E310", error, key)
            return ""
        if (other := _OTHER_TEMPLATE.search(text)) is not None:
            message = f"{key}: {other[0][:60]} is text here, and nothing is put in"
            self.warn(fields.node.entries[key], "W339", message, "write it like {{ labels.service }}")
        return text

    def no_template(self, node: Node, what: str) -> None:
        """Refuse a name that looks like a template, where nothing is put in."""
        if node.kind is Kind.STRING and "{{" in node.text:
            self.error(node, "E310", f"nothing is put into {what}", "write the name itself")

    def promql(self, fields: Fields, key: str, *, windowed: bool = False) -> str:
        """Read PromQL that is not obviously wrong; "" when it is absent or is."""
        text, node = fields.string(key, ""), fields.get(key)
        if node is None or node.kind is not Kind.STRING:
            return ""
        found = fault(text, windowed=windowed)
        if found is not None:
            place = f" (near {text[found.at : found.at + 20]!r})" if node.inset < 0 and text.strip() else ""
            message = f"{key}: {found.message}{place}"
            self.problems.append(problem_inside(node, "E314", message, found.at, found.hint))
        return "" if found is not None else text

    def positive(self, fields: Fields, key: str, *, least: timedelta, most: timedelta) -> timedelta | None:
        """Read a duration within bounds; None when it is absent or wrong."""
        found = fields.duration(key, None)
        if found is not None and not least <= found <= most:
            fields.report(key, "E206", f"{key} must lie between {format_duration(least)} and {format_duration(most)}")
            return None
        return found

    def severity(self, fields: Fields, key: str) -> Severity | None:
        """Read a severity."""
        found = fields.choice(key, [severity.value for severity in Severity], None)
        return None if found is None else Severity(found)

    def timezone(self, fields: Fields, key: str = "timezone") -> str:
        """Read the name of an IANA time zone; UTC when it is absent or wrong."""
        name = fields.string(key, "UTC")
        if not self._is_zone(name):
            fields.report(key, "E401", f"there is no time zone {name[:60]!r}", _nearest_zone(name))
            return "UTC"
        return name

    def instant(self, fields: Fields, key: str) -> datetime | None:
        """Read an instant with its offset, as RFC 3339 writes it."""
        text = fields.string(key, None)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None or len(text) < len("2026-12-24T10:00Z"):
            hint = "write it like 2026-12-24T10:00:00+01:00 or 2026-12-24T09:00:00Z"
            fields.report(key, "E402", f"{key}: {text[:40]!r} is not an instant with an offset", hint)
            return None
        return found

    def _is_zone(self, name: str) -> bool:
        if name not in self._zones:
            try:
                ZoneInfo(name)
                self._zones[name] = True
            except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
                self._zones[name] = False
        return self._zones[name]


@lru_cache(maxsize=100)
def _nearest_zone(name: str) -> str:
    """Say which zone is likely meant: of that city, or spelt much like it."""
    city = name.strip().replace(" ", "_").lower()
    zones = sorted(available_timezones())
    of_city = next((zone for zone in zones if zone.rpartition("/")[2].lower() == city), "")
    near = [of_city] if of_city else get_close_matches(name[:64], zones, n=1, cutoff=0.8)
    return f"did you mean '{near[0]}'?" if near else "write it like Europe/Berlin or UTC"


def _is_another(name: str, other: str, wanted: str) -> str:
    mend = f": write a policy with the step {{page: {name}}}" if wanted == "paging policy" else ""
    return f"{name!r} is a {other}{mend}"


def _as_matchers(node: Node) -> str:
    """Say how a mapping from labels to values is written as matchers, or "" when it is something else."""
    if not node.entries or any(value.kind in {Kind.MAPPING, Kind.LIST} for value in node.entries.values()):
        return ""
    written = ", ".join(f'{name}="{value.text}"' for name, value in node.entries.items())
    return f"write '{written}'" if len(written) <= _SHORT else ""
