"""Reads the times of maintenance of rule files: what they match, and when they are in force. Pure."""

from datetime import datetime

from incidents.maintenance import Maintenance
from incidents.oncall import Hours
from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.nodes import Node
from rules.loading.rotations import read_time
from rules.loading.sections import Sections
from rules.maintaining import is_narrow
from rules.shapes import file as shapes
from rules.shapes.oncall import SHORT_WEEKDAYS, WEEKDAYS

TOO_WIDE = "this holds for alerts without any label, so it would hold back everything"
NARROWER = """name a label that must have a value; for everything write match: 'alertname=~".+"'"""
_DAYS = (*WEEKDAYS, *SHORT_WEEKDAYS)


def load_maintenance(sections: Sections, context: Context) -> tuple[Maintenance, ...]:
    """Read the section `maintenance`."""
    found = (_maintenance(node, context) for node in sections.items("maintenance"))
    return tuple(each for each in found if each is not None)


def weekday_of(name: str) -> int:
    """Return the number of a weekday (0 is Monday) by its name, short or long."""
    return SHORT_WEEKDAYS.index(name[:3])


def _maintenance(node: Node, context: Context) -> Maintenance | None:
    fields = context.fields(node, "maintenance", shapes.MAINTENANCE.keys)
    before = len(context.problems)
    key = fields.node.entries["id"] if fields.require("id", "match") else None
    if key is not None and context.identifier(key, "maintenance"):
        context.define("maintenance", key)
    matchers = context.matchers(fields)
    if matchers and not is_narrow(matchers):
        fields.report("match", "E301", TOO_WIDE, NARROWER)
    weekly, zone, (start, until) = None, "UTC", (None, None)
    if "weekly" in fields:
        weekly, zone = _weekly(fields, context)
    else:
        start, until = _once(fields, context)
    found = Maintenance(
        id=key.text if key is not None else "",
        match=", ".join(map(str, matchers)),
        start=start,
        until=until,
        weekly=weekly,
        timezone=zone,
        author=fields.string("author", ""),
        comment=fields.string("comment", ""),
    )
    if any(problem.severity == "error" for problem in context.problems[before:]):
        return None
    if found.is_endless:
        fields.report("weekly", "E403", "the maintenance never ends: it leaves no minute of the week out")
    return found


def _weekly(fields: Fields, context: Context) -> tuple[Hours | None, str]:
    if "from" in fields or "until" in fields:
        fields.report("weekly", "E311", "maintenance is either weekly, or from an instant until another")
    weekly = fields.fields("weekly", what="weekly", known=shapes.WEEKLY.keys)
    if not weekly.require(*shapes.WEEKLY.needs):
        return None, "UTC"
    days = context.words(weekly.nodes("weekdays"), "weekdays", _DAYS)
    start, until = read_time(context, weekly, "from"), read_time(context, weekly, "until")
    if "timezone" not in weekly:
        context.warn(
            weekly.node, "W312", "weekly without a time zone is in UTC", "add timezone: UTC, or the zone meant"
        )
    zone = context.timezone(weekly)
    if not days or start is None or until is None:
        return None, zone
    return Hours(weekdays=tuple(sorted({weekday_of(day) for day in days})), start=start, until=until), zone


def _once(fields: Fields, context: Context) -> tuple[datetime | None, datetime | None]:
    if "from" not in fields and "until" not in fields:
        fields.report("from", "E203", "maintenance needs 'from' and 'until', or 'weekly'")
        return None, None
    if not fields.require("from", "until"):
        return None, None
    start, until = context.instant(fields, "from"), context.instant(fields, "until")
    if start is not None and until is not None:
        if start >= until:
            fields.report("until", "E403", "the maintenance ends before it begins")
        elif until <= context.now:
            context.warn(fields.node.entries["until"], "W313", "the maintenance is over", "take it out")
    return start, until
