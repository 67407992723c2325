"""The pictures of statistics: times over weeks, load of weeks, nights of people, precision of rules. Pure.

Each is drawn wide, or narrow for a phone: the same figures in one column, with fewer words and ticks.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum

from incidents.statistics.drawing import NARROW, WIDTH, Sheet
from incidents.statistics.values import Group, Spread, Statistics, Week
from incidents.values import Severity

ROWS_SHOWN = 25
LABELS_SHOWN, LABELS_NARROW = 7, 4
NAME_LENGTH = 32
_LEFT, _RIGHT, _ROW, _ROW_NARROW = 52.0, 12.0, 26.0, 56.0
_STRENGTH = {Severity.SEV1: 1.0, Severity.SEV2: 0.7, Severity.SEV3: 0.45, Severity.SEV4: 0.25}
_TIMES = ("detect", "acknowledge", "mitigate", "resolve")
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))


class PictureOf(StrEnum):
    """What can be drawn."""

    TIMES = "times"
    LOAD = "load"
    NIGHTS = "nights"
    PRECISION = "precision"


class PictureWidth(StrEnum):
    """What a picture is drawn for: a desk, or a phone."""

    WIDE = "wide"
    NARROW = "narrow"


def picture_of(
    statistics: Statistics, of: PictureOf, group: Group | None = None, width: PictureWidth = PictureWidth.WIDE
) -> str:
    """Return a picture as SVG; of times and load, of one group alone where it is given."""
    return _DRAWN[of](statistics, group, WIDTH if width is PictureWidth.WIDE else NARROW)


def shown_seconds(seconds: float | None) -> str:
    """Return a duration as people say it, in at most two units: `4m 10s`, `1d 2h`; a hyphen for none."""
    if seconds is None:
        return "-"
    for place, (size, unit) in enumerate(_UNITS):
        if seconds >= size or unit == "s":
            whole, rest = divmod(seconds, size)
            if place + 1 == len(_UNITS):
                return f"{seconds:.0f}s" if seconds >= 1 or not seconds else "under 1s"
            smaller, name = _UNITS[place + 1]
            return f"{whole:.0f}{unit}" + (f" {rest // smaller:.0f}{name}" if rest >= smaller else "")
    raise AssertionError(seconds)


# Weeks


def _times(statistics: Statistics, group: Group | None, width: float) -> str:
    shown = group or statistics
    named = f" of {_cut(group.name)}" if group is not None else ""
    across = 1 if width <= NARROW else 2
    height = 200.0 * len(_TIMES) / across + 4
    sheet = Sheet(height, f"Times by week{named}", "Median and ninetieth percentile of each week", width=width)
    for place, what in enumerate(_TIMES):
        left, top = width / across * (place % across), 200.0 * (place // across)
        _panel(sheet, what, getattr(shown.times, what), _calendar(statistics, shown.weeks), left, top)
    return sheet.render()


def _calendar(statistics: Statistics, weeks: Sequence[Week]) -> list[tuple[str, Week | None]]:
    """Return each week of the statistics with what a group has in it."""
    own = {week.begins_on: week for week in weeks}
    return [(week.begins_on, own.get(week.begins_on)) for week in statistics.weeks]


def _panel(
    sheet: Sheet, what: str, whole: Spread, weeks: Sequence[tuple[str, Week | None]], left: float, top: float
) -> None:
    spreads = [(day, getattr(week.times, what) if week is not None else Spread()) for day, week in weeks]
    most = max([2.0, *(spread.p90 or 0.0 for _, spread in spreads)])  # below that the axis has no words
    across = sheet.width if sheet.is_narrow else sheet.width / 2 - 8
    base, height, width = top + 168, 112.0, across - _LEFT - _RIGHT
    begin = left + _LEFT

    def x_of(place: int) -> float:
        return begin + width * (place + 0.5) / max(len(spreads), 1)

    def y_of(seconds: float) -> float:
        return base - height * seconds / most

    sheet.text(left + 4, top + 18, f"Time to {what}", kind="head", size=15)
    medians = f"median (line) {shown_seconds(whole.median)}, p90 (dashes) {shown_seconds(whole.p90)}"
    figures = medians if sheet.is_narrow else f"{medians}, {_many(whole.count, 'incident')}"
    sheet.text(left + 4, top + 37, figures if whole.count else "none in this time", kind="soft")
    for part in (0.0, 0.5, 1.0):
        sheet.line(begin, base - height * part, begin + width, base - height * part)
        if whole.count:
            sheet.text(
                begin - 6, base - height * part + 4, shown_seconds(most * part), kind="soft", size=11, anchor="end"
            )
    known = [(place, spread) for place, (_, spread) in enumerate(spreads) if spread.count]
    sheet.path([(x_of(place), y_of(spread.p90 or 0)) for place, spread in known], kind="p90")
    sheet.path([(x_of(place), y_of(spread.median or 0)) for place, spread in known], kind="median")
    for place, spread in known:
        sheet.dot(x_of(place), y_of(spread.median or 0), f"Week of {_day(spreads[place][0])}: {_told(spread)}")
    _label_weeks(sheet, [day for day, _ in spreads], x_of, base + 18)


def _told(spread: Spread) -> str:
    return f"median {shown_seconds(spread.median)}, p90 {shown_seconds(spread.p90)}, {_many(spread.count, 'incident')}"


def _load(statistics: Statistics, group: Group | None, width: float) -> str:
    shown = group or statistics
    weeks = _calendar(statistics, shown.weeks)
    has_pages = shown.pages is not None
    named = f" of {_cut(group.name)}" if group is not None else ""
    sheet = Sheet(
        412 if has_pages else 204,
        f"Load by week{named}",
        "Incidents by severity, and pages by day and night",
        width=width,
    )
    legend = ", ".join(f"{number} {severity}" for severity, number in _severities(shown.weeks).items() if number)
    head = _many(shown.incidents, "incident")
    rows = [
        [(severity.value, week.severities.get(severity, 0) if week else 0, severity.value) for severity in Severity]
        for _, week in weeks
    ]
    strengths = {severity.value: strength for severity, strength in _STRENGTH.items()}
    _columns(sheet, (head, legend), [day for day, _ in weeks], rows, strengths, 0)
    if has_pages:
        paged = [_day_and_night(week) for _, week in weeks]
        head, legend = _many(shown.pages or 0, "page"), f"{shown.night_pages or 0} at night (the lower part)"
        _columns(sheet, (head, legend), [day for day, _ in weeks], paged, {"day": 0.45, "night": 1.0}, 208)
    return sheet.render()


def _severities(weeks: Sequence[Week]) -> dict[str, int]:
    return {severity.value: sum(week.severities.get(severity, 0) for week in weeks) for severity in Severity}


def _day_and_night(week: Week | None) -> list[tuple[str, int, str]]:
    pages, night = (week.pages or 0, week.night_pages or 0) if week is not None else (0, 0)
    return [("night", night, "pages at night"), ("day", pages - night, "pages by day")]


def _columns(
    sheet: Sheet,
    head: tuple[str, str],
    days: Sequence[str],
    rows: Sequence[Sequence[tuple[str, int, str]]],
    strengths: Mapping[str, float],
    top: float,
) -> None:
    """Draw a panel of stacked columns, one for each week."""
    most = max((sum(number for _, number, _ in row) for row in rows), default=0) or 1
    base, height, width = top + 168, 116.0, sheet.width - _LEFT - _RIGHT
    each = width / max(len(rows), 1)

    def x_of(place: int) -> float:
        return _LEFT + each * (place + 0.5)

    if sheet.is_narrow:
        sheet.text(4, top + 18, head[0], kind="head", size=15)
        sheet.text(4, top + 37, head[1], kind="soft")
    else:
        sheet.text(4, top + 22, ": ".join(filter(None, head)), kind="head", size=15)
    for part in (0.0, 1.0):
        sheet.line(_LEFT, base - height * part, _LEFT + width, base - height * part)
        sheet.text(_LEFT - 6, base - height * part + 4, f"{most * part:.0f}", kind="soft", size=11, anchor="end")
    thick = min(each * 0.7, 56.0)
    for place, row in enumerate(rows):
        y = base
        for kind, number, name in row:
            tall = height * number / most
            y -= tall
            says = f"Week of {_day(days[place])}: {number} {name}"
            sheet.bar(x_of(place) - thick / 2, y, thick, tall, kind=kind, says=says, strength=strengths[kind])
    _label_weeks(sheet, days, x_of, base + 18)


def _label_weeks(sheet: Sheet, days: Sequence[str], x_of: Callable[[int], float], y: float) -> None:
    every = max(1, -(-len(days) // (LABELS_NARROW if sheet.is_narrow else LABELS_SHOWN)))
    for place in range(0, len(days), every):
        sheet.text(x_of(place), y, _day(days[place]), kind="soft", size=11, anchor="middle")


# People and rules


def _nights(statistics: Statistics, group: Group | None, width: float) -> str:
    del group
    people = statistics.people[:ROWS_SHOWN]
    rows = [
        (
            load.person,
            [("night", load.night_pages, "pages at night"), ("day", load.pages - load.night_pages, "pages by day")],
            f"{load.night_pages} of {_many(load.pages, 'page')} at night; commanded {load.incidents}",
        )
        for load in people
    ]
    strengths = {"night": 1.0, "day": 0.45}
    return _rows("Pages of each person, at night first", rows, strengths, len(statistics.people) - len(people), width)


def _precision(statistics: Statistics, group: Group | None, width: float) -> str:
    del group
    rules = statistics.rules[:ROWS_SHOWN]
    rows = [
        (
            each.rule,
            [("good", each.resolved, "resolved"), ("bad", each.dismissed, "dismissed"), ("wait", each.open, "open")],
            ("no incident closed yet" if each.precision is None else f"{each.precision:.0%} precise")
            + f", {each.dismissed} of {each.declared} dismissed",
        )
        for each in rules
    ]
    strengths = {"good": 0.8, "bad": 0.45, "wait": 0.2}
    head = "Precision of each rule: what was not dismissed"
    return _rows(head, rows, strengths, len(statistics.rules) - len(rules), width)


def _rows(
    head: str,
    rows: Sequence[tuple[str, Sequence[tuple[str, int, str]], str]],
    strengths: Mapping[str, float],
    left_out: int,
    width: float,
) -> str:
    """Draw named bars beneath one another; on a narrow sheet the words stand above and below each bar."""
    each = _ROW_NARROW if width <= NARROW else _ROW
    sheet = Sheet(48 + each * len(rows) + _ROW * (bool(left_out) or not rows), head, "One bar for each", width=width)
    sheet.text(4, 22, head.partition(": ")[0] if sheet.is_narrow else head, kind="head", size=15)
    most = max((sum(number for _, number, _ in parts) for _, parts, _ in rows), default=0) or 1
    begin, wide, thick = (4.0, width - 8, 12.0) if sheet.is_narrow else (240.0, 380.0, _ROW - 8)
    for place, (name, parts, says) in enumerate(rows):
        y = 40 + each * place
        if sheet.is_narrow:
            sheet.text(begin, y + 10, _cut(name))
            sheet.text(begin, y + 43, says, kind="soft", size=12)
            y += 16
        else:
            sheet.text(begin - 10, y + 14, _cut(name), anchor="end")
            sheet.text(begin + wide + 12, y + 14, says, kind="soft", size=12)
        _bars(sheet, name, parts, strengths, (begin, y, wide / most, thick))
    if not rows:
        sheet.text(4, 54, "none in this time", kind="soft")
    if left_out:
        sheet.text(4, 40 + each * len(rows) + 14, f"and {left_out} more", kind="soft")
    return sheet.render()


def _bars(
    sheet: Sheet,
    name: str,
    parts: Sequence[tuple[str, int, str]],
    strengths: Mapping[str, float],
    place: tuple[float, float, float, float],
) -> None:
    """Draw the parts of one bar beside one another, from a place on, each so wide for one and so thick."""
    x, y, scale, thick = place
    for kind, number, what in parts:
        says = f"{name}: {number} {what}"
        sheet.bar(x, y, scale * number, thick, kind=kind, says=says, strength=strengths[kind])
        x += scale * number


def _cut(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%-d %b}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


_DRAWN: Mapping[PictureOf, Callable[[Statistics, Group | None, float], str]] = {
    PictureOf.TIMES: _times,
    PictureOf.LOAD: _load,
    PictureOf.NIGHTS: _nights,
    PictureOf.PRECISION: _precision,
}
