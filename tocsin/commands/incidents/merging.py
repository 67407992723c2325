"""`tocsin incidents merge` and `objectives`: make one of two, and see or check what has to hold at the end."""

import sys
from typing import Any

import click

from tocsin.client import Client, segment
from tocsin.commands.incidents.asking import act, incident_argument, note_option, print_stand
from tocsin.commands.printing import Out, instant, one_line
from tocsin.commands.remote import with_client


@click.command()
@incident_argument
@click.argument("into", metavar="INTO")
@note_option
@click.option("--yes", is_flag=True, help="Do not ask; a script is never asked.")
@with_client
def merge(client: Client, out: Out, incident_id: str, into: str, note: str | None, yes: bool) -> None:  # noqa: FBT001
    """Make an incident part of another, which goes on with the timelines and alerts of both; it cannot be undone."""
    if not yes and sys.stdin.isatty():
        _ask(client, incident_id, into)
    act(client, out, incident_id, "merge", into=into, note=note)


def _ask(client: Client, incident_id: str, into: str) -> None:
    """Show whoever sits at a terminal which two would be one; ends the command where they are not the same."""
    one, other = (client.get(f"/incidents/{segment(name)}") for name in (incident_id, into))
    for said, incident in (("This one ends: ", one), ("This one goes on: ", other)):
        shown = f"{incident['id']}, {incident['severity']} {incident['status']}: {incident['title']}"
        click.echo(said + one_line(shown), err=True)
    click.confirm("Merging cannot be undone. Are they the same?", abort=True, err=True)


@click.command()
@incident_argument
@click.argument("objective", required=False)
@click.option("--met/--unmet", "met", default=None, help="What somebody found who looked.")
@note_option
@with_client
def objectives(
    client: Client,
    out: Out,
    incident_id: str,
    objective: str | None,
    met: bool | None,  # noqa: FBT001
    note: str | None,
) -> None:
    """Show what has to hold before an incident is over, or check OBJECTIVE, one that nothing measures."""
    if (objective is None) is not (met is None):
        raise click.UsageError("name an objective and say --met or --unmet, or neither to see them all")
    path = f"/incidents/{segment(incident_id)}/objectives"
    if objective is not None:
        body = {"id": objective, "met": met} | ({"note": note} if note else {})
        print_stand(out, client.post(path, body))
        return
    found = client.get(path)
    if out.is_json:
        out.json(found)
    elif found["objectives"]:
        out.table(("OBJECTIVE", "MET", "SINCE", "BY", "MEASURED", "TEXT"), [_row(each) for each in found["objectives"]])
        if found["held"]:
            out.line("It is held: a person resolves it, though all of them are met.")
    else:
        out.line("It has none: a person resolves it.")


def _row(objective: dict[str, Any]) -> tuple[str, ...]:
    since = instant(objective["met_at"]) if objective["met_at"] else ""
    met = "yes" if objective["met"] else "no"
    return (objective["id"], met, since, objective["met_by"] or "", objective["measured"], objective["text"])
