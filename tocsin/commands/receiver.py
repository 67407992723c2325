"""`tocsin receiver`: the HTTP side alone."""

import sys
from functools import partial
from pathlib import Path

import click

from tocsin.commands.options import config_option, settings_or_exit, told
from tocsin.granian_app import run_receiver
from tocsin.logs import configure_logs
from tocsin.receiving import load_receiver, threads
from tocsin.redis_urls import store_url
from tocsin.startup import before_receiving


@click.command()
@config_option
@told
def receiver(config_path: Path | None) -> None:
    """Run the receiver alone (parts apart; `serve` runs everything)."""
    settings = settings_or_exit(config_path)
    configure_logs("receiver")
    if settings.redis_url is not None:
        before_receiving(settings, store_url(settings))
    loader = partial(load_receiver, config_path)
    sys.exit(run_receiver(loader, settings.listen, blocking_threads=threads(settings)))
