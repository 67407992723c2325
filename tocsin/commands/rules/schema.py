"""`tocsin rules schema`: the JSON Schema of rule files, for editors and other programs."""

import click

from rules.schema import render_schema
from tocsin.commands.options import config_option
from tocsin.commands.remote import output_option


@click.command("schema")
@config_option
@output_option
def print_schema(**options: object) -> None:
    """Print the JSON Schema (draft-07) of rule files, with which editors complete and check."""
    del options  # every sub-command takes these; the schema depends on no configuration, and is JSON in any case
    click.echo(render_schema(), nl=False)
