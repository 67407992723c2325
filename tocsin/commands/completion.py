"""`tocsin completion`: prints what lets a shell complete commands, options and their values."""

from pathlib import Path

import click
from click.shell_completion import ShellComplete, get_completion_class

from tocsin.commands.printing import Out
from tocsin.commands.remote import with_out

SHELLS = ("bash", "zsh", "fish")
PROGRAM, VARIABLE = "tocsin", "_TOCSIN_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@with_out
@click.pass_context
def completion(ctx: click.Context, out: Out, config_path: Path | None, shell: str) -> None:
    """Print the completion for a shell, to be kept where that shell looks for it."""
    del config_path
    script = script_for(ctx.find_root().command, shell)
    if out.is_json:
        out.json({"shell": shell, "script": script})
    else:
        out.raw(script.rstrip("\n"))


def script_for(command: click.Command, shell: str) -> str:
    """Return the script for a shell; it asks `tocsin` itself, so that it knows every command of any version."""
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click knows these shells
    # That of the class for bash would run bash, which may be elsewhere than where this is printed.
    return ShellComplete.source(found(command, {}, PROGRAM, VARIABLE))
