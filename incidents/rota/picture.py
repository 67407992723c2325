"""The plan of rotations as a picture (SVG): a line for each rotation, a bar for each shift. Pure.

It stands by itself: no script, no font, nothing from elsewhere. Colours follow people, but names say it too, in the bar
where they fit, in the legend and to whoever points at a bar or has it read aloud.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from incidents.oncall import Person
from incidents.rotations import Shift

WIDTH, LEFT, TOP, ROW, BAR, LEGEND_ROW = 960, 140, 40, 40, 28, 24
LETTER = 7.2  # how wide a letter of a label is, about
NAMED = 26.0  # bars narrower than this bear no name
DATE_WIDTH = 72
DAYS_NAMED = 14
# Light enough for dark letters.
COLOURS = ("#9ecae9", "#ffbf79", "#88d27a", "#f2cf5b", "#d6a5c9", "#9ad0c6", "#ff9d98", "#d8b5a5", "#bab0ac", "#b5cf6b")
_DAY = timedelta(days=1)


class Bar(NamedTuple):
    """One shift: where it stands, its colour, its label if it fits, and what it says."""

    x: float
    width: float
    colour: str
    label: str
    says: str
    override: bool


class Row(NamedTuple):
    """One rotation."""

    y: int
    name: str
    bars: tuple[Bar, ...]


class Mark(NamedTuple):
    """A day: where it begins, and its date where there is room."""

    x: float
    width: float
    text: str
    is_weekend: bool


def picture_of(
    shifts: Mapping[str, Sequence[Shift]], people: Mapping[str, Person], start: datetime, until: datetime
) -> str:
    """Return the SVG of the shifts of each rotation between two instants, days and times in UTC."""
    colours = _colours(shifts)
    frame = _Frame(start, until)
    rows = tuple(
        Row(TOP + place * ROW, name, tuple(frame.bar(shift, _name(people, shift.person), colours) for shift in listed))
        for place, (name, listed) in enumerate(shifts.items())
    )
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    legend = tuple((colour, _name(people, person)) for person, colour in colours.items())
    bottom = TOP + ROW * len(rows)
    return environment.get_template("picture.svg.j2").render(
        rows=rows,
        days=tuple(frame.days()),
        legend=legend,
        start=start,
        until=until,
        width=WIDTH,
        height=bottom + LEGEND_ROW * (1 + len(legend) // 6) + 8,
        left=LEFT,
        top=TOP,
        bottom=bottom,
        bar_height=BAR,
    )


class _Frame:
    """Turns instants into places."""

    def __init__(self, start: datetime, until: datetime) -> None:
        self._start, self._until = start, until

    def x_of(self, at: datetime) -> float:
        """Return where an instant stands, held between the edges."""
        share = (at - self._start) / (self._until - self._start)
        return round(LEFT + (WIDTH - LEFT) * min(max(share, 0.0), 1.0), 1)

    def bar(self, shift: Shift, name: str, colours: Mapping[str, str]) -> Bar:
        """Return the bar of a shift."""
        x, end = self.x_of(shift.start), self.x_of(shift.until)
        width = max(round(end - x, 1), 1.0)
        room = int((width - 8) / LETTER)
        label = "" if width < NAMED else name if len(name) <= room else name[: max(room - 1, 1)] + "…"
        says = f"{name}, {shift.start:%a %d %b %H:%M} to {shift.until:%a %d %b %H:%M} UTC"
        return Bar(
            x, width, colours[shift.person], label, says + (" (override)" if shift.override else ""), shift.override
        )

    def days(self) -> Iterator[Mark]:
        """Return every day, those with a date named so that they do not run into each other."""
        first = self._start.replace(hour=0, minute=0, second=0, microsecond=0)
        total = -(-(self._until - first) // _DAY)
        for number in range(total):
            day = first + _DAY * number
            x, end = self.x_of(day), self.x_of(day + _DAY)
            named = day.weekday() == 0 if total > DAYS_NAMED else True
            spaced = (total <= DAYS_NAMED * 7 or day.day <= 7) and x <= WIDTH - DATE_WIDTH
            yield Mark(x, round(end - x, 1), f"{day:%a %d %b}" if named and spaced else "", day.weekday() >= 5)


def _colours(shifts: Mapping[str, Sequence[Shift]]) -> dict[str, str]:
    people = sorted({shift.person for listed in shifts.values() for shift in listed})
    return {person: COLOURS[place % len(COLOURS)] for place, person in enumerate(people)}


def _name(people: Mapping[str, Person], person: str) -> str:
    known = people.get(person)
    return known.name if known is not None and known.name else person
