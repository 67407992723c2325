"""`tocsin rules explain`: why something was, or was not, an incident; what is pasted needs no server."""

import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from incidents.alert import Alert
from incidents.clock import utc_now
from rules.durations import parse_duration
from rules.explain.inputs import WORD, NotAnAlert, of_text, of_words
from rules.explain.pasted import Pasting
from rules.explain.telling import told
from rules.explain.values import Explanation
from rules.loading.yaml import MAX_BYTES
from tocsin.commands.instants import read_instant
from tocsin.commands.options import UNUSABLE, config_option, settings_or_exit
from tocsin.commands.printing import Out
from tocsin.commands.remote import client_of, end, ended, output_option, server_option
from tocsin.commands.rules.sets import tried_set

INCIDENT = re.compile(r"INC-\d{4}-\d{4,}")
EVENT = re.compile(r"\d{10,}-\d+(\.t?\d+)?")
KEY = re.compile(r"[A-Za-z0-9_.-]+/[0-9A-Za-z_.:-]+")
STANDARD_INPUT = "-"


class Wanted(NamedTuple):
    """What is to be explained, as the words of the command line say it, and what the other words are: rules."""

    event: str
    incident: str
    alert: str
    words: tuple[str, ...]
    files: tuple[str, ...]
    rules: tuple[str, ...]


def read_firing_for(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """Read a duration as Prometheus writes it."""
    try:
        return parse_duration(value) if value is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error), ctx=ctx, param=param) from None


@click.command("explain")
@click.argument("paths", nargs=-1, metavar="[PATH...] [INC-... | EVENT | name=value... | -]")
@click.option("--event", default="", metavar="ID", help="An event: the event_id of a 202 answer.")
@click.option("--incident", default="", metavar="ID", help="An incident, and every event that changed it.")
@click.option("--alert", default="", metavar="ALERT", help="SOURCE/FINGERPRINT, or a file of alerts.")
@click.option("--at", "instant", metavar="INSTANT", callback=read_instant, help="When to look at what is pasted.")
@click.option("--firing-for", metavar="DURATION", callback=read_firing_for, help="How long what is pasted has fired.")
@click.option("--all", "every_miss", is_flag=True, help="List every rule that does not match.")
@server_option
@output_option
@config_option
def explain(paths: tuple[str, ...], config_path: Path | None, output: str, server: str | None, **given: Any) -> None:  # noqa: ANN401 - options
    """Explain why something was, or was not, an incident.

    An incident, an event or an alert that came is asked of the server. Labels (name=value) or a pasted alert (a file
    after --alert, or - for the standard input; a webhook's body, JSON or YAML) are held against the rules in PATHS, by
    default those of the configuration, without any server.
    """
    wanted = wanted_of(paths, given["event"], given["incident"], given["alert"])
    out = Out(output)
    if wanted.event or wanted.incident or wanted.alert:
        ended(lambda: _ask(out, wanted, config_path, server, every_miss=given["every_miss"]))
    else:
        _paste(out, wanted, config_path, given)


def wanted_of(paths: Sequence[str], event: str, incident: str, alert: str) -> Wanted:
    """Sort the words of the command line: what is to be explained, and which are rules; raises `UsageError`."""
    words, files, rules = [], [], []
    for path in paths:
        if path == STANDARD_INPUT:
            files.append(path)
        elif Path(path).exists() or path.startswith("pack:"):
            rules.append(path)
        elif INCIDENT.fullmatch(path):
            incident = incident or path
        elif EVENT.fullmatch(path):
            event = event or path
        elif WORD.fullmatch(path):
            words.append(path)
        elif KEY.fullmatch(path):
            alert = alert or path
        else:
            rules.append(path)
    if alert and (alert == STANDARD_INPUT or Path(alert).exists() or not KEY.fullmatch(alert)):
        files.append(alert)
        alert = ""
    asked = [each for each in (event, incident, alert, words, files) if each]
    if not asked:
        missing = "say what to explain: an incident, an event, an alert, or labels as name=value"
        unknown = next((rule for rule in rules if not Path(rule).exists() and not rule.startswith("pack:")), "")
        hint = f"; {unknown} is none of them, and no file: an alert of that name is alertname={unknown}"
        raise click.UsageError(missing + (hint if unknown else ""))
    if len(asked) > 1:
        raise click.UsageError("explain one thing at a time: an incident, an event, an alert, labels, or a file")
    if rules and (event or incident or alert):
        raise click.UsageError("what came is explained by the rules that decided it: leave the PATHs away")
    return Wanted(event, incident, alert, tuple(words), tuple(files), tuple(rules))


def _ask(out: Out, wanted: Wanted, config_path: Path | None, server: str | None, *, every_miss: bool) -> None:
    asked = {"event": wanted.event, "incident": wanted.incident, "alert": wanted.alert}
    answer = client_of(config_path, server).get("/explain", {name: value for name, value in asked.items() if value})
    if out.is_json:
        out.json(answer)
        return
    for line in answer["summary"]:
        out.line(line)
    _tell(out, [msgspec.convert(each, Explanation) for each in answer["explanations"]], every_miss=every_miss)


def _paste(out: Out, wanted: Wanted, config_path: Path | None, given: dict[str, Any]) -> None:
    now: datetime = given["instant"] or utc_now()
    alerts = _alerts(wanted)
    paths = wanted.rules or settings_or_exit(config_path).rules
    rule_set = tried_set(tuple(paths), now)
    explanations = Pasting(rule_set, alerts, now=now, firing_for=given["firing_for"] or timedelta(0)).explanations()
    if out.is_json:
        out.json({"summary": [], "explanations": explanations, "next": None})
    else:
        _tell(out, explanations, every_miss=given["every_miss"])


def _alerts(wanted: Wanted) -> list[Alert]:
    try:
        if wanted.words:
            return [of_words(wanted.words)]
        return [alert for name in wanted.files for alert in of_text(_read(name), _called(name))]
    except NotAnAlert as error:
        end(UNUSABLE, str(error))
    except OSError as error:
        end(UNUSABLE, f"{error.filename} cannot be read: {error.strerror}")


def _called(name: str) -> str:
    return "the standard input" if name == STANDARD_INPUT else name


def _read(name: str) -> bytes:
    """Return what is pasted; no more is read than a webhook could be of which somebody reads the explanation."""
    if name == STANDARD_INPUT:
        pasted = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        with Path(name).open("rb") as file:
            pasted = file.read(MAX_BYTES + 1)
    if len(pasted) > MAX_BYTES:
        what = "what is pasted" if name == STANDARD_INPUT else name
        end(UNUSABLE, f"{what} is larger than {MAX_BYTES // 1024} KiB; paste the alerts that are to be explained")
    return pasted


def _tell(out: Out, explanations: Sequence[Explanation], *, every_miss: bool) -> None:
    for place, explanation in enumerate(explanations):
        if place:
            out.line()
        for line in told(explanation, every_miss=every_miss):
            out.line(line)
