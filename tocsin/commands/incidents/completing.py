"""Completes the ids of incidents in a shell, from the server; where it cannot be asked, nothing is completed."""

import contextlib
import io

import click
from click.shell_completion import CompletionItem

from incidents.errors import TocsinError
from tocsin.commands.printing import one_line
from tocsin.commands.remote import client_of

SECONDS = 2.0  # nobody who pressed a key waits longer
OFFERED = 50


def complete_incident(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the newest incidents whose id begins so, with severity, status and title where the shell shows them."""
    del param
    try:
        # What is wrong with a configuration is told by the command itself, not in the middle of a line.
        with contextlib.redirect_stderr(io.StringIO()):
            client = client_of(ctx.params.get("config_path"), ctx.params.get("server"), timeout=SECONDS)
            found = client.listed("/incidents", "incidents", {}, most=OFFERED).items
    except (SystemExit, click.ClickException, TocsinError, OSError):
        return []
    return [
        CompletionItem(each["id"], help=one_line(f"{each['severity']} {each['status']}: {each['title']}"))
        for each in found
        if each["id"].startswith(incomplete.upper())
    ]
