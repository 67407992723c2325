"""`tocsin statistics`: times, load, nights and the precision of rules, as tables, JSON or a report with pictures."""

from pathlib import Path
from typing import Any

import click
import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from incidents.postmortem.words import plural
from incidents.statistics.pictures import PictureOf, picture_of, shown_seconds
from incidents.statistics.values import Group, GroupedBy, Spread, Statistics
from tocsin.client import Client
from tocsin.commands.options import FAILED, UNUSABLE
from tocsin.commands.printing import Out
from tocsin.commands.remote import end, with_client

TEMPLATE = "statistics.html.j2"
HEADS = {
    GroupedBy.SERVICE: "SERVICE",
    GroupedBy.RULE: "RULE",
    GroupedBy.SEVERITY: "SEVERITY",
    GroupedBy.PERSON: "COMMANDER",
}


@click.command()
@click.option(
    "--since", default="90d", show_default=True, help="From when on: a duration back from now, or an instant."
)
@click.option("--until", help="Until when, likewise; by default now.")
@click.option(
    "--by",
    type=click.Choice([each.value for each in GroupedBy]),
    default="service",
    show_default=True,
    help="What incidents are grouped by; a person commanded them.",
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML file with pictures.")
@with_client
def statistics(client: Client, out: Out, since: str, until: str | None, by: str, report: Path | None) -> None:
    """Show how soon incidents were dealt with, how many there were, who was woken, and how precise rules are."""
    if report is not None and not report.parent.is_dir():
        end(UNUSABLE, f"{report} cannot be written: there is no directory {report.parent}")
    query = {"since": since, "by": by} | ({"until": until} if until else {})
    answer = client.get("/statistics", query)
    try:
        found = msgspec.convert(answer, Statistics)
    except msgspec.ValidationError as error:
        end(FAILED, f"the server is of another version than this command: {error}")
    if report is not None:
        report.write_text(render_report(found), encoding="utf-8")
    if out.is_json:
        out.json(answer)
    else:
        _print(out, found)


def _print(out: Out, found: Statistics) -> None:
    closed = f"{found.open} open, {found.resolved} resolved, {found.dismissed} dismissed"
    out.line(f"{_days(found)}: {plural(found.incidents, 'incident')} ({closed})", "bold")
    out.line(f"{plural(found.pages, 'page')}, {found.night_pages} of them at night")
    _print_groups(out, found)
    _print_rules(out, found)
    _print_people(out, found)


def _days(found: Statistics) -> str:
    return f"{found.since[:10]} to {found.until[:10]}"


def _print_groups(out: Out, found: Statistics) -> None:
    if not found.groups:
        return
    out.line()
    out.line("Times: median and p90 (nine of ten took no longer)", "bold")
    out.table(
        (HEADS[found.by], "INCIDENTS", "OPEN", "DETECT", "ACKNOWLEDGE", "MITIGATE", "RESOLVE"),
        [*(_group_row(group) for group in found.groups), ("all", *_figures(found))],
    )
    if found.groups_left_out:
        out.line(f"and {found.groups_left_out} more")


def _group_row(group: Group) -> tuple[str, ...]:
    return (group.name or "(none)", *_figures(group))


def _figures(shown: Group | Statistics) -> tuple[str, ...]:
    times = shown.times
    spreads = (times.detect, times.acknowledge, times.mitigate, times.resolve)
    return (str(shown.incidents), str(shown.open), *map(_spread, spreads))


def _spread(spread: Spread) -> str:
    return f"{shown_seconds(spread.median)} / {shown_seconds(spread.p90)}" if spread.count else "-"


def _print_rules(out: Out, found: Statistics) -> None:
    if not found.rules:
        return
    out.line()
    out.line("Rules: which part of what they declared was an incident", "bold")
    out.table(
        ("RULE", "PRECISION", "DECLARED", "RESOLVED", "DISMISSED", "OPEN"),
        [
            (
                each.rule,
                "-" if each.precision is None else f"{each.precision:.0%}",
                *map(str, (each.declared, each.resolved, each.dismissed, each.open)),
            )
            for each in found.rules
        ],
    )


def _print_people(out: Out, found: Statistics) -> None:
    if not found.people:
        return
    out.line()
    out.line("People", "bold")
    out.table(
        ("PERSON", "PAGES", "AT NIGHT", "COMMANDED"),
        [(each.person, *map(str, (each.pages, each.night_pages, each.incidents))) for each in found.people],
    )


def render_report(found: Statistics) -> str:
    """Return a page that stands by itself, without script; whatever an alert named is only text in it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["spread"] = _spread
    # The pictures are markup of our own, in which every text is escaped.
    pictures: dict[str, Any] = {of.value: Markup(picture_of(found, of)) for of in PictureOf}  # noqa: S704
    return environment.get_template(TEMPLATE).render(found=found, days=_days(found), pictures=pictures)
