"""`tocsin rules diff`: what differs between two rule sets, in effect."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from incidents.clock import utc_now
from rules.diff.compare import compare
from rules.diff.tell import as_json, diff_lines
from rules.model import RuleSet
from tocsin.commands.options import FAILED, settings_or_exit
from tocsin.commands.printing import Out
from tocsin.commands.remote import client_of, server_option, with_out
from tocsin.commands.rules.sets import RUNNING, read_set, running_set

MOST = 2


@click.command("diff")
@click.argument("sets", nargs=-1, metavar="[OLD] [NEW]")
@click.option("--exit-code", is_flag=True, help="End with code 1 when they differ.")
@server_option
@with_out
def show_diff(
    out: Out, config_path: Path | None, sets: tuple[str, ...], *, exit_code: bool, server: str | None
) -> None:
    """Show what differs from the rules OLD to the rules NEW, in effect.

    Each is a file, a directory, pack:NAME, or the word running: the rules in force at the server, for which an admin's
    token is needed. OLD is running by default, and NEW the rules of the configuration.
    """
    if len(sets) > MOST:
        raise click.UsageError("name two rule sets at most: OLD and NEW; a directory holds several files")
    old_name, new_name = sets if len(sets) == MOST else (RUNNING, *(sets or ("",)))

    def rules_at(name: str) -> RuleSet:
        if name == RUNNING:
            return running_set(client_of(config_path, server))
        return read_set((name,) if name else settings_or_exit(config_path).rules, utc_now())

    tell(out, rules_at, old_name, new_name, exit_code=exit_code)


def tell(out: Out, rules_at: Callable[[str], RuleSet], old_name: str, new_name: str, *, exit_code: bool) -> None:
    """Print the changes, and end with code 1 if there are any and that is asked for."""
    old, new = rules_at(old_name), rules_at(new_name)
    changes = compare(old, new)
    if out.is_json:
        sides = {
            side: {"name": name, "hash": each.hash}
            for side, name, each in (("old", old_name, old), ("new", new_name, new))
        }
        out.json({"equal": not changes, **sides, "changes": as_json(changes)})
    else:
        for line, style in diff_lines(changes):
            out.line(line, style)
    sys.exit(FAILED if exit_code and changes else 0)
