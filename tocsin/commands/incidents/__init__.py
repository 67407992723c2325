"""`tocsin incidents`: look at incidents and act on them. Each command is imported when it is asked for.

A command has its line here and lives in a module beside this one; `asking.py` has what those on one incident share.
"""

import click

from tocsin.commands.lazy import LazyGroup

HERE = "tocsin.commands.incidents"
COMMANDS = {
    "acknowledge": f"{HERE}.acting:acknowledge",
    "declare": f"{HERE}.declaring:declare",
    "dismiss": f"{HERE}.acting:dismiss",
    "escalate": f"{HERE}.acting:escalate",
    "list": f"{HERE}.listing:list_",
    "mitigate": f"{HERE}.acting:mitigate",
    "note": f"{HERE}.acting:note",
    "reopen": f"{HERE}.acting:reopen",
    "resolve": f"{HERE}.acting:resolve",
    "role": f"{HERE}.roles:role_",
    "show": f"{HERE}.listing:show",
    "unacknowledge": f"{HERE}.acting:unacknowledge",
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def incidents() -> None:
    """Look at incidents and act on them."""
