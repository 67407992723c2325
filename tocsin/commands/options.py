"""What every command shares: finding the configuration, and saying what is wrong with it."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from incidents.errors import TocsinError
from tocsin.config_file import load_settings
from tocsin.settings import ConfigurationError, Settings, environment

FAILED, UNUSABLE = 1, 2

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration; by default $TOCSIN_CONFIG, else ./tocsin.yml if there is one.",
)

log_output_option = click.option(
    "--output",
    type=click.Choice(("text", "json")),
    help="How it logs: for people, or one JSON object a line; by default what suits the terminal.",
)


def settings_or_exit(config_path: Path | None) -> Settings:
    """Return the settings; a configuration that cannot be used ends the command with every error, and code 2."""
    try:
        settings = load_settings(config_path, environment())
    except ConfigurationError as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)
    for warning in settings.warnings:
        click.echo(str(warning), err=True)
    return settings


def said(error: Exception) -> str:
    """Return what an error says: one of the operating system names its file first, and without a number."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def told(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command end with one clear line and code 1 where Tocsin itself raises, never with a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the command takes and returns
        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            raise  # whoever read our output has enough of it: click ends the command without a word
        except (TocsinError, OSError) as error:
            click.echo(f"tocsin: {said(error)}", err=True)
            sys.exit(FAILED)

    return run
