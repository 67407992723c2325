"""Reads rotations and their overrides, and refuses those that leave somebody's hour uncovered."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from incidents.oncall import Hours, Layer, Override, Rotation, Term
from incidents.rotations import gaps
from rules.loading.calendars import CalendarFiles
from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.nodes import Kind, Node
from rules.shapes import oncall as shapes

DAYS_AHEAD = 90
_SHORT = {name: place for place, name in enumerate(shapes.SHORT_WEEKDAYS)}
_LEAST = timedelta(hours=1)
_MOST = timedelta(days=366)
_EPOCH = date(2026, 1, 5)


def load_rotations(node: Node, calendars: CalendarFiles, context: Context) -> dict[str, Rotation]:
    """Read every rotation; one with an error in it is not checked for gaps."""
    rotations: dict[str, Rotation] = {}
    for name, entry in node.entries.items():
        if context.identifier(node.keys[name], "rotation"):
            before = len(context.problems)
            rotation = _rotation(name, entry, calendars, context)
            rotations[name] = rotation
            if not any(problem.severity == "error" for problem in context.problems[before:]):
                _warn_of_one(rotation, entry, context)
                _check_cover(rotation, node.keys[name], context)
    return rotations


def _rotation(name: str, node: Node, calendars: CalendarFiles, context: Context) -> Rotation:
    fields = context.fields(node, shapes.ROTATION.what, shapes.ROTATION.keys)
    own = _LayerReader(fields, context, calendars)
    overrides = _overrides(fields, context)
    if "calendar" in fields and "layers" not in fields:
        return Rotation(id=name, timezone=own.timezone, layers=(own.layer(),), overrides=overrides)
    if "layers" not in fields:
        told = msgspec.structs.asdict(own.layer())
        del told["calendar"], told["turns"]
        return Rotation(id=name, overrides=overrides, **told)
    for key in ("order", "hours", "calendar"):
        if key in fields:
            message = f"a rotation that has layers cannot have {key} beside them"
            fields.report(key, "E311", message, "put it into a layer")
    nodes = fields.nodes("layers")
    if not nodes and fields.get("layers") is not None:
        fields.report("layers", "E407", "a rotation needs at least one layer")
    each_fields = [context.fields(each, shapes.LAYER.what, shapes.LAYER.keys) for each in nodes]
    readers = [_LayerReader(each, context, calendars, own) for each in each_fields]
    return Rotation(id=name, layers=tuple(reader.layer() for reader in readers), overrides=overrides)


class _LayerReader:
    """Reads the people, the handoffs and the hours of a layer; what it does not say it takes from the rotation."""

    def __init__(
        self, fields: Fields, context: Context, calendars: CalendarFiles, rotation: "_LayerReader | None" = None
    ) -> None:
        self._fields = fields
        self._context = context
        self._calendars = calendars
        self.timezone: str = context.timezone(fields) if rotation is None or "timezone" in fields else rotation.timezone
        handoff = fields if rotation is None or "handoff" in fields else rotation.handoff_of
        self.handoff_of: Fields = handoff
        self._handoff = handoff.fields("handoff", what=shapes.HANDOFF.what, known=shapes.HANDOFF.keys)

    def layer(self) -> Layer:
        """Return the layer."""
        context, fields, handoff = self._context, self._fields, self._handoff
        if "calendar" in fields:
            return self._calendars.layer(fields, self.timezone, context)
        fields.require("order")
        nodes = fields.nodes("order")
        if (order := fields.get("order")) is not None and order.kind is Kind.LIST and not nodes:
            fields.report("order", "E407", "a rotation needs at least one person")
        members = [member for node in nodes if (member := self._member(node)) is not None]
        terms = tuple(term for _, term in members)
        return Layer(
            timezone=self.timezone,
            order=tuple(person for person, _ in members),
            terms=terms if any(term != Term() for term in terms) else (),
            every=context.positive(handoff, "every", least=_LEAST, most=_MOST) or timedelta(weeks=1),
            weekday=_weekday(handoff),
            at=read_time(context, handoff, "at") or time(9, 0),
            starting=_day(context, handoff, "starting") or _EPOCH,
            hours=self._hours(),
        )

    def _member(self, node: Node) -> tuple[str, Term] | None:
        if node.kind is not Kind.MAPPING:
            return (node.text, Term()) if self._context.refer_text("person", node) else None
        fields = self._context.fields(node, shapes.MEMBER.what, shapes.MEMBER.keys)
        if not fields.require(*shapes.MEMBER.needs):
            return None
        person = fields.node.entries["person"]
        term = Term(joins=_day(self._context, fields, "from"), leaves=_day(self._context, fields, "until"))
        if term.joins is not None and term.leaves is not None and term.joins >= term.leaves:
            fields.report("until", "E403", "the member leaves before joining")
        return (person.text, term) if self._context.refer_text("person", person) else None

    def _hours(self) -> tuple[Hours, ...]:
        nodes = self._fields.nodes("hours")
        if self._fields.get("hours") is not None and not nodes:
            self._fields.report("hours", "E303", "hours is an empty list", "leave it out for all hours")
        return tuple(hours for node in nodes if (hours := self._one_of_hours(node)) is not None)

    def _one_of_hours(self, node: Node) -> Hours | None:
        fields = self._context.fields(node, shapes.HOURS.what, shapes.HOURS.keys)
        if not fields.require(*shapes.HOURS.needs):
            return None
        return read_hours(self._context, fields)


def read_hours(context: Context, fields: Fields) -> Hours | None:
    """Read the days and times of hours; None when a time is absent or wrong."""
    start, until = read_time(context, fields, "from"), read_time(context, fields, "until")
    days = context.words(fields.nodes("weekdays"), "weekdays", (*shapes.WEEKDAYS, *_SHORT))
    if fields.get("weekdays") is not None and not fields.nodes("weekdays"):
        fields.report("weekdays", "E303", "weekdays is an empty list", "leave it out for all days")
    weekdays = tuple(sorted({_SHORT[day[:3]] for day in days})) or tuple(_SHORT.values())
    return None if start is None or until is None else Hours(weekdays=weekdays, start=start, until=until)


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


def _day(context: Context, fields: Fields, key: str) -> date | None:
    node = fields.get(key)
    if node is None:
        return None
    try:
        return date.fromisoformat(node.text if len(node.text) == len("2026-01-05") else "")
    except ValueError:
        context.error(node, "E402", f"{key} is not a day", "write it like 2026-01-05")
        return None


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


def _warn_of_one(rotation: Rotation, node: Node, context: Context) -> None:
    if any(layer.calendar for layer in rotation.layers):
        return
    terms = [term for layer in rotation.every_layer for term in _terms(layer)]
    people = {person for person, _ in terms}
    today = context.now.date()
    left = {person: term.leaves for person, term in terms if term.leaves is not None and term.leaves <= today}
    if len(people - left.keys()) != 1:
        return
    gone = ", ".join(f"{person} left on {day}" for person, day in left.items())
    message = f"the rotation {rotation.id} has one person, who is always on call{f', since {gone}' if gone else ''}"
    place = node.keys.get("order") or node.keys.get("layers") or node
    context.warn(place, "W304", message, "add people to its order")


def _terms(layer: Layer) -> list[tuple[str, Term]]:
    return list(zip(layer.order, layer.terms or [Term()] * len(layer.order), strict=True))


def _check_cover(rotation: Rotation, key: Node, context: Context) -> None:
    if any(layer.calendar is not None and not layer.turns for layer in rotation.layers):
        if all(layer.calendar is not None for layer in rotation.layers):
            message = f"nobody holds the rotation {rotation.id} until its calendar has been read"
            context.warn(key, "W330", message, "add a layer of people at the bottom")
            return
        layers = tuple(layer for layer in rotation.layers if layer.calendar is None)
        rotation = msgspec.structs.replace(rotation, layers=layers)
    has_calendar = any(layer.calendar is not None for layer in rotation.layers)
    has_hours = has_calendar or any(layer.hours for layer in rotation.every_layer)
    hint = "add a layer without hours at the bottom" if has_hours else "add people to its order"
    # Nobody keeps a calendar for 90 days ahead; and one that was complete yesterday must not stop a reload today.
    report, code = (context.warn, "W331") if has_calendar else (context.error, "E404")
    for start, until in gaps(rotation, start=context.now, days=DAYS_AHEAD)[:3]:
        span = f"from {_show(start)} until {_show(until)}"
        report(key, code, f"nobody holds the rotation {rotation.id} {span}", hint)


def _show(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
