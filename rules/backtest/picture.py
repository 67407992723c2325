"""The picture of a backtest: a clock of pages, day by day, where what falls into a night is seen at once. Pure."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from incidents.statistics.nights import NIGHT_BEGINS, NIGHT_ENDS
from incidents.values import Severity
from rules.backtest.compare import Comparison
from rules.backtest.outcome import Outcome, WouldPage

WIDTH, LEFT, TOP, HOUR_HEIGHT = 960.0, 48.0, 24.0, 12.0
HOURS = 24
DAYS_LABELLED = 10
INCIDENTS_SHOWN = 1000
RADIUS = {
    Severity.SEV1: 6.0,
    Severity.SEV2: 5.0,
    Severity.SEV3: 4.0,
    Severity.SEV4: 3.0,
}  # size says it, not colour alone


class Dot(NamedTuple):
    """One page on the clock."""

    x: float
    y: float
    radius: float
    severity: Severity
    says: str


class Mark(NamedTuple):
    """A day, and where it stands."""

    x: float
    text: str


class Clock(NamedTuple):
    """Pages by day (across) and hour of the paged person's day (down)."""

    width: float
    height: float
    left: float
    top: float
    hour_height: float
    nights: tuple[tuple[float, float], ...]  # from which height, how high
    hours: tuple[tuple[float, str], ...]
    days: tuple[Mark, ...]
    dots: tuple[Dot, ...]


def clock_of(outcome: Outcome) -> Clock:
    """Return where everything stands."""
    span = max(outcome.until - outcome.since, timedelta(days=1))
    across = WIDTH - LEFT - 8

    def x_of(at: datetime) -> float:
        return round(LEFT + across * ((at - outcome.since) / span), 1)

    def y_of(hour: float) -> float:
        return round(TOP + HOUR_HEIGHT * hour, 1)

    days = int(span / timedelta(days=1))
    every = max(1, -(-days // DAYS_LABELLED))
    marks = (outcome.since + timedelta(days=day) for day in range(0, days + 1, every))
    return Clock(
        width=WIDTH,
        height=y_of(HOURS) + 28,
        left=LEFT,
        top=TOP,
        hour_height=HOUR_HEIGHT,
        nights=((y_of(0), NIGHT_ENDS * HOUR_HEIGHT), (y_of(NIGHT_BEGINS), (HOURS - NIGHT_BEGINS) * HOUR_HEIGHT)),
        hours=tuple((y_of(hour), f"{hour:02d}:00") for hour in range(0, HOURS + 1, 6)),
        days=tuple(Mark(x_of(at), f"{at:%d %b}") for at in marks if x_of(at) < WIDTH - LEFT),
        dots=tuple(_dot(page, x_of(_midday(page)), y_of(_hour(page))) for page in outcome.pages),
    )


def _midday(page: WouldPage) -> datetime:
    return page.local.replace(hour=12, minute=0, second=0, microsecond=0)


def _hour(page: WouldPage) -> float:
    return page.local.hour + page.local.minute / 60


def _dot(page: WouldPage, x: float, y: float) -> Dot:
    says = f"{page.severity} {page.rule}: {page.person} at {page.local:%a %d %b %H:%M} ({page.reason})"
    return Dot(x, y, RADIUS[page.severity], page.severity, says)


def render_html(outcome: Outcome, comparison: Comparison | None = None) -> str:
    """Return a report that stands by itself: one file without script, and whatever an alert said in it is only text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    template = environment.get_template("report.html.j2")
    return template.render(
        outcome=outcome,
        clock=clock_of(outcome),
        comparison=comparison,
        most=max((rule.pages for rule in outcome.rules), default=0) or 1,
        incidents=outcome.incidents[:INCIDENTS_SHOWN],
        left_out=max(0, len(outcome.incidents) - INCIDENTS_SHOWN),
        days=max(1, round((outcome.until - outcome.since) / timedelta(days=1))),
    )
