"""Prints what commands have to say: tables on a terminal, plain aligned lines into a pipe, or JSON.

Texts come from alerts and people elsewhere: control characters are made visible, so that they steer no terminal.
"""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import click
import msgspec
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from incidents.clock import utc_now

TEXT, JSON = "text", "json"
FORMATS = (TEXT, JSON)
GAP = 2  # between columns
WRAPPED = (28, 20, 14)  # what is longer may be wrapped on a terminal: the more, the narrower it is
FIRST_WRAPPED = 40  # the first column holds what is copied: ids

SEVERITY_STYLES = {"SEV1": "bold red", "SEV2": "red", "SEV3": "yellow", "SEV4": "cyan"}
STATUS_STYLES = {
    "declared": "bold red",
    "acknowledged": "yellow",
    "mitigated": "cyan",
    "resolved": "green",
    "dismissed": "dim",
    "firing": "red",
    "ok": "green",
    "warn": "yellow",
    "FAIL": "bold red",
}
STYLES = SEVERITY_STYLES | STATUS_STYLES


class Cell(NamedTuple):
    """A text that is shown in a style of its own on a terminal."""

    text: str
    style: str = ""


class Out:
    """Where a command prints to, and how."""

    def __init__(self, output: str) -> None:
        self.is_json = output == JSON
        self._is_terminal = sys.stdout.isatty()

    def json(self, value: Any) -> None:  # noqa: ANN401 - any JSON
        """Print a value as JSON."""
        click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())

    def json_line(self, value: Any) -> None:  # noqa: ANN401 - any JSON
        """Print a value as JSON on one line, at once."""
        click.echo(msgspec.json.encode(value))

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line."""
        if self._is_terminal:
            Console(highlight=False).print(Text(clean(text), style=style), soft_wrap=True)
        else:
            click.echo(clean(text))

    def raw(self, text: str) -> None:
        """Print a text of our own as it is, to be copied."""
        click.echo(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str | Cell]], *, spare: Sequence[str] = ()) -> None:
        """Print rows under their columns; the words of severities and statuses have their colours.

        Columns that are `spare` are left out, the first first, where a terminal is too narrow for all.
        """
        cells = [[_cell(value) for value in row] for row in rows]
        console = Console(highlight=False)
        table = fitting_table(columns, cells, spare, console.width) if self._is_terminal else None
        if table is None:
            _aligned(columns, cells)
        else:
            console.print(table)

    def fields(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Print names with their values, aligned; those without a value are left out."""
        shown = [(name, value) for name, value in pairs if value]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.line(f"{name:<{width}}  {value}")


def fitting_table(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]], spare: Sequence[str], room: int
) -> Table | None:
    """Return the table for a terminal, or None when even the narrowest one has no room."""
    widths = [
        max(cell_len(text) for text in (name, *(row[at].text for row in rows))) for at, name in enumerate(columns)
    ]
    fitting = _fitting(columns, widths, spare, room)
    if fitting is None:
        return None
    shown, kept = fitting
    table = Table(box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    for at in shown:
        table.add_column(columns[at], overflow="fold", no_wrap=widths[at] <= kept[at])
    for row in rows:
        table.add_row(*(Text(row[at].text, style=row[at].style) for at in shown))
    return table


def _fitting(
    columns: Sequence[str], widths: Sequence[int], spare: Sequence[str], room: int
) -> tuple[list[int], list[int]] | None:
    """Return which columns there is room for, and up to which width each is kept whole."""
    shown = list(range(len(columns)))
    goes = [columns.index(name) for name in spare]
    for longest in WRAPPED:
        kept = [FIRST_WRAPPED if at == 0 else longest for at in range(len(columns))]
        while sum(min(widths[at], kept[at]) + GAP for at in shown) > room + GAP:
            if not goes:
                break
            shown.remove(goes.pop(0))
        else:
            return shown, kept
    return None


def _cell(value: str | Cell) -> Cell:
    text, style = value if isinstance(value, Cell) else (value, STYLES.get(value, ""))
    return Cell(one_line(text), style)


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    texts = [list(columns), *([cell.text for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(columns))]
    for row in texts:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def clean(text: str) -> str:
    """Return a text with its control characters made visible; line breaks stay."""
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def one_line(text: str) -> str:
    """Return a text as one clean line."""
    return clean(" ".join(text.split("\n")))


def instant(text: str | None) -> str:
    """Return an instant of the API as people read it: `2026-11-02 03:00:00Z`, "" for none."""
    return f"{text[:10]} {text[11:19]}Z" if text else ""


def age(text: str | None, now: datetime | None = None) -> str:
    """Return how long ago an instant of the API was, in its two largest units."""
    if not text:
        return ""
    return span((now or utc_now()) - datetime.fromisoformat(text))


def span(duration: timedelta) -> str:
    """Return a duration in its two largest units: `3d 4h`, `5m 10s`."""
    seconds = max(int(duration.total_seconds()), 0)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number or (unit == "s" and not parts):
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2])


def pairs(labels: dict[str, str]) -> str:
    """Return labels as `name="value"`, in their order."""
    return " ".join(f'{name}="{value}"' for name, value in labels.items())
