"""The rule sets that commands are given: from files and packs, or the one in force at the server."""

from collections.abc import Sequence
from datetime import datetime

import click

from rules.check import check, render_text
from rules.files import read_rule_files
from rules.load import load_rule_set
from rules.model import RuleSet
from rules.sections import SourceFile
from tocsin.client import Client
from tocsin.commands.options import UNUSABLE
from tocsin.commands.remote import end
from tocsin.rule_files import paging_console

RUNNING = "running"  # instead of a path: the rule set in force at the server


def read_set(paths: Sequence[str], now: datetime) -> RuleSet:
    """Return the rule set of files, directories and packs; one that does not load ends the command with code 2."""
    return _read(paths, now)[1]


def tried_set(paths: Sequence[str], now: datetime) -> RuleSet:
    """Return a rule set as `read_set`, to be tried: where nobody is on call, the console is."""
    files, rule_set = _read(paths, now)
    return rule_set if rule_set.oncall.people else paging_console(files, now)[1].rule_set or rule_set


def _read(paths: Sequence[str], now: datetime) -> tuple[tuple[SourceFile, ...], RuleSet]:
    read = read_rule_files(paths)
    rule_set = load_rule_set(read.files, now=now).rule_set
    if rule_set is None or any(problem.severity == "error" for problem in read.problems):
        report = check(read.files, now, unreadable=read.problems)
        click.echo(render_text(report), err=True, nl=False)
        end(UNUSABLE, f"{' '.join(paths)}: these rules do not load")
    return read.files, rule_set


def running_set(client: Client) -> RuleSet:
    """Return the rule set in force at the server; an older or newer one may have rules that this version refuses."""
    answer = client.get("/rules/files")
    files = [SourceFile(file["name"], file["text"]) for file in answer["files"]]
    if not files:
        return RuleSet(hash="")
    loaded = load_rule_set(files, now=datetime.fromisoformat(answer["checked_at"]))
    if loaded.rule_set is None:
        end(UNUSABLE, f"the rules in force do not load in this version of the command: {loaded.errors[0]}")
    return loaded.rule_set
