"""`tocsin incidents role`: who does what in an incident."""

import click

from incidents.values import Role
from tocsin.client import Client, segment
from tocsin.commands.incidents.asking import incident_argument, print_stand
from tocsin.commands.printing import Out
from tocsin.commands.remote import with_client


@click.command("role")
@incident_argument
@click.argument("name", metavar="ROLE", type=click.Choice([each.value for each in Role]))
@click.argument("person")
@click.option("--at-once", is_flag=True, help="Relieve the commander without waiting for an acknowledgement.")
@with_client
def role_(client: Client, out: Out, incident_id: str, name: str, person: str, at_once: bool) -> None:  # noqa: FBT001
    """Give a person a role, with - as the person take it away; a commander hands over."""
    body = {"role": name, "person": None if person == "-" else person, "handover": not at_once}
    print_stand(out, client.post(f"/incidents/{segment(incident_id)}/roles", body))
