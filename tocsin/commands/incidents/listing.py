"""`tocsin incidents list` and `show`: what there is, and one of them whole."""

from typing import Any

import click

from incidents.values import IncidentStatus, Severity
from tocsin.client import Client, segment
from tocsin.commands.incidents.asking import incident_argument
from tocsin.commands.incidents.page import print_incident
from tocsin.commands.printing import Out, age, instant
from tocsin.commands.remote import with_client

LISTED = 50
ENTRIES = 1000
ALERTS = 200
STATUSES = ("open", *(status.value for status in IncidentStatus))


@click.command("list")
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only these; may be given several times.")
@click.option("--severity", multiple=True, type=click.Choice([each.value for each in Severity]), help="Likewise.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=LISTED, show_default=True, help="How many at most.")
@with_client
def list_(client: Client, out: Out, status: tuple[str, ...], severity: tuple[str, ...], limit: int) -> None:
    """List incidents in all statuses, newest first."""
    query = {"status": list(status), "severity": list(severity)}
    found, after = client.listed("/incidents", "incidents", query, most=limit)
    if out.is_json:
        out.json({"incidents": found, "next": after})
    elif found:
        out.table(
            ("INCIDENT", "SEVERITY", "STATUS", "TITLE", "DECLARED", "AGE", "COMMANDER", "FIRING"),
            [_row(incident) for incident in found],
            spare=("DECLARED", "FIRING", "COMMANDER"),
        )
    else:
        out.line("No incidents." if not query["status"] and not query["severity"] else "No such incidents.")


def _row(incident: dict[str, Any]) -> tuple[str, ...]:
    return (
        incident["id"],
        incident["severity"],
        incident["status"],
        incident["title"],
        instant(incident["declared_at"]),
        age(incident["declared_at"]),
        incident["roles"]["incident_commander"] or "",
        str(incident["alerts"]["firing"]),
    )


@click.command()
@incident_argument
@with_client
def show(client: Client, out: Out, incident_id: str) -> None:
    """Show one incident: roles, findings, alerts and the timeline."""
    path = f"/incidents/{segment(incident_id)}"
    incident = client.get(path)
    alerts = client.listed("/alerts", "alerts", {"incident": incident_id}, most=ALERTS).items
    entries = client.listed(f"{path}/timeline", "entries", {}, most=ENTRIES).items
    if out.is_json:
        out.json(incident | {"alert_list": alerts, "timeline": entries})
    else:
        print_incident(out, incident, alerts, entries)
