"""The command line: which command lives in which module. A command's module is imported when it is asked for.

A worker that takes over from a dead one has half a second, so it must not import what other commands need.
"""

import importlib

import click

from tocsin import __version__

COMMANDS = {
    "action": "tocsin.commands.action:action",
    "connect": "tocsin.commands.connect:connect",
    "doctor": "tocsin.commands.doctor:doctor",
    "healthcheck": "tocsin.commands.healthcheck:healthcheck",
    "incidents": "tocsin.commands.incidents:incidents",
    "init": "tocsin.commands.init:init",
    "oncall": "tocsin.commands.oncall:oncall",
    "quarantine": "tocsin.commands.quarantine:quarantine",
    "receiver": "tocsin.commands.receiver:receiver",
    "rules": "tocsin.commands.rules:rules",
    "serve": "tocsin.commands.serve:serve",
    "token": "tocsin.commands.token:token",
    "worker": "tocsin.commands.worker:worker",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=LazyGroup, name="tocsin", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tocsin")
def main() -> None:
    """Turn monitoring alerts into well-run incidents."""
