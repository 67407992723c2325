"""`tocsin worker`: one of the workers alone."""

import sys
from pathlib import Path

import click

from tocsin.commands.options import config_option, settings_or_exit, told
from tocsin.logs import configure_logs
from tocsin.redis_urls import store_url
from tocsin.working import decide_worker, pages_worker

PARTS = {"decide": decide_worker, "pages": pages_worker}


@click.command()
@click.argument("part", type=click.Choice(sorted(PARTS)))
@config_option
@told
def worker(part: str, config_path: Path | None) -> None:
    """Run one worker alone: `decide` judges alerts, `pages` delivers pages. A second one stands by."""
    settings = settings_or_exit(config_path)
    configure_logs(part)
    sys.exit(PARTS[part](settings, store_url(settings))())
