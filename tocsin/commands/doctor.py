"""`tocsin doctor`: proves the way of an alert from end to end, and names what is wrong with its mend.

It changes nothing but for one synthetic alert, which declares no incident, and one test page, marked as such.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from incidents.clock import utc_now
from tocsin.client import Client, Refused, Unreachable
from tocsin.commands.credentials import alert_sources, api_credential
from tocsin.commands.doctor_checks import (
    Check,
    Json,
    State,
    all_give_signs,
    checks_of,
    fail,
    ok,
    prometheus_checks,
    reach_check,
    warn,
)
from tocsin.commands.doctor_page import page_probe
from tocsin.commands.doctor_probe import WAIT_SECONDS, probe
from tocsin.commands.doctor_senders import LISTED, refused_checks, source_checks
from tocsin.commands.doctor_sign_in import sign_in_check
from tocsin.commands.options import FAILED, config_option
from tocsin.commands.printing import STYLES, Out
from tocsin.commands.remote import TOKEN_VARIABLE, UNREACHABLE, no_token, output_option, server_option
from tocsin.config_file import load_settings
from tocsin.openid import provider_of
from tocsin.rule_files import read_rules
from tocsin.settings import ApiRole, ConfigurationError, Settings, environment

SECONDS = 5.0
POLL_SECONDS = 0.25
REFUSED_TOKEN = (401, 403)
SERVER = "server"
INDENT = 26


@click.command()
@click.option(
    "--wait",
    default=WAIT_SECONDS,
    show_default=True,
    help="Seconds that the workers have for a sign, for the alert, and for the page.",
)
@click.option("--page", metavar="PERSON", help="Who gets the test page, or channel:NAME; by default the commander.")
@click.option("--no-page", is_flag=True, help="Send no test page.")
@config_option
@output_option
@server_option
def doctor(
    wait: float,
    page: str | None,
    no_page: bool,  # noqa: FBT001 - as click calls it
    config_path: Path | None,
    output: str,
    server: str | None,
) -> None:
    """Prove the whole way, from a synthetic alert to a test page; name what is wrong and the mend."""
    if page and no_page:
        raise click.UsageError("--page and --no-page exclude each other")
    out = Out(output)
    found = []
    for check in examine(config_path, server, wait, page=page, pages=not no_page):
        found.append(check)
        if not out.is_json:
            print_check(out, check)
    failed = [check for check in found if check.state is State.FAIL]
    warned = [check for check in found if check.state is State.WARN]
    if out.is_json:
        out.json({"ok": not failed, "checks": found})
    else:
        out.line()
        checks = "1 check" if len(found) == 1 else f"{len(found)} checks"
        out.line(f"{checks}: {len(failed)} failed, {len(warned)} with a warning")
    if any(check.name == SERVER for check in failed):
        sys.exit(UNREACHABLE)
    sys.exit(FAILED if failed else 0)


def print_check(out: Out, check: Check) -> None:
    """Print one check, with its mend below."""
    style = STYLES[check.state.value] if check.state is not State.OK else ""
    indented = "\n" + " " * INDENT
    out.line(f"{check.state.value:<5} {check.name:<{INDENT - 7}} {check.found}".replace("\n", indented), style)
    if check.mend:
        out.line(" " * INDENT + check.mend)


def examine(
    config_path: Path | None, server: str | None, wait: float, *, page: str | None, pages: bool
) -> Iterator[Check]:
    """Yield every check, in the order of the way of an alert; it ends early where nothing further can be asked."""
    try:
        settings = load_settings(config_path, environment())
    except ConfigurationError as error:
        yield fail("configuration", str(error), "mend the lines above")
        return
    yield _configuration(settings)
    address = server or settings.external_url
    given = environment().get(TOKEN_VARIABLE, "")
    token, role = (given, None) if given else api_credential(settings)
    if not token:
        yield fail("token", no_token(settings.needs_default_api_token), "then run doctor again")
        return
    client = Client(address, token, timeout=SECONDS)
    try:
        yield from _server(client, settings, wait, is_ours=server is None)
        # Only who surely may: asking as anybody else would itself be a refusal in that log.
        if role is ApiRole.ADMIN:
            yield from refused_checks(client.get("/audit", {"limit": str(LISTED)}), own_now=utc_now())
        yield probe(address, client, alert_sources(settings), wait=wait)
        if pages:
            yield page_probe(client, page, wait=wait)
    except Unreachable as error:
        yield fail(SERVER, str(error), "start `tocsin serve`; for another address: --server URL")
    except Refused as error:
        mend = f"set {TOKEN_VARIABLE} to an API token of this server, or mend the configured one"
        yield fail("API", str(error), mend if error.status in REFUSED_TOKEN else "check the address and its version")


def _configuration(settings: Settings) -> Check:
    place = str(settings.config_path) if settings.config_path else "none, so the defaults are in force"
    if settings.allow_volatile:
        return warn("configuration", f"{place}; allow_volatile is on: the store may forget", "remove allow_volatile")
    if settings.warnings:
        return warn("configuration", "; ".join(map(str, settings.warnings)))
    return ok("configuration", place)


def _server(client: Client, settings: Settings, wait: float, *, is_ours: bool) -> Iterator[Check]:
    status, oncall = client.get("/status"), {}
    yield ok(SERVER, f"answers at {client.server}")
    status = until_signs(client, status, wait)
    own_now = utc_now()  # before anything else is asked: what that takes is no difference of clocks
    if status["store"]["up"]:
        oncall = client.get("/oncall")
    yield from checks_of(status, oncall, own_now=own_now)
    if status["store"]["up"]:
        yield from source_checks(status, client.get("/alerts", {"limit": str(LISTED)}))
        yield reach_check(client.get("/oncall/unreachable"))
        yield from prometheus_checks(client.get("/slos"), own_now=utc_now())
    if is_ours and status["rules"]:
        yield from _files(settings, status["rules"]["hash"])
    provider = provider_of(settings) if is_ours else None
    if provider is not None:
        yield sign_in_check(provider)


def until_signs(client: Client, status: Json, wait: float) -> Json:
    """Return the status once every worker gives signs, or when they have had `wait` seconds for that.

    The receiver may answer a few seconds before the workers that were started with it have come to work.
    """
    deadline = time.monotonic() + wait
    while status["store"]["up"] and not all_give_signs(status) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        status = client.get("/status")
    return status


def _files(settings: Settings, in_force: str) -> Iterator[Check]:
    """Hold the rule files of this host against what is in force."""
    _, loaded, errors = read_rules(settings, utc_now())
    if errors or loaded.rule_set is None:
        yield fail("rule files", "\n".join(errors), "mend them; until then the rules from before stay in force")
    elif loaded.rule_set.hash != in_force:
        yield warn("rule files", "differ from what is in force", "reload: kill -HUP, or POST /-/reload")
    else:
        yield ok("rule files", "are what is in force")
