"""Reads rotations and their overrides, and refuses those that leave somebody's hour uncovered."""

from datetime import UTC, date, datetime, time, timedelta

from incidents.oncall import Override, Rotation
from incidents.rotations import gaps
from rules.fields import Fields
from rules.load_context import Context
from rules.shapes import oncall as shapes
from rules.yaml import Kind, Node

DAYS_AHEAD = 90
_SHORT = {name: place for place, name in enumerate(shapes.SHORT_WEEKDAYS)}
_LEAST = timedelta(hours=1)
_MOST = timedelta(days=366)
_EPOCH = date(2026, 1, 5)


def load_rotations(node: Node, context: Context) -> dict[str, Rotation]:
    """Read every rotation; one with an error in it is not checked for gaps."""
    rotations: dict[str, Rotation] = {}
    for name, entry in node.entries.items():
        if context.identifier(node.keys[name], "rotation"):
            before = len(context.problems)
            rotation = _rotation(name, entry, context)
            rotations[name] = rotation
            if not any(problem.severity == "error" for problem in context.problems[before:]):
                _check_cover(rotation, node.keys[name], context)
    return rotations


def _rotation(name: str, node: Node, context: Context) -> Rotation:
    fields = context.fields(node, "a rotation", shapes.ROTATION.keys)
    fields.require("order")
    order = fields.nodes("order")
    if fields.get("order") is not None and not order:
        fields.report("order", "E407", "a rotation needs at least one person")
    people = tuple(item.text for item in order if context.refer_text("person", item))
    handoff = fields.fields("handoff", what="a handoff", known=shapes.HANDOFF.keys)
    if len(order) == 1:
        message = f"the rotation {name} has one person, who is always on call"
        context.warn(fields.node.keys["order"], "W304", message, "add people to its order")
    return Rotation(
        id=name,
        timezone=context.timezone(fields),
        order=people,
        every=context.positive(handoff, "every", least=_LEAST, most=_MOST) or timedelta(weeks=1),
        weekday=_weekday(handoff),
        at=read_time(context, handoff, "at") or time(9, 0),
        starting=_day(context, handoff, "starting"),
        overrides=_overrides(fields, context),
    )


def _weekday(fields: Fields) -> int | None:
    found = fields.choice("weekday", (*shapes.WEEKDAYS, *_SHORT), None)
    return None if found is None else _SHORT[found[:3]]


def read_time(context: Context, fields: Fields, key: str) -> time | None:
    """Read a time of the day, `HH:MM`; None when it is absent or wrong."""
    node = fields.get(key)
    if node is None:
        return None
    try:
        found = time.fromisoformat(node.text) if node.kind is Kind.STRING and len(node.text) == len("10:00") else None
    except ValueError:
        found = None
    if found is None:
        context.error(node, "E402", f"{key} is not a time of the day", 'write it like "10:00"')
    return found


def _day(context: Context, fields: Fields, key: str) -> date:
    node = fields.get(key)
    if node is None:
        return _EPOCH
    try:
        return date.fromisoformat(node.text if len(node.text) == len("2026-01-05") else "")
    except ValueError:
        context.error(node, "E402", f"{key} is not a day", "write it like 2026-01-05")
        return _EPOCH


# ----------------------------------------------------------------------------------------------------------- overrides


def _overrides(fields: Fields, context: Context) -> tuple[Override, ...]:
    found: list[Override] = []
    for node in fields.nodes("overrides"):
        override = _override(node, context)
        if override is None:
            continue
        met = next((other for other in found if override.start < other.until and other.start < override.until), None)
        if met is not None:
            message = f"the override overlaps the one from {met.start.isoformat()}"
            context.error(node, "E403", message, "shorten one of them")
        found.append(override)
    return tuple(found)


def _override(node: Node, context: Context) -> Override | None:
    fields = context.fields(node, "an override", shapes.OVERRIDE.keys)
    if not fields.require(*shapes.OVERRIDE.needs):
        return None
    start, until = context.instant(fields, "from"), context.instant(fields, "until")
    person = fields.node.entries["person"]
    if not context.refer_text("person", person) or start is None or until is None:
        return None
    if start >= until:
        fields.report("until", "E403", "the override ends before it begins")
        return None
    return Override(start=start, until=until, person=person.text, note=fields.string("note", ""))


def _check_cover(rotation: Rotation, key: Node, context: Context) -> None:
    for start, until in gaps(rotation, start=context.now, days=DAYS_AHEAD)[:3]:
        span = f"from {_show(start)} until {_show(until)}"
        context.error(key, "E404", f"nobody holds the rotation {rotation.id} {span}", "add people to its order")


def _show(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
