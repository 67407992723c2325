"""`tocsin post-incident-actions`: lists what is to be done after incidents, writes it down, and changes it."""

from typing import Any

import click

from incidents.post_incident_actions import ActionState
from tocsin.client import Client, segment
from tocsin.commands.incidents.asking import incident_argument, print_stand
from tocsin.commands.lazy import ToldGroup
from tocsin.commands.printing import Out
from tocsin.commands.remote import with_client

LISTED = 200
COLUMNS = ("INCIDENT", "ID", "STATE", "DUE", "OWNER", "TEXT", "LINK")


@click.group(cls=ToldGroup, name="post-incident-actions")
def post_incident_actions() -> None:
    """See what is to be done after incidents, write it down, and say what became of it."""


@post_incident_actions.command("list")
@click.option("--state", multiple=True, type=click.Choice([each.value for each in ActionState]), help="Only these.")
@click.option("--overdue", is_flag=True, help="Only open ones whose day is over.")
@with_client
def list_(client: Client, out: Out, state: tuple[str, ...], overdue: bool) -> None:  # noqa: FBT001 - as click calls it
    """List the actions of all incidents, open ones first, by when they are due."""
    query = {"state": list(state)} | ({"overdue": ["true"]} if overdue else {})
    found, after = client.listed("/post_incident_actions", "post_incident_actions", query, most=LISTED)
    if out.is_json:
        out.json({"post_incident_actions": found, "next": after})
    elif found:
        out.table(COLUMNS, [_row(each) for each in found])
    else:
        out.line("Nothing is to be done." if not state and not overdue else "No such actions.")


def _row(action: dict[str, Any]) -> tuple[str, ...]:
    due = f"{action['due'] or ''}{' (overdue)' if action['overdue'] else ''}"
    return (
        action["incident"],
        action["id"],
        action["state"],
        due,
        action["owner"] or "",
        action["text"],
        action["link"] or "",
    )


owner_option = click.option("--owner", metavar="NAME", help="Who sees to it.")
due_option = click.option("--due", metavar="DAY", help="The last day for it, such as 2026-12-01.")
link_option = click.option("--link", metavar="URL", help="Where it is tracked.")


@post_incident_actions.command()
@incident_argument
@click.argument("text")
@owner_option
@due_option
@link_option
@with_client
def add(client: Client, out: Out, incident_id: str, text: str, **given: str | None) -> None:
    """Write down what is to be done after an incident."""
    _post(client, out, incident_id, {"text": text, **given})


@post_incident_actions.command()
@incident_argument
@click.argument("action_id", metavar="ACTION")
@click.option("--state", type=click.Choice([each.value for each in ActionState]), help="What became of it.")
@click.option("--text", help="What is to be done instead.")
@owner_option
@due_option
@link_option
@with_client
def change(client: Client, out: Out, incident_id: str, action_id: str, **given: str | None) -> None:
    """Say what became of an action, or change it."""
    if not any(given.values()):
        raise click.UsageError("say what changes: --state, --text, --owner, --due or --link")
    _post(client, out, incident_id, {"id": action_id, **given})


def _post(client: Client, out: Out, incident_id: str, given: dict[str, str | None]) -> None:
    body = {name: value for name, value in given.items() if value is not None}
    incident = client.post(f"/incidents/{segment(incident_id)}/post_incident_actions", body)
    if out.is_json:
        print_stand(out, incident)
    else:
        out.line(f"{incident['id']}: {incident['outcome']}")
