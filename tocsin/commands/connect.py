"""`tocsin connect`: prints what to paste into a sender, with the real address and where its token is."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import click
import msgspec

from tocsin.commands.connect_texts import (
    ALERTMANAGER,
    GENERIC,
    GENERIC_SIGNED,
    GENERIC_TOKEN,
    GRAFANA,
    NOT_CONFIGURED,
    OF_MAPPING,
    PAGERDUTY,
    PAGERDUTY_EVENTS,
    PROMETHEUS,
)
from tocsin.commands.credentials import Known, sources_of
from tocsin.commands.lazy import ToldGroup
from tocsin.commands.options import FAILED, settings_or_exit
from tocsin.commands.printing import Out
from tocsin.commands.remote import end, with_out
from tocsin.settings import Settings, SourceKind
from tocsin.tokens import SOURCE_TOKEN_FILE, keep_token

WEBHOOK = "/webhooks/alertmanager"
GENERIC_WEBHOOK = "/webhooks/generic/"
PLACE_OF_TOKEN = Path("/etc/alertmanager/tocsin.token")
TOKEN, ROUTING_KEY, SIGNING_SECRET = "token", "routing_key", "signing_secret"

source_option = click.option("--source", help="Which source of the configuration; by default the first of this kind.")


class Sender(NamedTuple):
    """What is the same for every source of a kind: where it posts to, its credential, and where that goes there."""

    kind: SourceKind
    path: str
    credential: str = TOKEN
    place: Path = Path("/etc/tocsin/token")


class Made(NamedTuple):
    """A snippet, and the values that it was made of."""

    source: str
    url: str
    file: Path
    text: str


@click.group(cls=ToldGroup)
def connect() -> None:
    """Print what to paste into a sender of alerts."""


@connect.command()
@source_option
@with_out
def alertmanager(out: Out, config_path: Path | None, source: str | None) -> None:
    """Print the receiver and the routes for an Alertmanager."""
    settings = settings_or_exit(config_path)
    if settings.needs_default_source:
        # Made now rather than at the first start, so that what is printed is there when Alertmanager reads it.
        keep_token(settings.data_dir / SOURCE_TOKEN_FILE)
    sender = Sender(SourceKind.ALERTMANAGER, WEBHOOK, place=PLACE_OF_TOKEN)
    chosen = _chosen(sources_of(settings, sender.kind), source)
    if chosen is None:
        end(FAILED, "the configuration has no source of the kind alertmanager: add one, with a token of `tocsin token`")

    def text(known: Known, url: str, file: Path) -> str:
        note = _file_note(known, sender, "Alertmanager")
        return ALERTMANAGER.substitute(url=_quoted(url), token_file=_quoted(str(file)), token_note=note)

    _print(out, _made(settings, sender, chosen, text))


@connect.command()
@source_option
@with_out
def prometheus(out: Out, config_path: Path | None, source: str | None) -> None:
    """Print the alerting section for a Prometheus that takes Tocsin for an Alertmanager."""
    settings = settings_or_exit(config_path)
    sender = Sender(SourceKind.PROMETHEUS, "/api/v2/alerts", place=Path("/etc/prometheus/tocsin.token"))
    at = urlsplit(settings.external_url)

    def text(known: Known, _: str, file: Path) -> str:
        return PROMETHEUS.substitute(
            scheme=at.scheme,
            host=_quoted(at.netloc),
            prefix=_quoted(at.path or "/"),
            token_file=_quoted(str(file)),
            token_note=_file_note(known, sender, "Prometheus"),
        )

    _print(out, _made(settings, sender, _chosen(sources_of(settings, sender.kind), source), text))


@connect.command()
@source_option
@with_out
def pagerduty(out: Out, config_path: Path | None, source: str | None) -> None:
    """Print how PagerDuty tells what people do there: its webhooks (V3)."""
    settings = settings_or_exit(config_path)
    kept = Path("/etc/tocsin/pagerduty.secret")
    sender = Sender(SourceKind.PAGERDUTY, "/webhooks/pagerduty", SIGNING_SECRET, kept)

    def text(known: Known, url: str, file: Path) -> str:
        place = str(file) if known.file or not known.name else f"signing_secret of the source {known.name}"
        return PAGERDUTY.substitute(url=url, quoted_url=_quoted(url), token_note=f"it goes into {place}.")

    _print(out, _made(settings, sender, _chosen(sources_of(settings, sender.kind), source), text))


@connect.command("pagerduty-events")
@source_option
@with_out
def pagerduty_events(out: Out, config_path: Path | None, source: str | None) -> None:
    """Print how a sender of PagerDuty's Events API v2 sends to Tocsin instead."""
    settings = settings_or_exit(config_path)
    sender = Sender(SourceKind.PAGERDUTY_EVENTS, "/v2/enqueue", ROUTING_KEY, PLACE_OF_TOKEN)

    def text(known: Known, url: str, file: Path) -> str:
        change = url.removesuffix("/enqueue") + "/change/enqueue"
        note = _file_note(known, sender, "the sender")
        return PAGERDUTY_EVENTS.substitute(
            url=url, change_url=change, quoted_url=_quoted(url), token_file=_quoted(str(file)), token_note=note
        )

    _print(out, _made(settings, sender, _chosen(sources_of(settings, sender.kind), source), text))


@connect.command()
@source_option
@with_out
def grafana(out: Out, config_path: Path | None, source: str | None) -> None:
    """Print the contact point for a Grafana."""
    settings = settings_or_exit(config_path)
    sender = Sender(SourceKind.GRAFANA, "/webhooks/grafana", place=Path("/etc/tocsin/grafana.token"))

    def text(known: Known, url: str, _: Path) -> str:
        return GRAFANA.substitute(quoted_url=_quoted(url), token_note=_note(known, sender))

    _print(out, _made(settings, sender, _chosen(sources_of(settings, sender.kind), source), text))


@connect.command()
@source_option
@with_out
def generic(out: Out, config_path: Path | None, source: str | None) -> None:
    """Print how any sender of JSON posts to a source with a mapping."""
    settings = settings_or_exit(config_path)
    chosen = _chosen(sources_of(settings, SourceKind.GENERIC), source)
    if chosen is None:
        end(
            FAILED,
            "the configuration has no source of the kind generic: add one such as\n"
            "sources:\n- {name: sentry, kind: generic, signing_secret_file: sentry.secret, mapping: sentry}\n"
            f"its mapping is one of {', '.join(OF_MAPPING)}, or your own",
        )
    configured = next(each for each in settings.sources if each.name == chosen.name)
    credential = TOKEN if configured.token_hashes else SIGNING_SECRET
    sender = Sender(SourceKind.GENERIC, GENERIC_WEBHOOK + chosen.name, credential)
    shipped = configured.mapping if isinstance(configured.mapping, str) else ""

    def text(known: Known, url: str, _: Path) -> str:
        scheme, rest = url.split("://", 1)
        values = {"name": known.name, "mapping": shipped or "your own", "url": url, "note": _note(known, sender)}
        by_token = GENERIC_TOKEN.substitute(values, url_with_token=f"{scheme}://tocsin:TOKEN@{rest}")
        how = by_token if sender.credential == TOKEN else GENERIC_SIGNED.substitute(values)
        return GENERIC.substitute(values) + how + OF_MAPPING.get(shipped, "")

    _print(out, _made(settings, sender, chosen, text))


def _print(out: Out, made: Made) -> None:
    if out.is_json:
        out.json({"source": made.source, "url": made.url, "token_file": str(made.file), "snippet": made.text})
    else:
        out.raw(made.text)


def _made(settings: Settings, sender: Sender, chosen: Known | None, text: Callable[[Known, str, Path], str]) -> Made:
    """Return the snippet for a source; where there is none yet, it begins with what to configure."""
    known = chosen or Known("", "", None)
    file = known.file.absolute() if known.file else sender.place
    url = settings.external_url + sender.path
    made = text(known, url, file).rstrip("\n")
    if chosen is None:
        made = _not_configured(settings, sender) + made
    return Made(known.name, url, file, made)


def _not_configured(settings: Settings, sender: Sender) -> str:
    is_theirs = sender.credential == SIGNING_SECRET
    return NOT_CONFIGURED.substitute(
        config=settings.config_path or "tocsin.yml",
        name=sender.kind.value,
        kind=sender.kind.value,
        credential=f"{sender.credential}_file" if is_theirs else sender.credential,
        place=str(sender.place) if is_theirs else '"sha256:..."',
        how="" if is_theirs else "  # as `tocsin token` prints it",
    )


def _chosen(sources: list[Known], name: str | None) -> Known | None:
    """Return the source of that name, the first without one, None where there is none; an unknown name ends it."""
    for source in sources:
        if name in {None, source.name}:
            return source
    if name is None:
        return None
    there = ", ".join(each.name for each in sources) or "none"
    return end(FAILED, f"there is no source {name!r} of that kind; there is {there}")


def _file_note(source: Known, sender: Sender, reader: str) -> str:
    """Return what to do with the file that the sender reads its credential from."""
    what = sender.credential.replace("_", " ")
    if source.file is not None:
        return f"The {what} of the source {source.name}. On another host: a copy, for {reader} alone to read."
    whose = f" of the source {source.name}" if source.name else ""
    return f"Write the {what}{whose} into {'this file' if whose else str(sender.place)}, for {reader} alone to read."


def _note(source: Known, sender: Sender) -> str:
    """Return where the credential is."""
    what = sender.credential.replace("_", " ")
    if source.file is not None:
        return f"The {what} of the source {source.name} is in {source.file.absolute()}."
    whose = f" of the source {source.name}" if source.name else ""
    return f"It is the {what}{whose}, as `tocsin token` showed it once."


def _quoted(text: str) -> str:
    """Return a text quoted as JSON, which YAML reads."""
    return msgspec.json.encode(text).decode()
