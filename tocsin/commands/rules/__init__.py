"""`tocsin rules`: what an author of rules needs. One module each, imported when its command is asked for."""

import click

from tocsin.commands.lazy import LazyGroup

COMMANDS = {
    "backtest": "tocsin.commands.rules.backtest:backtest",
    "check": "tocsin.commands.rules.check:check_files",
    "diff": "tocsin.commands.rules.diff:show_diff",
    "explain": "tocsin.commands.rules.explain:explain",
    "packs": "tocsin.commands.rules.packs:show_packs",
    "schema": "tocsin.commands.rules.schema:print_schema",
    "shadow": "tocsin.commands.rules.shadow:show_shadow",
    "test": "tocsin.commands.rules.test:test_files",
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def rules() -> None:
    """Check rule files, and what else their authors need."""
