"""The commands on the live state document: reading and writing it, telling audiences, tasks, stakeholders."""

import sys
from pathlib import Path
from typing import Any

import click

from tocsin.client import API, Client, Refused, segment
from tocsin.commands.incidents.asking import incident_argument, print_stand
from tocsin.commands.printing import Out
from tocsin.commands.remote import with_client

PARTS = {"summary": "summary", "status-report": "status_report"}
KINDS = ("engineer", "communications", "management", "customer", "other")
CONFLICT = 409
STDIN = "-"
MOST_BYTES = 4 * 1024 * 1024  # the server takes less


@click.command()
@incident_argument
@click.option("--summary", metavar="TEXT", help="Write the summary anew; - reads it from the standard input.")
@click.option("--status-report", metavar="TEXT", help="Write the status report anew, likewise.")
@click.option("--edit", type=click.Choice(list(PARTS)), help="Write a part in your editor.")
@with_client
def document(
    client: Client, out: Out, incident_id: str, summary: str | None, status_report: str | None, edit: str | None
) -> None:
    """Print the live state document as Markdown, or write a part of it anew."""
    path = f"/incidents/{segment(incident_id)}/document"
    given = {"summary": summary, "status_report": status_report}
    if list(given.values()).count(STDIN) > 1:
        raise click.UsageError("the standard input is one text: give the other one itself")
    body = {part: _text(text) for part, text in given.items() if text is not None}
    if edit is not None and body:
        raise click.UsageError("give either --edit or the texts themselves")
    shown, tag = client.tagged(path)
    if edit is not None:
        text = click.edit(shown[PARTS[edit]]["text"])
        if text is None:
            out.line("nothing was written")
            return
        body = {PARTS[edit]: text}
    if body:
        shown = written(client, path, incident_id, body, tag)
    if out.is_json:
        out.json(shown)
    elif body:
        for part in body:
            out.line(f"{incident_id}: version {shown[part]['version']} of the {part.replace('_', ' ')} is written")
    else:
        out.line(_markdown(client, path))


def _text(given: str) -> str:
    """Return a text as it was given, or the standard input in its place."""
    if given != STDIN:
        return given
    try:
        text = sys.stdin.buffer.read(MOST_BYTES).decode().strip()
    except UnicodeDecodeError:
        raise click.UsageError("what comes over the standard input is no text in UTF-8") from None
    if not text:
        raise click.UsageError('the standard input is empty, and nothing was written; give "" itself to empty a part')
    return text


def _markdown(client: Client, path: str) -> str:
    """Return the document as the server renders it."""
    return client.status_of(f"{API}{path}.md")[1].rstrip("\n")


def written(client: Client, path: str, incident_id: str, body: dict[str, Any], tag: str) -> dict[str, Any]:
    """Write parts; where somebody else did meanwhile, keep what was to be written in files, and show how it differs."""
    try:
        return client.patch(path, body, tag=tag)
    except Refused as error:
        if error.status != CONFLICT or "conflicts" not in error.problem:
            raise
        lines = []
        for part, conflict in error.problem["conflicts"].items():
            kept = Path(f"{incident_id}.{part}.txt")
            kept.write_text(body[part], encoding="utf-8")
            lines.append(f"your text is kept in {kept}; from what is there to yours:\n{conflict['diff']}")
        raise Refused(error.status, {**error.problem, "hint": "\n".join(lines)}) from error


@click.command()
@incident_argument
@click.argument("audience")
@click.argument("text", required=False)
@click.option("--channel", help="Over which channel; with --send only over this one.")
@click.option("--send", is_flag=True, help="Tell the audience now, over its channels.")
@with_client
def communicate(
    client: Client,
    out: Out,
    incident_id: str,
    audience: str,
    text: str | None,
    channel: str | None,
    send: bool,  # noqa: FBT001 - as click hands it over
) -> None:
    """Write down what an audience was told, or tell it; without a text, print a draft from the summary."""
    path = f"/incidents/{segment(incident_id)}"
    if text is None:
        if send:
            raise click.UsageError("say what to send; without --send a draft is printed")
        draft = client.get(f"{path}/document/communication", {"audience": audience})
        if out.is_json:
            out.json(draft)
        else:
            out.line(draft["text"])
        return
    body = {"audience": audience, "text": text, "send": send} | ({"channel": channel} if channel else {})
    print_stand(out, client.post(f"{path}/communications", body))


@click.command()
@incident_argument
@click.argument("text")
@click.option("--to", "person", metavar="PERSON", help="Who is to do it; the person is told.")
@click.option("--done", is_flag=True, help="Tick it off: TEXT is its id (task-1) or its words.")
@with_client
def task(
    client: Client,
    out: Out,
    incident_id: str,
    text: str,
    person: str | None,
    done: bool,  # noqa: FBT001 - as click hands it over
) -> None:
    """Give somebody a task, or tick one off."""
    if done and text.isdigit():
        text = f"task-{text}"
    is_id = text.removeprefix("task-").isdigit() and text.startswith("task-")
    body: dict[str, Any] = {"id": text} if is_id else {"text": text}
    if person is not None:
        body["person"] = person
    if done:
        body["done"] = True
    print_stand(out, client.post(f"/incidents/{segment(incident_id)}/tasks", body))


@click.command()
@incident_argument
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), default="other", show_default=True, help="What they are.")
@click.option("--external", is_flag=True, help="They are outside of the organisation.")
@with_client
def stakeholder(
    client: Client,
    out: Out,
    incident_id: str,
    name: str,
    kind: str,
    external: bool,  # noqa: FBT001 - as click hands it over
) -> None:
    """Say who else has to know."""
    body = {"name": name, "kind": kind, "external": external}
    print_stand(out, client.post(f"/incidents/{segment(incident_id)}/stakeholders", body))
