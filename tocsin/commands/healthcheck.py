"""`tocsin healthcheck`: for a container's HEALTHCHECK."""

import sys
from pathlib import Path

import click
import requests

from tocsin.commands.options import FAILED, config_option, settings_or_exit

SECONDS = 3.0


@click.command()
@config_option
def healthcheck(config_path: Path | None) -> None:
    """End with 0 when the receiver of this host is ready."""
    listen = settings_or_exit(config_path).listen
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - compared
    address = f"[{host}]:{listen.port}" if ":" in host else f"{host}:{listen.port}"
    try:
        answer = requests.get(f"http://{address}/-/ready", timeout=SECONDS)
    except requests.RequestException as error:
        click.echo(f"not reachable at {address}: {type(error).__name__}", err=True)
        sys.exit(FAILED)
    if answer.status_code != requests.codes.ok:
        click.echo(answer.text.strip()[:1000], err=True)
        sys.exit(FAILED)
