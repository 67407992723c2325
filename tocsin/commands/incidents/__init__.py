"""`tocsin incidents`: look at incidents and act on them. Each command is imported when it is asked for.

A command has its line here and lives in a module beside this one; `asking.py` has what those on one incident share.
"""

import click

from tocsin.commands.lazy import LazyGroup

HERE = "tocsin.commands.incidents"
COMMANDS = {
    "acknowledge": f"{HERE}.acting:acknowledge",
    "communicate": f"{HERE}.documenting:communicate",
    "declare": f"{HERE}.declaring:declare",
    "dismiss": f"{HERE}.acting:dismiss",
    "document": f"{HERE}.documenting:document",
    "escalate": f"{HERE}.acting:escalate",
    "export": f"{HERE}.exporting:export",
    "list": f"{HERE}.listing:list_",
    "merge": f"{HERE}.merging:merge",
    "mitigate": f"{HERE}.acting:mitigate",
    "note": f"{HERE}.acting:note",
    "objectives": f"{HERE}.merging:objectives",
    "postmortem": f"{HERE}.postmortems:postmortem",
    "postmortems": f"{HERE}.postmortems:postmortems",
    "reopen": f"{HERE}.acting:reopen",
    "resolve": f"{HERE}.acting:resolve",
    "role": f"{HERE}.roles:role_",
    "share": f"{HERE}.sharing:share",
    "show": f"{HERE}.listing:show",
    "stakeholder": f"{HERE}.documenting:stakeholder",
    "task": f"{HERE}.documenting:task",
    "unacknowledge": f"{HERE}.acting:unacknowledge",
    "unshare": f"{HERE}.sharing:unshare",
    "watch": f"{HERE}.watch:watch",
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def incidents() -> None:
    """Look at incidents and act on them."""
