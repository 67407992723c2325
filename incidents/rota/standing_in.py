"""Who is told that somebody stands in for a rotation, or no longer does, and in which words. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec.structs import replace

from incidents.notices import notices
from incidents.oncall import OnCall, Rotation
from incidents.overrides import MadeOverride, rules_of
from incidents.page import Page
from incidents.rotations import preview

MOST_PEOPLE = 10  # in whose place somebody stands


def told_of_making(made: MadeOverride, oncall: OnCall, ruleset: str, now: datetime) -> list[Page]:
    """Return what tells whoever stands in, and in whose place that is; `oncall` is as it was before."""
    others = list(_holders(oncall.rotations[made.rotation], made, now))
    instead = f" in place of {', '.join(others)}" if others else ""
    note = f": {made.note}" if made.note else ""
    text = f"{made.person} holds the rotation {made.rotation} {_span(made, now)}{instead}, says {made.by}{note}"
    return _told(f"{made.id}-made", text, [made.person, *others], made.by, oncall, ruleset, now)


def told_of_end(made: MadeOverride, by: str, oncall: OnCall, ruleset: str, now: datetime) -> list[Page]:
    """Return what tells whoever stood in, and who has the rotation again; `oncall` is as it was before."""
    rotation = oncall.rotations.get(made.rotation)
    if rotation is None or made.person not in oncall.people:
        return []
    others = list(_holders(_without(rotation, made), made, now))
    again = f"; {', '.join(others)} does again" if others else ""
    text = f"{made.person} no longer holds the rotation {made.rotation} {_span(made, now)}, says {by}{again}"
    return _told(f"{made.id}-ended", text, [made.person, *others], by, oncall, ruleset, now)


def _told(name: str, text: str, people: list[str], by: str, oncall: OnCall, ruleset: str, now: datetime) -> list[Page]:
    return notices(name, text, [person for person in people if person != by], oncall, rules_of(ruleset), now)


def _holders(rotation: Rotation, made: MadeOverride, now: datetime) -> Iterator[str]:
    """Give the people who hold a rotation while an override lasts, each once, but for who stands in."""
    found = (shift.person for shift in preview(rotation, max(made.start, now), made.until))
    people = [person for person in dict.fromkeys(found) if person != made.person]
    yield from people[:MOST_PEOPLE]


def _without(rotation: Rotation, made: MadeOverride) -> Rotation:
    mine = (made.start, made.until, made.person)
    rest = [each for each in rotation.overrides if (each.start, each.until, each.person) != mine]
    return replace(rotation, overrides=tuple(rest))


def _span(made: MadeOverride, now: datetime) -> str:
    begins = f"from {_shown(made.start)} " if made.start > now else ""
    return f"{begins}until {_shown(made.until)}"


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
