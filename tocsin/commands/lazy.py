"""Groups of commands whose help tells all; a lazy one imports a command when it is asked for, and not before."""

import importlib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import click

from tocsin.commands.examples import EXAMPLES

MOST_MEANT = 3


class ToldGroup(click.Group):
    """A group whose help tells the first sentence of each command whole, over several lines where it needs them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names of the commands, each with what it is for."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(limit=400)) for name, command in found if command is not None]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


class LazyGroup(ToldGroup):
    """A group that knows its commands by name and by the place (`module:attribute`) where each is defined."""

    def __init__(self, *args: Any, commands_at: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*args, **kwargs)
        self._commands_at = commands_at
        self.path = ""  # below `tocsin`

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return sorted(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        del ctx
        if cmd_name not in self._commands_at:
            return None
        module, _, name = self._commands_at[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        give_examples(command, f"{self.path} {cmd_name}".strip())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for; raises `click.UsageError`, which names the one that may be meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            meant = self._meant(ctx, args[0])
            if not meant:
                raise
            raise click.UsageError(f"{error.message} Did you mean {' or '.join(meant)}?", ctx) from None

    def _meant(self, ctx: click.Context, word: str) -> list[str]:
        """Return the commands that may be meant: first what has that very name in a group below, then what is alike."""
        below = dict(self._below(ctx))
        meant = [name for name, leaf in below.items() if leaf == word]
        meant = meant or [name for name in self._commands_at if name.startswith(word)]
        meant = meant or [name for name, leaf in below.items() if leaf.startswith(word)]
        meant = (meant or get_close_matches(word, self._commands_at))[:MOST_MEANT]
        return [f"'{name}'" for name in meant]

    def _below(self, ctx: click.Context) -> Iterator[tuple[str, str]]:
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if isinstance(command, click.Group):
                yield from ((f"{name} {leaf}", leaf) for leaf in command.list_commands(ctx))


def give_examples(command: click.Command, path: str) -> None:
    """Let the help of a command, and of those below it, end with their examples."""
    if isinstance(command, LazyGroup):
        command.path = path
    elif isinstance(command, click.Group):
        for name, below in command.commands.items():
            give_examples(below, f"{path} {name}")
    elif path in EXAMPLES:
        lines = "\n".join(f"  {line}" for line in EXAMPLES[path])
        command.epilog = f"\b\nExamples:\n{lines}"
