"""`tocsin incidents declare`: a person declares an incident."""

from typing import Any

import click

from incidents.values import Severity
from tocsin.client import Client
from tocsin.commands.incidents.asking import print_stand
from tocsin.commands.printing import Out, clean
from tocsin.commands.remote import with_client


@click.command()
@click.argument("title")
@click.option(
    "--severity", required=True, type=click.Choice([each.value for each in Severity]), help="How grave it is."
)
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
    print_stand(out, client.post("/incidents", body))


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise click.UsageError(f"--identity {clean(text)!r} must be NAME=VALUE, such as service=checkout")
    return name, value
