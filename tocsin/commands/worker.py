"""`tocsin worker`: one of the workers alone."""

import importlib
import sys
from pathlib import Path

import click

from incidents.errors import StoreUnavailable
from tocsin.commands.options import config_option, log_output_option, settings_or_exit, told
from tocsin.durability import ensure_durable_if_there
from tocsin.logs import configure_logs
from tocsin.redis_urls import store_url

# By name, imported when they run: one part must not import what only the other needs.
PARTS = {"decide": "tocsin.decide_worker", "facts": "tocsin.facts_worker", "pages": "tocsin.pages_worker"}


@click.command()
@click.argument("part", type=click.Choice(sorted(PARTS)))
@config_option
@log_output_option
@told
def worker(part: str, config_path: Path | None, output: str | None) -> None:
    """Run one worker alone: `decide` judges alerts, `pages` delivers pages, `facts` asks others."""
    settings = settings_or_exit(config_path)
    configure_logs(part, output=output)
    url = store_url(settings)
    if settings.redis_url is not None:  # the embedded one is as we start it
        ensure_durable_if_there(settings, url)
    try:
        sys.exit(importlib.import_module(PARTS[part]).run(settings, url))
    except StoreUnavailable as error:
        hint = "" if settings.redis_url else "\nthe embedded store is run by `tocsin serve`; parts apart need redis_url"
        raise StoreUnavailable(f"{error}{hint}") from error
