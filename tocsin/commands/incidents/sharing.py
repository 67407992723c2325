"""`tocsin incidents share` and `unshare`: the links to a status page for those who cannot sign in."""

from typing import Any

import click

from tocsin.client import Client, segment
from tocsin.commands.incidents.asking import incident_argument
from tocsin.commands.printing import Out, instant
from tocsin.commands.remote import with_client

COLUMNS = ("ID", "FOR", "BY", "MADE", "UNTIL")


@click.command()
@incident_argument
@click.option("--audience", metavar="NAME", help="Show what this audience was told, and nothing that others were.")
@click.option("--days", type=click.IntRange(1, 7), default=1, show_default=True, help="How long it holds.")
@click.option("--list", "is_list", is_flag=True, help="Make none: list those that hold.")
@with_client
def share(
    client: Client,
    out: Out,
    incident_id: str,
    audience: str | None,
    days: int,
    is_list: bool,  # noqa: FBT001 - as click hands it over
) -> None:
    """Make a link to the status page of an incident: whoever has it sees state, summary and what was told."""
    path = _path(incident_id)
    if is_list:
        _list(out, client.get(path))
        return
    made = client.post(path, {"days": days} | ({"audience": audience} if audience else {}))
    if out.is_json:
        out.json(made)
        return
    out.line(made["address"])
    out.line(f"It holds until {instant(made['expires_at'])}; `tocsin incidents unshare {incident_id}` ends it before.")


@click.command()
@incident_argument
@click.argument("link", required=False)
@with_client
def unshare(client: Client, out: Out, incident_id: str, link: str | None) -> None:
    """End every link to the status page of an incident, or the one whose id is LINK."""
    path = _path(incident_id)
    ended = [client.delete(f"{path}/{segment(link)}")] if link else client.delete(path)["status_links"]
    if out.is_json:
        out.json({"status_links": ended})
    else:
        many = {0: "No link held.", 1: "One link has ended."}
        out.line(many.get(len(ended), f"{len(ended)} links have ended."))


def _path(incident_id: str) -> str:
    return f"/incidents/{segment(incident_id)}/status_links"


def _list(out: Out, answer: dict[str, Any]) -> None:
    if out.is_json:
        out.json(answer)
    elif answer["status_links"]:
        rows = [
            (
                each["id"],
                each["audience"] or "everybody",
                each["by"],
                instant(each["made_at"]),
                instant(each["expires_at"]),
            )
            for each in answer["status_links"]
        ]
        out.table(COLUMNS, rows)
    else:
        out.line("No link holds.")
