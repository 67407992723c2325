"""`tocsin oncall override`: lets somebody stand in for a rotation of a running server, lists who does, and ends it."""

from typing import Any

import click

from tocsin.client import Client, segment
from tocsin.commands.instants import Span, with_span
from tocsin.commands.lazy import ToldGroup
from tocsin.commands.printing import Out, instant
from tocsin.commands.remote import with_client

COLUMNS = ("ID", "ROTATION", "PERSON", "FROM", "UNTIL", "STATE", "BY", "NOTE")


@click.group(cls=ToldGroup)
def override() -> None:
    """Let somebody stand in for a rotation for a while."""


@override.command()
@click.argument("rotation")
@click.argument("person")
@with_span("8h")
@click.option("--note", metavar="TEXT", help="Why.")
@with_client
def add(
    client: Client,
    out: Out,
    rotation: str,
    person: str,
    span: Span,
    note: str | None,
) -> None:
    """Let PERSON stand in for ROTATION; it is in force at once, on every host."""
    body = {"rotation": rotation, "person": person, **span.as_body()}
    made = client.post("/oncall/overrides", body | ({"note": note} if note else {}))
    if out.is_json:
        out.json(made)
        return
    out.line(f"{made['id']}: {person} holds {rotation} from {instant(made['from'])} until {instant(made['until'])}")
    if made["overlaps"]:
        out.line(f"It takes precedence over {', '.join(made['overlaps'])}.")


@override.command("list")
@click.option("--all", "is_all", is_flag=True, help="Those that are over, too.")
@with_client
def list_(client: Client, out: Out, is_all: bool) -> None:  # noqa: FBT001 - as click calls it
    """List overrides: those of the rule files, then those that people made."""
    found = client.get("/oncall/overrides")["overrides"]
    shown = [each for each in found if is_all or each["state"] != "over"]
    if out.is_json:
        out.json({"overrides": shown})
    elif shown:
        out.table(COLUMNS, [_row(each) for each in shown])
    else:
        out.line("Nobody stands in for anybody.")


@override.command("end")
@click.argument("override_id", metavar="ID")
@with_client
def end_(client: Client, out: Out, override_id: str) -> None:
    """End an override now, or take it away before it begins."""
    ended = client.delete(f"/oncall/overrides/{segment(override_id)}")
    if out.is_json:
        out.json(ended)
    else:
        out.line(f"{ended['id']} is over: {ended['person']} no longer stands in for {ended['rotation']}.")


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    return (
        each["id"] or "",
        each["rotation"],
        each["person"],
        instant(each["from"]),
        instant(each["until"]),
        each["state"],
        each["by"],
        each["note"],
    )
