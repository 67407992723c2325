"""`tocsin quarantine`: what could not be processed; look at it, and send it through once more."""

import sys
from typing import Any

import click

from tocsin.client import Client, Refused, segment
from tocsin.commands.lazy import ToldGroup
from tocsin.commands.options import FAILED
from tocsin.commands.printing import Out, instant
from tocsin.commands.remote import with_client

LISTED = 50
UNKNOWN, NOT_POSSIBLE = 404, 409


@click.group(cls=ToldGroup)
def quarantine() -> None:
    """Look at events that could not be processed, and send them through once more."""


@quarantine.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=LISTED, show_default=True, help="How many at most.")
@with_client
def list_(client: Client, out: Out, limit: int) -> None:
    """List what is in quarantine, latest first."""
    events, after = client.listed("/quarantine", "events", {}, most=limit)
    if out.is_json:
        out.json({"events": events, "next": after})
    elif events:
        columns = ("EVENT", "AT", "SOURCE", "REQUEUE", "REASON")
        out.table(columns, [_row(event) for event in events], spare=("REQUEUE", "SOURCE"))
    else:
        out.line("Nothing is in quarantine.")


def _row(event: dict[str, Any]) -> tuple[str, ...]:
    requeueable = "possible" if event["requeueable"] else "no"
    return (event["id"], instant(event["at"]), event["source"], requeueable, event["reason"])


@quarantine.command()
@click.argument("event_id", metavar="EVENT")
@with_client
def show(client: Client, out: Out, event_id: str) -> None:
    """Show one event as it arrived, and why it could not be processed."""
    event = client.get(f"/quarantine/{segment(event_id)}")
    if out.is_json:
        out.json(event)
        return
    out.fields(
        [
            ("event", event["id"]),
            ("at", instant(event["at"])),
            ("source", event["source"]),
            ("reason", event["reason"]),
            ("requeue", "possible" if event["requeueable"] else "not possible: it is no alert as Tocsin keeps one"),
        ]
    )
    out.line()
    out.line(event["text"])


@quarantine.command()
@click.argument("event_ids", metavar="EVENT...", nargs=-1, required=True)
@with_client
def requeue(client: Client, out: Out, event_ids: tuple[str, ...]) -> None:
    """Send events through once more, after what was wrong with them has been mended."""
    done, refused = [], []
    for event_id in event_ids:
        try:
            done.append(client.post(f"/quarantine/{segment(event_id)}/requeue"))
        except Refused as error:
            if error.status not in {UNKNOWN, NOT_POSSIBLE}:
                raise
            refused.append({"id": event_id, "reason": str(error)})
    if out.is_json:
        out.json({"requeued": done, "refused": refused})
    else:
        for item in done:
            out.line(f"{item['id']} was requeued as {item['event_id']}")
        for item in refused:
            out.line(f"{item['id']} was not: {item['reason']}")
    if refused:
        sys.exit(FAILED)
