"""`tocsin token`: makes a token and shows it once."""

from pathlib import Path

import click

from tocsin.commands.printing import Out
from tocsin.commands.remote import with_out
from tocsin.tokens import new_token


@click.command()
@with_out
def token(out: Out, config_path: Path | None) -> None:
    """Make a token and print it once, with its `sha256:` for the configuration."""
    del config_path  # every sub-command takes --config; a token depends on nothing
    made = new_token()
    if out.is_json:
        out.json({"token": made.text, "sha256": made.digest})
        return
    out.raw(f"token, shown only now; give it to the sender:\n  {made.text}")
    out.raw(f"for tocsin.yml, under sources or api_tokens:\n  token: {made.digest}")
