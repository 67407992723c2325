"""`tocsin healthcheck`: for a container's HEALTHCHECK."""

import sys
from pathlib import Path

import click
import requests

from tocsin.commands.options import FAILED, settings_or_exit
from tocsin.commands.printing import Out
from tocsin.commands.remote import with_out
from tocsin.settings import Listen

SECONDS = 3.0


@click.command()
@with_out
def healthcheck(out: Out, config_path: Path | None) -> None:
    """End with 0 when the receiver of this host is ready."""
    why = _why_not(settings_or_exit(config_path).listen)
    if out.is_json:
        out.json({"ready": not why, "why": why})
    elif why:
        click.echo(why, err=True)
    if why:
        sys.exit(FAILED)


def _why_not(listen: Listen) -> str:
    """Return why the receiver is not ready, empty when it is."""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - compared
    address = f"[{host}]:{listen.port}" if ":" in host else f"{host}:{listen.port}"
    try:
        answer = requests.get(f"http://{address}/-/ready", timeout=SECONDS)
    except requests.RequestException as error:
        return f"not reachable at {address}: {type(error).__name__}"
    return "" if answer.status_code == requests.codes.ok else answer.text.strip()[:1000]
