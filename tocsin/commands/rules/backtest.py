"""`tocsin rules backtest`: which incidents, pages and nights the alerts of the past would have been."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from incidents.clock import utc_now
from incidents.journal.reader import Journal
from rules.backtest.compare import compare
from rules.backtest.history import arrivals_of, events_of
from rules.backtest.outcome import Outcome
from rules.backtest.picture import render_html
from rules.backtest.play import Assumed, play
from rules.backtest.tell import as_json, comparison_lines, summary_lines
from rules.deciding.work import Arrival, Received
from rules.durations import parse_duration
from rules.model import RuleSet
from tocsin.commands.instants import read_instant
from tocsin.commands.options import FAILED, UNUSABLE, settings_or_exit
from tocsin.commands.printing import Out
from tocsin.commands.remote import client_of, end, with_out
from tocsin.commands.rules.sets import RUNNING, running_set, tried_set
from tocsin.prometheus_history import Asked, episodes

SHORTEST_STEP = timedelta(seconds=1)


def read_duration(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """Read a duration as Prometheus writes it."""
    if value is None:
        return None
    try:
        read = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx=ctx, param=param) from None
    if read < SHORTEST_STEP:
        raise click.BadParameter("it must be at least 1s", ctx=ctx, param=param)
    return read


class History(NamedTuple):
    """A past that can be played as often as wanted; without repeats, heartbeats go on by themselves."""

    since: datetime
    until: datetime
    events: Callable[[], Iterable[Arrival | Received]]
    beats_go_on: bool
    journal: Journal | None = None  # that it was last read from


class Wanted(NamedTuple):
    """What the command line asks for."""

    prometheus: str | None
    journal: Path | None
    since: timedelta
    until: datetime | None
    step: timedelta
    against: tuple[str, ...]
    acknowledged_after: timedelta
    report: Path | None
    max_pages: int | None
    max_night_pages: int | None


A_FILE = click.Path(path_type=Path, dir_okay=False)
A_DIRECTORY = click.Path(path_type=Path, file_okay=False)
duration_option = functools.partial(click.option, metavar="DURATION", show_default=True, callback=read_duration)


@click.command("backtest")
@click.argument("paths", nargs=-1)
@click.option("--prometheus", metavar="URL", help="Try the alerts that this Prometheus remembers (its ALERTS series).")
@click.option("--journal", type=A_DIRECTORY, help="A journal; by default that of the data directory.")
@duration_option("--since", default="30d", help="How far back.")
@click.option("--until", metavar="INSTANT", callback=read_instant, help="Where the past ends; by default now.")
@duration_option("--step", default="1m", help="How finely a Prometheus is asked.")
@click.option("--against", metavar="PATH", multiple=True, help="Other rules, or `running`; several make one set.")
@duration_option("--acknowledged-after", default="3m", help="How soon people are taken to acknowledge.")
@click.option("--report", type=A_FILE, help="Write a picture of it, as an HTML file.")
@click.option("--max-pages", type=click.IntRange(0), help="End with code 1 when there are more pages.")
@click.option("--max-night-pages", type=click.IntRange(0), help="End with code 1 when there are more pages at night.")
@with_out
def backtest(out: Out, config_path: Path | None, paths: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - options
    """Try rules on the past: over the journal, or over what a Prometheus remembers. No server is needed.

    Without PATHS the rules of the configuration are tried.
    """
    wanted, now = Wanted(**given), utc_now()
    if wanted.report is not None and not wanted.report.parent.is_dir():
        end(UNUSABLE, f"{wanted.report} cannot be written: there is no directory {wanted.report.parent}")
    until = wanted.until or now
    since = _since(wanted, until)
    mine = tried_set(paths or settings_or_exit(config_path).rules, now, since)
    other = _other_rules(wanted.against, config_path, now, since)
    history = _history(wanted, config_path, since, until)
    assumed = Assumed(acknowledged_after=wanted.acknowledged_after)
    outcome = _played("rules", mine, history, assumed)
    comparison = compare(outcome, _played("other rules", other, history, assumed)) if other is not None else None
    if wanted.report is not None:
        wanted.report.write_text(render_html(outcome, comparison), encoding="utf-8")
    if history.journal is not None and history.journal.skipped:
        click.echo(f"tocsin: {_skipped(history.journal)}", err=True)
    if out.is_json:
        out.json(as_json(outcome, comparison))
    else:
        _tell(out, outcome, comparison_lines(comparison) if comparison is not None else [])
    sys.exit(_over_budget(outcome, wanted))


def _since(wanted: Wanted, until: datetime) -> datetime:
    try:
        return until - wanted.since
    except OverflowError:
        end(UNUSABLE, "--since goes back to before there was a calendar; say something like 30d")


def _other_rules(against: tuple[str, ...], config_path: Path | None, now: datetime, since: datetime) -> RuleSet | None:
    if not against:
        return None
    if against == (RUNNING,):
        return running_set(client_of(config_path, None), since)
    return tried_set(against, now, since)


def _history(wanted: Wanted, config_path: Path | None, since: datetime, until: datetime) -> History:
    if wanted.prometheus is not None:
        return _of_prometheus(Asked(wanted.prometheus, since, until, wanted.step, {}))
    return _of_journal(wanted.journal or settings_or_exit(config_path).data_dir / "journal", since, until)


def _of_prometheus(asked: Asked) -> History:
    with _progress("asking Prometheus") as done:
        arrivals = arrivals_of(episodes(asked, done))
    if not arrivals:
        end(UNUSABLE, f"{asked.url} remembers no alert since {asked.since:%Y-%m-%d %H:%M} UTC: there is nothing to try")
    return History(asked.since, asked.until, lambda: arrivals, beats_go_on=True)


def _of_journal(directory: Path, since: datetime, until: datetime) -> History:
    if not directory.is_dir():
        hint = "try the alerts of a Prometheus instead: --prometheus URL, or name a journal: --journal DIR"
        end(UNUSABLE, f"there is no journal at {directory}; {hint}")
    journal = Journal(directory)
    if next(iter(journal.read(since, until)), None) is None:
        span = f"between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC"
        damage = f"; {_skipped(journal)}" if journal.skipped else ""
        end(UNUSABLE, f"the journal at {directory} has no event {span}{damage}")

    def events() -> Iterable[Arrival | Received]:
        journal.skipped = 0
        return events_of(journal.read(since, until))

    return History(since, until, events, beats_go_on=False, journal=journal)


def _skipped(journal: Journal) -> str:
    what = "1 place is" if journal.skipped == 1 else f"{journal.skipped} places are"
    return f"{what} torn or damaged in the journal at {journal.directory}, and skipped"


def _played(what: str, rule_set: RuleSet, history: History, assumed: Assumed) -> Outcome:
    span = history.until - history.since
    with _progress(f"playing {what}") as done:
        return play(
            rule_set,
            history.events(),
            since=history.since,
            until=history.until,
            assumed=assumed,
            beats_go_on=history.beats_go_on,
            progress=lambda at: done((at - history.since) / span),
        )


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar on a terminal, and nothing anywhere else."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda share: progress.update(task, completed=share)


def _tell(out: Out, outcome: Outcome, comparison: list[str]) -> None:
    for line in summary_lines(outcome):
        out.line(line)
    out.line()
    rows = [
        (load.rule, str(load.incidents), str(load.pages), str(load.night_pages), str(load.held), str(load.errors))
        for load in outcome.busy_rules
    ]
    out.table(("RULE", "INCIDENTS", "PAGES", "AT NIGHT", "HELD", "ERRORS"), rows)
    if outcome.idle_rules:
        out.line(f"never held: {', '.join(outcome.idle_rules)}")
    for line in ("", *comparison) if comparison else ():
        out.line(line)


def _over_budget(outcome: Outcome, wanted: Wanted) -> int:
    """Return the exit code, and say which budget is exceeded."""
    code = 0
    for what, got, most in (
        ("pages", len(outcome.pages), wanted.max_pages),
        ("pages at night", outcome.night_pages, wanted.max_night_pages),
    ):
        if most is not None and got > most:
            click.echo(f"tocsin: {got} {what}, and the budget is {most}", err=True)
            code = FAILED
    return code
