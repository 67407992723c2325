"""The command line: which command lives in which module. A command's module is imported when it is asked for.

A worker that takes over from a dead one has half a second, so it must not import what other commands need.
"""

import click

from tocsin import __version__
from tocsin.commands.lazy import LazyGroup

COMMANDS = {
    "action": "tocsin.commands.action:action",
    "backup": "tocsin.commands.backup:backup",
    "completion": "tocsin.commands.completion:completion",
    "connect": "tocsin.commands.connect:connect",
    "doctor": "tocsin.commands.doctor:doctor",
    "healthcheck": "tocsin.commands.healthcheck:healthcheck",
    "incidents": "tocsin.commands.incidents:incidents",
    "init": "tocsin.commands.init:init",
    "maintenance": "tocsin.commands.maintenance:maintenance",
    "oncall": "tocsin.commands.oncall:oncall",
    "page": "tocsin.commands.page:page",
    "post-incident-actions": "tocsin.commands.post_incident_actions:post_incident_actions",
    "quarantine": "tocsin.commands.quarantine:quarantine",
    "receiver": "tocsin.commands.receiver:receiver",
    "restore": "tocsin.commands.restore:restore",
    "rules": "tocsin.commands.rules:rules",
    "serve": "tocsin.commands.serve:serve",
    "statistics": "tocsin.commands.statistics:statistics",
    "token": "tocsin.commands.token:token",
    "worker": "tocsin.commands.worker:worker",
}


@click.group(
    cls=LazyGroup, commands_at=COMMANDS, name="tocsin", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="tocsin")
def main() -> None:
    """Turn monitoring alerts into well-run incidents.

    Begin with `tocsin serve` (or `tocsin init` for a configuration to edit), then `tocsin doctor`. Each command has
    --help with examples. Exit codes: 0 done, 1 refused or a check failed, 2 usage or an unusable file, 3 warnings under
    --strict, 4 no server.
    """
