"""`tocsin rules check`: every error of every rule file, without any server."""

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import click

from incidents.alert import PROBE_LABEL
from incidents.clock import utc_now
from incidents.journal.reader import Journal
from incidents.rota.reading import read_calendar
from rules.check import Report, check, render_github, render_json, render_text
from rules.loading.files import read_rule_files
from tocsin.commands.options import FAILED, UNUSABLE, config_option, settings_or_exit

WARNED = 3
LATELY = timedelta(days=30)
MOST_ALERTS = 500_000
ENOUGH_ALERTS = 100  # fewer say nothing of what will be sent: the journal of the first day
A_JOURNAL = click.Path(path_type=Path, file_okay=False, exists=True)


def _as_text(report: Report) -> str:
    return render_text(report, colour=sys.stdout.isatty())


RENDER = {"text": _as_text, "json": render_json, "github": render_github}


@click.command("check")
@click.argument("paths", nargs=-1)
@click.option("--output", type=click.Choice(sorted(RENDER)), default="text", show_default=True, help="How to say it.")
@click.option("--strict", is_flag=True, help="End with code 3 when there are warnings.")
@click.option(
    "--journal",
    type=A_JOURNAL,
    help="Warn of rules that match none of its alerts; default: the data's own, once it has a hundred.",
)
@config_option
def check_files(
    paths: tuple[str, ...], output: str, *, strict: bool, journal: Path | None, config_path: Path | None
) -> None:
    """Check rule files and directories, all errors at once; without PATHS, those of the configuration."""
    now, seen = utc_now(), alerts_of(journal, utc_now())
    if not paths:
        settings = settings_or_exit(config_path)
        paths = settings.rules
        seen = seen if journal else enough_of(alerts_of(settings.journal_dir, now))
    read = read_rule_files(paths)
    report = check(read.files, now, unreadable=read.problems, read_calendar=read_calendar, seen=seen)
    click.echo(RENDER[output](report), nl=False)
    sys.exit(exit_code(report, unreadable=any(problem.severity == "error" for problem in read.problems), strict=strict))


def alerts_of(journal: Path | None, now: datetime) -> Iterator[Mapping[str, str]]:
    """Give the labels of the alerts that a journal recorded lately; none where there is no journal to be read."""
    if journal is None:
        return
    try:
        recorded = Journal(journal).read(since=now - LATELY)
        sent = (each.labels for each in recorded if each.labels and PROBE_LABEL not in each.labels)
        yield from islice(sent, MOST_ALERTS)
    except OSError as error:
        click.echo(f"tocsin: the journal {journal} cannot be read: {error.strerror}", err=True)


def enough_of(seen: Iterator[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    """Give what was seen where that is enough to tell something from, else nothing."""
    first = list(islice(seen, ENOUGH_ALERTS))
    if len(first) == ENOUGH_ALERTS:
        yield from first
        yield from seen


def exit_code(report: Report, *, unreadable: bool, strict: bool) -> int:
    """Return 0 for rules that can be used, 1 for errors, 2 for what is unreadable, 3 for warnings under `--strict`."""
    if unreadable:
        return UNUSABLE
    if report.errors:
        return FAILED
    return WARNED if strict and report.warnings else 0
