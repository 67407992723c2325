"""The commands that say what became of an incident, from acknowledged to resolved or dismissed."""

import click

from incidents.values import Severity
from tocsin.client import Client, Refused
from tocsin.commands.incidents.asking import act, incident_argument, note_option
from tocsin.commands.printing import Out
from tocsin.commands.remote import with_client


@click.command()
@incident_argument
@note_option
@with_client
def acknowledge(client: Client, out: Out, incident_id: str, note: str | None) -> None:
    """Say that somebody is at it: nobody else is paged."""
    act(client, out, incident_id, "acknowledge", note=note)


@click.command()
@incident_argument
@note_option
@with_client
def unacknowledge(client: Client, out: Out, incident_id: str, note: str | None) -> None:
    """Take an acknowledgement back: people are paged again."""
    act(client, out, incident_id, "unacknowledge", note=note)


@click.command()
@incident_argument
@note_option
@with_client
def mitigate(client: Client, out: Out, incident_id: str, note: str | None) -> None:
    """Say that customers are well again, though the cause is not mended."""
    act(client, out, incident_id, "mitigate", note=note)


@click.command()
@incident_argument
@note_option
@click.option("--override", metavar="REASON", help="Why it is over although objectives are unmet.")
@with_client
def resolve(client: Client, out: Out, incident_id: str, note: str | None, override: str | None) -> None:
    """Say that it is over."""
    try:
        act(client, out, incident_id, "resolve", note=note, override=override)
    except Refused as error:
        if "objectives" not in error.problem:
            raise
        hint = "Give --override with the reason why that does not matter."
        raise Refused(error.status, {**error.problem, "hint": hint}) from error


@click.command()
@incident_argument
@click.argument("reason")
@with_client
def dismiss(client: Client, out: Out, incident_id: str, reason: str) -> None:
    """Say that it was no incident, and why."""
    act(client, out, incident_id, "dismiss", reason=reason)


@click.command()
@incident_argument
@click.argument("text")
@click.option("--corrects", metavar="ENTRY", help="The id of an entry that it sets right; both are shown.")
@with_client
def note(client: Client, out: Out, incident_id: str, text: str, corrects: str | None) -> None:
    """Write a line on the timeline."""
    act(client, out, incident_id, "notes", text=text, corrects=corrects)


@click.command()
@incident_argument
@note_option
@with_client
def reopen(client: Client, out: Out, incident_id: str, note: str | None) -> None:
    """Say that it is not over: the incident is declared again, and the commander is paged."""
    act(client, out, incident_id, "reopen", note=note)


@click.command()
@incident_argument
@click.option("--severity", type=click.Choice([each.value for each in Severity]), help="What it is from now on.")
@click.option("--page", metavar="POLICY", help="A paging policy of the rule files that is begun now, such as backup.")
@with_client
def escalate(client: Client, out: Out, incident_id: str, severity: str | None, page: str | None) -> None:
    """Change the severity, or call more people.

    Without an option the incident's own paging policy begins again.
    """
    act(client, out, incident_id, "escalate", severity=severity, page=page)
