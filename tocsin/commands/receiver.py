"""`tocsin receiver`: the HTTP side alone."""

import importlib
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from receiver.seats import SEATS
from tocsin.commands.options import config_option, log_output_option, settings_or_exit, told
from tocsin.granian_app import run_receiver, threads
from tocsin.logs import configure_logs
from tocsin.redis_urls import store_url
from tocsin.startup import before_receiving

# By name, imported in the processes that answer: the one that starts them needs nothing of it.
RECEIVING = "tocsin.receiving"


@click.command()
@config_option
@log_output_option
@told
def receiver(config_path: Path | None, output: str | None) -> None:
    """Run the receiver alone (parts apart; `serve` runs everything)."""
    settings = settings_or_exit(config_path)
    configure_logs("receiver", output=output)
    if settings.redis_url is not None:
        before_receiving(settings, store_url(settings))
    loader = partial(load, config_path)
    sys.exit(run_receiver(loader, settings.listen, blocking_threads=threads(settings) + SEATS, output=output))


def load(config_path: Path | None) -> Any:  # noqa: ANN401 - a WSGI application
    """Return the application of one receiver process."""
    return importlib.import_module(RECEIVING).load_receiver(config_path)
