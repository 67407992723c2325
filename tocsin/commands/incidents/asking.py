"""What the commands on one incident share: posting to it, and printing how it stands then."""

from typing import Any

import click

from tocsin.client import Client, segment
from tocsin.commands.incidents.completing import complete_incident
from tocsin.commands.printing import Out

incident_argument = click.argument("incident_id", metavar="ID", shell_complete=complete_incident)
note_option = click.option("--note", help="A line for the timeline.")


def act(client: Client, out: Out, incident_id: str, action: str, **fields: str | None) -> None:
    """Post an action on an incident, without the fields that are None, and print how it stands then."""
    body = {name: value for name, value in fields.items() if value is not None}
    print_stand(out, client.post(f"/incidents/{segment(incident_id)}/{action}", body))


def print_stand(out: Out, incident: dict[str, Any]) -> None:
    """Print what was done, where the status does not say it, and how an incident stands now."""
    if out.is_json:
        out.json(incident)
        return
    status, done = incident["status"], incident.get("outcome", "")
    what = f"{incident['id']} is" if done in {"", status} else f"{incident['id']}: {done}; it is"
    out.line(f"{what} {status} ({incident['severity']}): {incident['title']}")
    if incident.get("note"):
        out.line(incident["note"])
