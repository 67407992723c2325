"""`tocsin incidents`: look at incidents, declare one, and say what became of it."""

from typing import Any

import click

from incidents.values import IncidentStatus, Role, Severity
from tocsin.client import Client, Refused, segment
from tocsin.commands.incident_page import print_incident
from tocsin.commands.printing import Out, age, clean, instant
from tocsin.commands.remote import with_client

LISTED = 50
ENTRIES = 1000
ALERTS = 200
STATUSES = ("open", *(status.value for status in IncidentStatus))


@click.group()
def incidents() -> None:
    """Look at incidents and act on them."""


@incidents.command("list")
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only these; may be given several times.")
@click.option("--severity", multiple=True, type=click.Choice([each.value for each in Severity]))
@click.option("--limit", type=click.IntRange(1, 10_000), default=LISTED, show_default=True)
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


@incidents.command()
@click.argument("incident_id", metavar="ID")
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


@incidents.command()
@click.argument("title")
@click.option("--severity", required=True, type=click.Choice([each.value for each in Severity]))
@click.option("--identity", multiple=True, metavar="NAME=VALUE", help="What it is about; may be given several times.")
@click.option("--summary", help="For readers who are no engineers.")
@with_client
def declare(
    client: Client, out: Out, title: str, severity: str, identity: tuple[str, ...], summary: str | None
) -> None:
    """Declare an incident by hand: the commander is paged at once."""
    body: dict[str, Any] = {"title": title, "severity": severity}
    if identity:
        body["identity"] = dict(_pair(each) for each in identity)
    if summary is not None:
        body["summary"] = summary
    _done(out, client.post("/incidents", body))


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise click.UsageError(f"--identity {clean(text)!r} must be NAME=VALUE, such as service=checkout")
    return name, value


NOTE = click.option("--note", help="A line for the timeline.")


@incidents.command()
@click.argument("incident_id", metavar="ID")
@NOTE
@with_client
def acknowledge(client: Client, out: Out, incident_id: str, note: str | None) -> None:
    """Say that somebody is at it: nobody else is paged."""
    _act(client, out, incident_id, "acknowledge", note=note)


@incidents.command()
@click.argument("incident_id", metavar="ID")
@NOTE
@with_client
def unacknowledge(client: Client, out: Out, incident_id: str, note: str | None) -> None:
    """Take an acknowledgement back: people are paged again."""
    _act(client, out, incident_id, "unacknowledge", note=note)


@incidents.command("role")
@click.argument("incident_id", metavar="ID")
@click.argument("name", metavar="ROLE", type=click.Choice([each.value for each in Role]))
@click.argument("person")
@click.option("--at-once", is_flag=True, help="Relieve the commander without waiting for an acknowledgement.")
@with_client
def role_(client: Client, out: Out, incident_id: str, name: str, person: str, at_once: bool) -> None:  # noqa: FBT001
    """Give a person a role, with - as the person take it away; a commander hands over."""
    body = {"role": name, "person": None if person == "-" else person, "handover": not at_once}
    _done(out, client.post(f"/incidents/{segment(incident_id)}/roles", body))


@incidents.command()
@click.argument("incident_id", metavar="ID")
@NOTE
@with_client
def mitigate(client: Client, out: Out, incident_id: str, note: str | None) -> None:
    """Say that customers are well again, though the cause is not mended."""
    _act(client, out, incident_id, "mitigate", note=note)


@incidents.command()
@click.argument("incident_id", metavar="ID")
@NOTE
@click.option("--override", metavar="REASON", help="Why it is over although objectives are unmet.")
@with_client
def resolve(client: Client, out: Out, incident_id: str, note: str | None, override: str | None) -> None:
    """Say that it is over."""
    try:
        _act(client, out, incident_id, "resolve", note=note, override=override)
    except Refused as error:
        if "objectives" not in error.problem:
            raise
        hint = "Give --override with the reason why that does not matter."
        raise Refused(error.status, {**error.problem, "hint": hint}) from error


@incidents.command()
@click.argument("incident_id", metavar="ID")
@click.argument("reason")
@with_client
def dismiss(client: Client, out: Out, incident_id: str, reason: str) -> None:
    """Say that it was no incident, and why."""
    _act(client, out, incident_id, "dismiss", reason=reason)


@incidents.command()
@click.argument("incident_id", metavar="ID")
@click.argument("text")
@with_client
def note(client: Client, out: Out, incident_id: str, text: str) -> None:
    """Write a line on the timeline."""
    _act(client, out, incident_id, "notes", text=text)


def _act(client: Client, out: Out, incident_id: str, action: str, **fields: str | None) -> None:
    body = {name: value for name, value in fields.items() if value is not None}
    _done(out, client.post(f"/incidents/{segment(incident_id)}/{action}", body))


def _done(out: Out, incident: dict[str, Any]) -> None:
    """Print how the incident stands now."""
    if out.is_json:
        out.json(incident)
        return
    out.line(f"{incident['id']} is {incident['status']} ({incident['severity']}): {incident['title']}")
    if incident.get("note"):
        out.line(incident["note"])
