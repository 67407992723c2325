"""`tocsin connect`: prints what to paste into a sender, with the real address and where its token is."""

from pathlib import Path
from string import Template

import click
import msgspec

from tocsin.commands.credentials import Known, alert_sources
from tocsin.commands.options import FAILED, settings_or_exit
from tocsin.commands.printing import Out
from tocsin.commands.remote import end, with_out
from tocsin.tokens import SOURCE_TOKEN_FILE, keep_token

WEBHOOK = "/webhooks/alertmanager"
PLACE_OF_TOKEN = Path("/etc/alertmanager/tocsin.token")

SNIPPET = Template("""\
# For alertmanager.yml. Then: amtool check-config alertmanager.yml, and reload (kill -HUP, or POST /-/reload).
#
# Beside your own receivers:
receivers:
- name: tocsin
  webhook_configs:
  - url: $url
    # Resolved alerts are what closes an incident.
    send_resolved: true
    # 0 sends every alert of a group, but a body over 64 MiB is refused, and Alertmanager does not try it again. What is
    # cut off is lost too: it is counted in tocsin_alerts_truncated_total. Group by more labels rather than reach this.
    max_alerts: 20000
    http_config:
      authorization:
        type: Bearer
        # $token_note
        credentials_file: $token_file

# Where you have routes already, keep your receiver at the top and put these before them.
route:
  receiver: tocsin
  routes:
  # The alert that always fires proves that the way is open: each by itself, about once a minute.
  - receiver: tocsin
    matchers: ['alertname="Watchdog"']
    group_by: ['...']
    group_wait: 0s
    group_interval: 10s
    repeat_interval: 50s
  # Everything else. Tocsin tells repeats apart and waits by its own rules, so nothing need wait here.
  - receiver: tocsin
    continue: true
    group_wait: 1s
    group_interval: 15s
    repeat_interval: 1h
  # Your own routes follow here, and continue lets them apply. The receiver at the top gets only what no route matched,
  # so let the last route name it:
  # - receiver: the one at the top
""")


@click.group()
def connect() -> None:
    """Print what to paste into a sender of alerts."""


@connect.command()
@click.option("--source", help="Which source of the configuration; by default the first of the kind alertmanager.")
@with_out
def alertmanager(out: Out, config_path: Path | None, source: str | None) -> None:
    """Print the receiver and the routes for an Alertmanager."""
    settings = settings_or_exit(config_path)
    if settings.needs_default_source:
        # Made now rather than at the first start, so that what is printed is there when Alertmanager reads it.
        keep_token(settings.data_dir / SOURCE_TOKEN_FILE)
    chosen = _chosen(alert_sources(settings), source)
    file = chosen.file.absolute() if chosen.file else PLACE_OF_TOKEN
    url = settings.external_url + WEBHOOK
    note = _note(chosen)
    if out.is_json:
        out.json({"source": chosen.name, "url": url, "token_file": str(file), "snippet": _snippet(url, file, note)})
    else:
        out.raw(_snippet(url, file, note))


def _chosen(sources: list[Known], name: str | None) -> Known:
    if not sources:
        end(FAILED, "the configuration has no source of the kind alertmanager: add one, with a token of `tocsin token`")
    for source in sources:
        if name in {None, source.name}:
            return source
    return end(FAILED, f"there is no source {name!r} of that kind; there is {', '.join(each.name for each in sources)}")


def _note(source: Known) -> str:
    if source.file is not None:
        return f"The token of the source {source.name}. Run by another user or elsewhere: a copy that only it can read."
    return f"Write the token of the source {source.name} into this file, for Alertmanager alone to read."


def _snippet(url: str, file: Path, note: str) -> str:
    """Return the snippet; addresses and paths are quoted as JSON, which YAML reads."""
    quoted = {name: msgspec.json.encode(value).decode() for name, value in (("url", url), ("token_file", str(file)))}
    return SNIPPET.substitute(quoted, token_note=note).rstrip("\n")
