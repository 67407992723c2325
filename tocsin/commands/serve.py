"""`tocsin serve`: everything in one, supervised."""

import os
import shutil
import sys
from pathlib import Path

import click

from incidents.clock import utc_now
from incidents.store.audit import Audit, AuditEntry, Outcome
from incidents.store.connection import Links
from incidents.store.journal import expect
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from incidents.store.sessions import Sessions
from tocsin.commands.options import config_option, log_output_option, settings_or_exit, told
from tocsin.logs import configure_logs, get_log
from tocsin.rule_files import reload_rules
from tocsin.serve import Hooks, default_children
from tocsin.serve import serve as run
from tocsin.settings import DEFAULT_CALLER, Settings, environment
from tocsin.startup import put_in_force
from tocsin.tokens import ADMIN_TOKEN_FILE, SOURCE_TOKEN_FILE
from tocsin.working import bury

LOG = get_log(__name__)

NEXT_STEPS = """
Tocsin listens on {listen}

{first}  Send it alerts:        tocsin connect alertmanager    (prints what to paste)
  Prove the whole way:   tocsin doctor
  Look at incidents:     {url}
{more}"""
ON_PATH = '  In a second terminal:  export PATH="{directory}:$PATH"\n'
CONFIGURE = "  Configure:             tocsin init                    (writes a commented tocsin.yml and rules.d)\n"
CONFIGURED = "  After editing rules:   tocsin rules check             (then: kill -HUP {pid})\n"
SIGN_IN = "  Sign in there:         with an API token              (the `api_tokens` of the configuration)\n"


@click.command()
@config_option
@log_output_option
@told
def serve(config_path: Path | None, output: str | None) -> None:
    """Run everything in one, supervised: store, receiver and workers."""
    settings = settings_or_exit(config_path)
    configure_logs("serve", output=output)
    hooks = Hooks(
        prepare=lambda url: prepare(settings, url),
        on_death=lambda url, name, pid: bury(url, pid) if name != "receiver" else None,
        reload=lambda url: reload_again(settings, url),
        started=lambda url: print_next_steps(settings, url),
    )
    sys.exit(run(settings, hooks, children=default_children(settings, output)))


def prepare(settings: Settings, url: str) -> None:
    """Put the rules in force, and let what is decided from now on be kept for the journal that is about to start."""
    put_in_force(settings, url)
    with Links(url) as links, links.borrow() as link:
        expect(link)


def reload_again(settings: Settings, url: str) -> None:
    """Reload the rules, as POST /-/reload does: all else of the configuration is as it was at the start."""
    with Links(url, scripts=ALL) as links:
        result = reload_rules(settings, RuleSets(links), utc_now())
        if result.errors:
            LOG.error("reload_failed", errors=list(result.errors), in_force=result.hash)
            return
        LOG.info("rules_reloaded", hash=result.hash)
        done = AuditEntry(at=utc_now(), actor="SIGHUP", action="reload", target=result.hash, outcome=Outcome.DONE)
        Audit(links).append([done])


def print_next_steps(settings: Settings, url: str) -> None:
    """Print what to do next; without any configured token, a link that signs in to the pages, once."""
    more = CONFIGURE if settings.config_path is None else CONFIGURED.format(pid=os.getpid())
    if settings.needs_default_source:
        more += f"  Token of the sender:   {settings.data_dir / SOURCE_TOKEN_FILE}\n"
    if settings.needs_default_api_token:
        more += f"  Your own token:        {settings.data_dir / ADMIN_TOKEN_FILE}\n"
        with Links(url) as links:
            secret = Sessions(links).make_link(DEFAULT_CALLER)
        more += f"  Sign in (once, now):   {settings.external_url}/sign-in/{secret}\n"
    else:
        more += SIGN_IN
    directory = Path(sys.executable).parent
    is_at_hand = shutil.which("tocsin", path=environment().get("PATH")) or not (directory / "tocsin").exists()
    first = "" if is_at_hand else ON_PATH.format(directory=directory)
    click.echo(NEXT_STEPS.format(listen=settings.listen, first=first, url=settings.external_url, more=more))
