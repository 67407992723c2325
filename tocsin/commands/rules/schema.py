"""`tocsin rules schema`: the JSON Schema of rule files, for editors and other programs."""

import click

from rules.schema import render_schema
from tocsin.commands.options import config_option


@click.command("schema")
@config_option
def print_schema(**options: object) -> None:
    """Print the JSON Schema (draft-07) of rule files, with which editors complete and check."""
    del options  # every sub-command takes --config; what a rule file may hold does not depend on it
    click.echo(render_schema(), nl=False)
