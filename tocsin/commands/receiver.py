"""`tocsin receiver`: the HTTP side alone."""

import sys
from functools import partial
from pathlib import Path

import click

from tocsin.commands.options import config_option, settings_or_exit, told
from tocsin.granian_app import run_receiver
from tocsin.receiving import load_receiver, threads


@click.command()
@config_option
@told
def receiver(config_path: Path | None) -> None:
    """Run the receiver alone (parts apart; `serve` runs everything)."""
    settings = settings_or_exit(config_path)
    loader = partial(load_receiver, config_path)
    sys.exit(run_receiver(loader, settings.listen, blocking_threads=threads(settings)))
