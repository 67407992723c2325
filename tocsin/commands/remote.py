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
from tocsin.client import Client, Refused, Unreachable
from tocsin.commands.credentials import api_token
from tocsin.commands.options import FAILED, UNUSABLE, config_option, settings_or_exit
from tocsin.commands.printing import FORMATS, TEXT, Out, clean
from tocsin.settings import environment

UNREACHABLE = 4
TOKEN_VARIABLE = "TOCSIN_TOKEN"  # noqa: S105 - the name of a variable
UNAUTHORIZED = 401

output_option = click.option("--output", type=click.Choice(FORMATS), default=TEXT, show_default=True)
server_option = click.option(
    "--server", metavar="URL", help="The address of Tocsin; by default the external_url of the configuration."
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


def client_of(config_path: Path | None, server: str | None) -> Client:
    """Return a client for the server and the token that are configured; ends the command where there is no token."""
    settings = settings_or_exit(config_path)
    if server is not None and not server.startswith(("http://", "https://")):
        raise click.UsageError(f"--server must be an address like {settings.external_url}")
    token = environment().get(TOKEN_VARIABLE, "") or api_token(settings)
    if not token:
        end(UNUSABLE, no_token(settings.needs_default_api_token))
    return Client(server or settings.external_url, token)


def no_token(is_default: bool) -> str:  # noqa: FBT001 - which of two texts
    """Return why there is no token to send, and what to do."""
    if is_default:
        return f"there is no token yet: start `tocsin serve` here once, or set {TOKEN_VARIABLE}"
    return f"the configuration has no API token in plain: set {TOKEN_VARIABLE}, or give one as token_file"


def ended(action: Callable[[], None]) -> None:
    """Run a command's work; its errors end the command with one clear text and the code that goes with it."""
    try:
        action()
    except Unreachable as error:
        end(UNREACHABLE, f"{error}\nis `tocsin serve` running? another address: --server URL")
    except Refused as error:
        hint = f"\nwhich token is sent: {TOKEN_VARIABLE}, else that of the configuration"
        end(FAILED, f"{error}{hint if error.status == UNAUTHORIZED else ''}")
    except (TocsinError, OSError) as error:
        end(FAILED, str(error))


def end(code: int, text: str) -> NoReturn:
    """End the command with a text on standard error."""
    click.echo(f"tocsin: {clean(text)}", err=True)
    sys.exit(code)
