"""`tocsin incidents postmortem` and `postmortems`: read, write and publish one, and list those that are wanted."""

import click

from incidents.postmortem.values import PostmortemState, Section
from tocsin.client import API, Client, segment
from tocsin.commands.incidents.asking import incident_argument
from tocsin.commands.incidents.documenting import written
from tocsin.commands.printing import Out, instant
from tocsin.commands.remote import with_client

LISTED = 50
SECTIONS = {section.value.replace("_", "-"): section.value for section in Section}


@click.command()
@incident_argument
@click.option("--edit", type=click.Choice(list(SECTIONS)), help="Write a section in your editor.")
@click.option("--state", type=click.Choice([each.value for each in PostmortemState]), help="Take it on, or back.")
@with_client
def postmortem(client: Client, out: Out, incident_id: str, edit: str | None, state: str | None) -> None:
    """Print the post-mortem of an incident as Markdown, write a section of it, or take it on."""
    path = f"/incidents/{segment(incident_id)}/postmortem"
    if edit is not None and state is not None:
        raise click.UsageError("give either --edit or --state")
    shown, tag = client.tagged(path)
    if edit is not None:
        section = next(each for each in shown["sections"] if each["section"] == SECTIONS[edit])
        text = click.edit(section["text"])
        if text is None:
            out.line("nothing was written")
            return
        shown = written(client, path, incident_id, {SECTIONS[edit]: text}, tag)
    elif state is not None:
        shown = client.post(f"{path}/state", {"state": state})
    if out.is_json:
        out.json(shown)
    elif edit is None and state is None:
        out.line(client.status_of(f"{API}{path}.md")[1].rstrip("\n"))
    else:
        out.line(f"the post-mortem of {incident_id} is {shown['state']}, version {shown['version']}")


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
