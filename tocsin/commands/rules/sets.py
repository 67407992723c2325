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

RUNNING = "running"  # instead of a path: the rule set in force at the server


def read_set(paths: Sequence[str], now: datetime) -> RuleSet:
    """Return the rule set of files, directories and packs; one that does not load ends the command with code 2."""
    read = read_rule_files(paths)
    report = check(read.files, now, unreadable=read.problems)
    if report.rule_set is None:
        click.echo(render_text(report), err=True, nl=False)
        end(UNUSABLE, f"{' '.join(paths)}: these rules do not load")
    return report.rule_set


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
