"""Reads test files: strictly, every error of a file at once, each with its place. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from incidents.timeline import EntryKind
from incidents.values import Criterion, IncidentStatus, PageReason, Severity
from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.nodes import Kind, Node
from rules.loading.sections import SourceFile
from rules.loading.yaml import read_yaml
from rules.testing.load_events import EVENT_KEYS, read_event, read_labels
from rules.testing.model import START, Expectation, Given, Step, Test, TestFile, Wanted

FILE_KEYS = ("rule_files", "calendars", "start", "tests")
TEST_KEYS = ("name", "start", "events", "expect", "todo")
EXPECT_KEYS = (
    "at",
    "incidents",
    "would_declare",
    "pages",
    "escalations",
    "timeline",
    "no_timeline",
    "no_incidents",
    "no_pages",
)
LONGEST = timedelta(days=366)
MOST_REPEATS = 100_000

Reader = Callable[[Fields, str, Context], Any]


def _text(fields: Fields, key: str, context: Context) -> str | None:
    del context
    return fields.string(key, None)


def _number(fields: Fields, key: str, context: Context) -> int | None:
    del context
    return fields.integer(key, None)


def _flag(fields: Fields, key: str, context: Context) -> bool | None:
    del context
    return fields.boolean(key, None)


def _span(fields: Fields, key: str, context: Context) -> timedelta | None:
    del context
    return fields.duration(key, None)


def _texts(fields: Fields, key: str, context: Context) -> tuple[str, ...] | None:
    del context
    return fields.strings(key, None)


def _labels(fields: Fields, key: str, context: Context) -> dict[str, str] | None:
    return read_labels(fields, key, context)


def _counts(fields: Fields, key: str, context: Context) -> dict[str, int] | None:
    del context
    inner = fields.fields(key, what=key, known=("firing", "resolved"))
    found = {name: inner.integer(name, 0) for name in ("firing", "resolved") if name in inner}
    return found or None


def _word(words: type[Any]) -> Reader:
    known = tuple(word.value for word in words)
    return lambda fields, key, _context: fields.choice(key, known, None)


INCIDENT: dict[str, Reader] = {
    "id": _text,
    "identity": _labels,
    "severity": _word(Severity),
    "status": _word(IncidentStatus),
    "rule": _text,
    "criterion": _word(Criterion),
    "title": _text,
    "summary": _text,
    "runbook": _text,
    "findings": _texts,
    "commander": _text,
    "acknowledged_by": _text,
    "alerts": _counts,
    "stakeholders": _texts,
    "restricted": _flag,
    "declared_at": _span,
    "acknowledged_at": _span,
    "mitigated_at": _span,
    "resolved_at": _span,
}
WOULD_BE: dict[str, Reader] = {
    "rule": _text,
    "criterion": _word(Criterion),
    "severity": _word(Severity),
    "identity": _labels,
    "declared_at": _span,
    "alerts": _number,
}
PAGE: dict[str, Reader] = {
    "to": _text,
    "at": _span,
    "step": _number,
    "round": _number,
    "role": _text,
    "reason": _word(PageReason),
    "incident": _text,
    "outcome": lambda fields, key, _context: fields.choice(key, ("delivered", "failed", "suppressed"), None),
}
ENTRY: dict[str, Reader] = {
    "at": _span,
    "kind": _word(EntryKind),
    "by": _text,
    "text": _text,
    "incident": _text,
}


def load_test_file(file: SourceFile, now: datetime) -> TestFile:
    """Read a test file; never raises for what it says."""
    context = Context(now=now)
    root = context.fields(read_yaml(file.text, file.name, context.problems), "a test file", FILE_KEYS)
    start = context.instant(root, "start") or START
    if root.node.kind is not Kind.INVALID and not root.nodes("tests"):
        root.report("tests", "E601", "a test file needs `tests`, a list of at least one test")
    tests = tuple(_test(node, start, context) for node in root.nodes("tests"))
    return TestFile(
        name=file.name,
        rule_files=root.strings("rule_files", (), single=True),
        calendars=_calendars(root, context),
        tests=tests,
        problems=tuple(sorted(dict.fromkeys(context.problems), key=lambda each: (each.line, each.column))),
    )


def _calendars(root: Fields, context: Context) -> tuple[Given, ...]:
    """Read whose turns are taken from which calendar: a file beside the test file, or the text of one."""
    fields = root.fields("calendars", what="calendars", known=None)
    found = (Given(name, node) for name, node in fields.node.entries.items())
    return tuple(given for given in found if context.text(given.node, given.rotation))


def _test(node: Node, start: datetime, context: Context) -> Test:
    fields = context.fields(node, "a test", TEST_KEYS)
    fields.require("name", "expect")
    name = fields.get("name")
    if name is not None and name.kind is Kind.STRING:
        context.define("test", name)
    if fields.get("expect") is not None and not fields.nodes("expect"):
        fields.report("expect", "E602", "a test expects something", "add an item such as {at: 10m, no_incidents: true}")
    steps = [step for each in fields.nodes("events") for step in _steps(each, context)]
    expectations = (_expectation(each, context) for each in fields.nodes("expect"))
    if "todo" in fields and not fields.string("todo", ""):
        fields.report("todo", "E603", "todo needs a reason: what is missing until the test can pass")
    return Test(
        name=fields.string("name", ""),
        node=node,
        start=context.instant(fields, "start") or start,
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        expectations=tuple(sorted(expectations, key=lambda expectation: expectation.at)),
        todo=fields.string("todo", ""),
    )


def _steps(node: Node, context: Context) -> list[Step]:
    """Read an event; one with `repeat` is so many, evenly spread over the span `over`."""
    fields = context.fields(node, "an event", EVENT_KEYS)
    at = _at(fields, context)
    make = read_event(fields, context)
    repeat = fields.integer("repeat", 1, least=1, most=MOST_REPEATS)
    over = context.positive(fields, "over", least=timedelta(), most=LONGEST) or timedelta()
    if make is None:
        return []
    return [Step(at + over * number / repeat, node, make, number + 1) for number in range(repeat)]


def _at(fields: Fields, context: Context) -> timedelta:
    if not fields.require("at"):
        return timedelta()
    return context.positive(fields, "at", least=timedelta(), most=LONGEST) or timedelta()


def _expectation(node: Node, context: Context) -> Expectation:
    fields = context.fields(node, "an expectation", EXPECT_KEYS)
    at = _at(fields, context)
    if fields.node.kind is Kind.MAPPING and not set(fields.node.entries) - {"at"}:
        fields.report("at", "E602", "an expectation says what has to be so", f"add one of {', '.join(EXPECT_KEYS[1:])}")
    return Expectation(
        at=at,
        node=node,
        incidents=_list(fields, "incidents", "no_incidents", INCIDENT, context),
        would_declare=_list(fields, "would_declare", "", WOULD_BE, context),
        pages=_list(fields, "pages", "no_pages", PAGE, context),
        escalations=_list(fields, "escalations", "", PAGE, context),
        timeline=_wanted(fields, "timeline", ENTRY, context),
        no_timeline=_wanted(fields, "no_timeline", ENTRY, context),
    )


def _list(fields: Fields, key: str, none: str, known: dict[str, Reader], context: Context) -> tuple[Wanted, ...] | None:
    """Read a complete list; `none` is the key that says that it is empty."""
    if none and none in fields:
        if fields.boolean(none, None) is False:
            fields.report(none, "E602", f"{none} is true or left out", f"list what you expect under {key}")
        if key in fields:
            fields.report(none, "E602", f"{none} and {key} cannot both be said")
        return ()
    return _wanted(fields, key, known, context) if key in fields else None


def _wanted(fields: Fields, key: str, known: dict[str, Reader], context: Context) -> tuple[Wanted, ...]:
    return tuple(_one(node, key, known, context) for node in fields.nodes(key))


def _one(node: Node, key: str, known: dict[str, Reader], context: Context) -> Wanted:
    timed = ("timeline",) if known is INCIDENT else ()
    fields = context.fields(node, f"an item of {key}", (*known, *timed))
    found = {name: known[name](fields, name, context) for name in fields.node.entries if name in known}
    timeline = _wanted(fields, "timeline", ENTRY, context) if timed else ()
    return Wanted(node, {name: value for name, value in found.items() if value is not None}, timeline)
