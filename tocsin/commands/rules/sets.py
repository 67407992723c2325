"""The rule sets that commands are given: from files and packs, or the one in force at the server."""

from collections.abc import Sequence
from datetime import datetime

import click

from incidents.calendars import unread_of
from incidents.clock import utc_now
from incidents.rota.reading import reader_over
from rules.check import check, render_text
from rules.loading.context import ReadCalendar
from rules.loading.files import read_rule_files
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.model import RuleSet
from tocsin.client import Client
from tocsin.commands.options import UNUSABLE
from tocsin.commands.remote import end
from tocsin.rule_files import paging_console

RUNNING = "running"  # instead of a path: the rule set in force at the server


def read_set(paths: Sequence[str], now: datetime) -> RuleSet:
    """Return the rule set of files, directories and packs; one that does not load ends the command with code 2."""
    return _read(paths, now)[1]


def tried_set(paths: Sequence[str], now: datetime, since: datetime | None = None) -> RuleSet:
    """Return a rule set as `read_set`, to be tried on what came since then: where nobody is on call, the console is.

    Calendars beside the rule files are read; who is on call by one at an address is not known, which is said.
    """
    files, rule_set = _read(paths, now, reader_over(since or now, now))
    say_unread(unread_of(rule_set.oncall))
    return rule_set if rule_set.oncall.people else paging_console(files, now)[1].rule_set or rule_set


def say_unread(unread: Sequence[str], hint: str = "name a file beside the rules instead to try it") -> None:
    """Say whose turns are not known, for an address is asked by a running server alone."""
    if unread:
        whose = f"the rotation {unread[0]} follows" if len(unread) == 1 else f"the rotations {', '.join(unread)} follow"
        said = "which is not asked here, so it names nobody"
        click.echo(f"tocsin: {whose} a calendar at an address, {said}; {hint}", err=True)


def _read(
    paths: Sequence[str], now: datetime, read_calendar: ReadCalendar | None = None
) -> tuple[tuple[SourceFile, ...], RuleSet]:
    read = read_rule_files(paths)
    rule_set = load_rule_set(read.files, now=now, read_calendar=read_calendar).rule_set
    if rule_set is None or any(problem.severity == "error" for problem in read.problems):
        report = check(read.files, now, unreadable=read.problems, read_calendar=read_calendar)
        click.echo(render_text(report), err=True, nl=False)
        end(UNUSABLE, f"{' '.join(paths)}: these rules do not load")
    return read.files, rule_set


def running_set(client: Client, since: datetime | None = None) -> RuleSet:
    """Return the rule set in force at the server; an older or newer one may have rules that this version refuses.

    With an instant, it is to be tried on what came since then: calendars that stand beside the rules are read.
    """
    answer = client.get("/rules/files")
    files = [SourceFile(file["name"], file["text"]) for file in answer["files"]]
    if not files:
        return RuleSet(hash="")
    now = datetime.fromisoformat(answer["checked_at"])
    loaded = load_rule_set(files, now=now, read_calendar=None if since is None else reader_over(since, utc_now()))
    if loaded.rule_set is None:
        end(UNUSABLE, f"the rules in force do not load in this version of the command: {loaded.errors[0]}")
    if since is not None:
        say_unread(unread_of(loaded.rule_set.oncall))
    return loaded.rule_set
