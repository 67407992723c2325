"""`tocsin rules shadow`: what rules in shadow mode would have declared, by the record of the server."""

from collections import Counter
from typing import Any

import click

from tocsin.client import Client
from tocsin.commands.printing import Out, instant, pairs
from tocsin.commands.remote import with_client

MOST = 200


@click.command("shadow")
@click.option("--since", metavar="DURATION", default="7d", show_default=True, help="How far back.")
@with_client
def show_shadow(client: Client, out: Out, since: str) -> None:
    """Show the incidents that rules in shadow mode would have declared."""
    answer = client.get("/shadow", {"since": since, "limit": MOST})
    found = answer["shadow_incidents"]
    if out.is_json:
        out.json(answer)
        return
    if not found:
        out.line(f"No rule in shadow mode would have declared anything in the last {since}.")
        return
    counts = Counter((each["rule"], each["severity"]) for each in found)
    for (rule, severity), number in sorted(counts.items()):
        out.line(f"{rule} would have declared {number} {severity} in the last {since}")
    out.line()
    out.table(("RULE", "SEVERITY", "IDENTITY", "BEGAN", "LAST", "ALERTS", "FIRING"), [_row(each) for each in found])


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    began, last = instant(each["first_at"]), instant(each["last_at"])
    counted = (str(each["alerts"]), str(each["firing"]))
    return (each["rule"], each["severity"], pairs(each["identity"]), began, last, *counted)
