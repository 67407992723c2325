"""`tocsin action`: tells of a corrective action, so that rules and the incidents of its service know of it."""

from datetime import datetime
from typing import Any

import click

from tocsin.client import Client, segment
from tocsin.commands.printing import Out
from tocsin.commands.remote import with_client


@click.command()
@click.argument("kind")
@click.argument("text", required=False, metavar="WHAT_WAS_DONE")
@click.option("--service", help="What it was done to; every open incident of that service has it on its timeline.")
@click.option("--incident", "incident_id", metavar="ID", help="Write it on the timeline of this incident alone.")
@click.option("--at", metavar="INSTANT", help="When, such as 2026-11-02T03:00:00Z; by default now.")
@with_client
def action(
    client: Client, out: Out, kind: str, text: str | None, service: str | None, incident_id: str | None, at: str | None
) -> None:
    """Tell of a corrective action of a KIND: rollback, restart, failover."""
    if (service is None) == (incident_id is None):
        raise click.UsageError("say either --service or --incident: what the action was done to")
    if incident_id is not None:
        _on_incident(client, out, incident_id, kind, text, at)
        return
    body: dict[str, Any] = {"kind": kind, "service": service}
    body |= {"text": text} if text is not None else {}
    body |= {"at": _instant(at)} if at is not None else {}
    taken = client.post("/actions", body)
    if out.is_json:
        out.json(taken)
    else:
        out.line(f"the {kind} of {service} was taken as {taken['event_id']}")


def _on_incident(client: Client, out: Out, incident_id: str, kind: str, text: str | None, at: str | None) -> None:
    if text is None:
        raise click.UsageError("with --incident, say in words what was done")
    if at is not None:
        raise click.UsageError("--at goes with --service; the timeline of an incident notes when it is written")
    incident = client.post(f"/incidents/{segment(incident_id)}/actions", {"kind": kind, "text": text})
    if out.is_json:
        out.json(incident)
    else:
        out.line(f"the {kind} is on the timeline of {incident['id']}")


def _instant(text: str) -> str:
    """Return an instant as the API takes it; one without a zone is refused, for it would be another one elsewhere."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise click.UsageError(f"--at {text!r} is no instant with a zone, such as 2026-11-02T03:00:00Z")
    return instant.isoformat()
