"""`tocsin maintenance`: plans times in which nobody is paged, lists them, and ends them early."""

from datetime import timedelta
from typing import Any

import click

from tocsin.client import Client, segment
from tocsin.commands.instants import Span, with_span
from tocsin.commands.lazy import ToldGroup
from tocsin.commands.printing import Out, instant
from tocsin.commands.printing import span as in_words
from tocsin.commands.remote import with_client

COLUMNS = ("ID", "STATE", "WHEN", "MATCH", "HOLDS", "AUTHOR", "COMMENT")


@click.group(cls=ToldGroup)
def maintenance() -> None:
    """Plan times in which nobody is paged, data issues excepted; what still fires at the end pages then."""


@maintenance.command()
@click.argument("maintenance_id", metavar="[ID]", required=False)
@click.option("--match", "matchers", metavar="MATCHER", multiple=True, required=True, help="As rules write them.")
@with_span("4h")
@click.option("--comment", metavar="TEXT", help="Why.")
@with_client
def add(
    client: Client,
    out: Out,
    maintenance_id: str | None,
    matchers: tuple[str, ...],
    span: Span,
    comment: str | None,
) -> None:
    """Plan maintenance; it is in force at once, on every host. Weekly ones stand in the rule files."""
    body: dict[str, Any] = {"match": list(matchers), **span.as_body()}
    given = {"id": maintenance_id, "comment": comment}
    made = client.post("/maintenance", body | {name: value for name, value in given.items() if value})
    if out.is_json:
        out.json(made)
        return
    out.line(f"{made['id']}: nobody is paged for {made['match']} {_when(made)}; data issues are, all the same")


@maintenance.command("list")
@click.option("--all", "is_all", is_flag=True, help="Those that are over, too.")
@with_client
def list_(client: Client, out: Out, is_all: bool) -> None:  # noqa: FBT001 - as click calls it
    """List maintenance: that of the rule files, then that of people."""
    found = client.get("/maintenance")["maintenance"]
    shown = [each for each in found if is_all or each["state"] != "over"]
    if out.is_json:
        out.json({"maintenance": shown})
    elif shown:
        out.table(COLUMNS, [_row(each) for each in shown], spare=("AUTHOR", "COMMENT"))
    else:
        out.line("No maintenance is planned.")


@maintenance.command("end")
@click.argument("maintenance_id", metavar="ID")
@with_client
def end_(client: Client, out: Out, maintenance_id: str) -> None:
    """End maintenance now; what it held and still fires is paged."""
    ended = client.delete(f"/maintenance/{segment(maintenance_id)}")
    if out.is_json:
        out.json(ended)
        return
    held = ", ".join(ended["released"])
    out.line(f"{ended['id']} is over." + (f" It held {held}: what still fires of that is paged now." if held else ""))


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    state = each["state"]
    if each["ends_in"] is not None:
        state = f"ends in {in_words(timedelta(seconds=each['ends_in']))}"
    return (each["id"], state, _when(each), each["match"], ", ".join(each["holds"]), each["author"], each["comment"])


def _when(each: dict[str, Any]) -> str:
    weekly = each["weekly"]
    if weekly is not None:
        return f"every {', '.join(weekly['weekdays'])} {weekly['from']} to {weekly['until']} {weekly['timezone']}"
    return f"from {instant(each['from'])} until {instant(each['until'])}"
