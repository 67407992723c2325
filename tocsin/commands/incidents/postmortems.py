"""`tocsin incidents postmortems`: of which incidents a post-mortem is wanted, and how far each has come."""

import click

from incidents.postmortem.values import PostmortemState
from tocsin.client import Client
from tocsin.commands.printing import Out, instant
from tocsin.commands.remote import with_client

LISTED = 50


@click.command()
@click.option("--wanted", multiple=True, type=click.Choice(["required", "optional"]), help="Only these.")
@click.option("--state", multiple=True, type=click.Choice([each.value for each in PostmortemState]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=LISTED, show_default=True, help="How many at most.")
@with_client
def postmortems(client: Client, out: Out, wanted: tuple[str, ...], state: tuple[str, ...], limit: int) -> None:
    """List the resolved incidents of which a post-mortem is wanted, the latest first."""
    query = {"wanted": list(wanted), "state": list(state)}
    found, after = client.listed("/postmortems", "postmortems", query, most=limit)
    if out.is_json:
        out.json({"postmortems": found, "next": after})
    elif found:
        out.table(
            ("INCIDENT", "SEVERITY", "WANTED", "STATE", "RESOLVED", "TEAM", "TITLE"),
            [
                (
                    each["id"],
                    each["severity"],
                    each["wanted"],
                    each["state"],
                    instant(each["resolved_at"]),
                    each["team"],
                    each["title"],
                )
                for each in found
            ],
        )
    else:
        out.line("No such post-mortem is wanted." if wanted or state else "No post-mortem is wanted.")
