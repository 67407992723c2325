"""`tocsin maintenance`: plans times in which nobody is paged, lists them, and ends them early."""

from datetime import datetime, timedelta
from typing import Any

import click

from incidents.clock import utc_now
from incidents.presentation import instant as api_instant
from tocsin.client import Client, segment
from tocsin.commands.instants import read_duration, read_instant
from tocsin.commands.printing import Out, instant, span
from tocsin.commands.remote import with_client

COLUMNS = ("ID", "STATE", "WHEN", "MATCH", "HOLDS", "AUTHOR", "COMMENT")


@click.group()
def maintenance() -> None:
    """Plan times in which nobody is paged, data issues excepted; what still fires at their end is."""


@maintenance.command()
@click.argument("maintenance_id", metavar="[ID]", required=False)
@click.option("--match", "matchers", metavar="MATCHER", multiple=True, required=True, help="As rules write them.")
@click.option("--from", "start", metavar="INSTANT", callback=read_instant, help="Begin then; by default now.")
@click.option("--until", metavar="INSTANT", callback=read_instant, help="End then.")
@click.option("--for", "lasts", metavar="DURATION", callback=read_duration, help="Or end after so long, such as 4h.")
@click.option("--comment", metavar="TEXT", help="Why.")
@with_client
def add(
    client: Client,
    out: Out,
    maintenance_id: str | None,
    matchers: tuple[str, ...],
    start: datetime | None,
    until: datetime | None,
    lasts: timedelta | None,
    comment: str | None,
) -> None:
    """Plan maintenance; it is in force at once, on every host. Weekly ones stand in the rule files."""
    if (until is None) == (lasts is None):
        raise click.UsageError("say how long: --until 2026-11-02T18:00:00Z, or --for 4h")
    ends = until if lasts is None else (start or utc_now()) + lasts
    body: dict[str, Any] = {"match": list(matchers), "until": api_instant(ends)}
    given = {"id": maintenance_id, "from": api_instant(start), "comment": comment}
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
        out.table(COLUMNS, [_row(each) for each in shown])
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
        state = f"ends in {span(timedelta(seconds=each['ends_in']))}"
    return (each["id"], state, _when(each), each["match"], ", ".join(each["holds"]), each["author"], each["comment"])


def _when(each: dict[str, Any]) -> str:
    weekly = each["weekly"]
    if weekly is not None:
        return f"every {', '.join(weekly['weekdays'])} {weekly['from']} to {weekly['until']} {weekly['timezone']}"
    return f"from {instant(each['from'])} until {instant(each['until'])}"
