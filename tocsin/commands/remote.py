"""What the commands share that speak with a server: their options, whom they speak to, and how they end.

Codes: 0 done, 1 the server refused or a check failed, 2 usage, 4 the server cannot be reached.
"""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from incidents.errors import TocsinError
from tocsin.client import ANSWER_SECONDS, Client, Refused, Unreachable
from tocsin.commands.credentials import api_token
from tocsin.commands.options import FAILED, UNUSABLE, config_option, said, settings_or_exit
from tocsin.commands.printing import FORMATS, TEXT, Out, clean
from tocsin.settings import ConfigurationError, Settings, environment
from tocsin.user_config import UserConfig, user_config

UNREACHABLE = 4
TOKEN_VARIABLE = "TOCSIN_TOKEN"  # noqa: S105 - the name of a variable
UNAUTHORIZED = 401

output_option = click.option(
    "--output", type=click.Choice(FORMATS), default=TEXT, show_default=True, help="For people, or for programs."
)
server_option = click.option(
    "--server",
    metavar="URL",
    help="The address of Tocsin; by default that of the configuration, else of ~/.config/tocsin/config.yml.",
)


def with_out(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--output` and `--config`, and, as its first arguments, where to print and the path."""

    @functools.wraps(command)
    def run(*args: Any, output: str, config_path: Path | None, **kwargs: Any) -> None:  # noqa: ANN401 - the command's
        ended(lambda: command(Out(output), config_path, *args, **kwargs))

    return config_option(output_option(run))


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--server`, `--output` and `--config`, and, as its first arguments, the client and the printer."""

    @functools.wraps(command)
    def run(*args: Any, output: str, config_path: Path | None, server: str | None, **kwargs: Any) -> None:  # noqa: ANN401 - the command's
        ended(lambda: command(client_of(config_path, server), Out(output), *args, **kwargs))

    return config_option(output_option(server_option(run)))


def client_of(config_path: Path | None, server: str | None, *, timeout: float = ANSWER_SECONDS) -> Client:
    """Return a client for the server and the token that are configured; ends the command where there is no token."""
    settings = settings_or_exit(config_path)
    if server is not None and not server.startswith(("http://", "https://")):
        raise click.UsageError(f"--server must be an address like {settings.external_url}")
    mine = _user_config_or_exit() if settings.config_path is None else None
    address = (server or (mine.server if mine is not None else settings.external_url)).rstrip("/")
    token = environment().get(TOKEN_VARIABLE, "") or _token_for(address, settings, mine)
    if not token:
        end(UNUSABLE, no_token(settings.needs_default_api_token and mine is None))
    return Client(address, token, timeout=timeout)


def _user_config_or_exit() -> UserConfig | None:
    try:
        return user_config(environment())
    except ConfigurationError as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)


def _token_for(address: str, settings: Settings, mine: UserConfig | None) -> str:
    """Return the token that is sent to an address: a person's own goes to the server that it is for, and no other."""
    if mine is None:
        return api_token(settings)
    return mine.token if address == mine.server else ""


def no_token(is_default: bool) -> str:  # noqa: FBT001 - which of two texts
    """Return why there is no token to send, and what to do."""
    if is_default:
        here = "run this where `tocsin serve` runs, or name its tocsin.yml by --config"
        return f"there is no token: {here}, or set {TOKEN_VARIABLE}, or give it in ~/.config/tocsin/config.yml"
    return f"the configuration has no API token in plain for this server: set {TOKEN_VARIABLE}, or give a token_file"


def ended(action: Callable[[], None]) -> None:
    """Run a command's work; its errors end the command with one clear text and the code that goes with it."""
    try:
        action()
    except Unreachable as error:
        end(UNREACHABLE, f"{error}\nis `tocsin serve` running? another address: --server URL")
    except Refused as error:
        hint = f"\nwhich token is sent: {TOKEN_VARIABLE}, else that of the configuration"
        end(FAILED, f"{error}{hint if error.status == UNAUTHORIZED else ''}")
    except BrokenPipeError:
        raise  # whoever read our output has enough of it: click ends the command without a word
    except (TocsinError, OSError) as error:
        end(FAILED, said(error))


def end(code: int, text: str) -> NoReturn:
    """End the command with a text on standard error."""
    click.echo(f"tocsin: {clean(text)}", err=True)
    sys.exit(code)
