"""`tocsin incidents export`: the post-mortem, the picture or the whole timeline, to a file or the standard output."""

import contextlib
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click

from tocsin.client import Client, segment
from tocsin.commands.incidents.asking import incident_argument
from tocsin.commands.printing import Out
from tocsin.commands.remote import with_client

MARKDOWN, JSON, HTML, SVG = "markdown", "json", "html", "svg"
POSTMORTEM = {MARKDOWN: "postmortem.md", JSON: "postmortem", HTML: "postmortem.html", SVG: "picture.svg"}
TIMELINE = {MARKDOWN: "timeline.md", JSON: "timeline.jsonl"}


@click.command()
@incident_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(list(POSTMORTEM)),
    help="html is a page to print, svg the picture over the time.  [default: markdown]",
)
@click.option("--timeline", is_flag=True, help="The whole timeline instead; json is a line for each entry.")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Where to, instead of standard output.")
@with_client
def export(client: Client, out: Out, incident_id: str, form: str | None, timeline: bool, file: Path | None) -> None:  # noqa: FBT001
    """Export the post-mortem of an incident, also while it is open."""
    form = form or (JSON if out.is_json else MARKDOWN)
    parts = TIMELINE if timeline else POSTMORTEM
    if form not in parts:
        raise click.UsageError(f"a timeline is exported as {' or '.join(parts)}, not as {form}")
    pieces = client.download(f"/incidents/{segment(incident_id)}/{parts[form]}")
    if file is None:
        for piece in pieces:
            click.echo(piece, nl=False)
    else:
        _write(file, pieces)
        click.echo(f"{file} written", err=True)


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file whole or not at all; raises `OSError`."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as written:
        kept = Path(written.name)
        try:
            for piece in pieces:
                written.write(piece)
            written.close()
            kept.chmod(0o644)
            kept.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                kept.unlink()
