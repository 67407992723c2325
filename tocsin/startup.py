"""What must hold before anything is accepted: a store that keeps what it is given, and rules in force."""

import time

from incidents import keys
from incidents.clock import utc_now
from incidents.errors import StoreUnavailable, TocsinError
from incidents.store.connection import Links, client_for
from incidents.store.health import Examination, examine
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from tocsin.logs import get_log
from tocsin.rule_files import reload_rules
from tocsin.settings import Settings, without_password

log = get_log(__name__)


class StoreRefused(TocsinError):
    """The store would forget what it accepted."""


class NoRules(TocsinError):
    """The rule files are broken, and no earlier rule set is there to go on with."""


def before_receiving(settings: Settings, url: str) -> None:
    """See to the store and the rules of a receiver that may run apart; raises StoreRefused, NoRules.

    With the store away it starts all the same, for senders that are answered 503 try again. Rules that are in force
    stay: they are those of every host.
    """
    try:
        ensure_durable(settings, url, patience=0.0)
        with Links(url, scripts=ALL) as links:
            has_rules = bool(RuleSets(links).current())
        if not has_rules:
            put_in_force(settings, url)
    except StoreUnavailable as error:
        log.warning("store_away", error=str(error))


def put_in_force(settings: Settings, url: str) -> None:
    """Put the rule files in force; a broken one leaves the rules of the last run in force, loudly."""
    with Links(url, scripts=ALL) as links:
        result = reload_rules(settings, RuleSets(links), utc_now())
    if not result.errors:
        return
    listed = "\n".join(result.errors)
    if not result.hash:
        raise NoRules(f"the rules cannot be used:\n{listed}\nmend them, and see `tocsin rules check`")
    log.error("rules_refused", errors=list(result.errors), in_force=result.hash)


def ensure_durable(settings: Settings, url: str, *, patience: float = 10.0) -> None:
    """Raise StoreRefused when the store would forget, unless that was allowed; then say it loudly.

    Raises StoreUnavailable when it does not answer within `patience` seconds.
    """
    found = _examine(url, settings, patience)
    _refuse_half_restored(url)
    for warning in found.warnings:
        log.warning("store_not_fully_checked", detail=warning)
    if not found.problems:
        return
    if settings.allow_volatile:
        for problem in found.problems:
            log.warning("STORE_MAY_FORGET", detail=problem, allowed_by="allow_volatile: true")
        return
    listed = "".join(f"\n  - {problem}" for problem in found.problems)
    raise StoreRefused(
        f"the store {without_password(url)} would forget what it accepted:{listed}\n"
        "mend it, or accept the loss with `allow_volatile: true`"
    )


def _refuse_half_restored(url: str) -> None:
    with Links(url) as links, links.borrow() as link:
        if link.one("EXISTS", keys.restoring()):
            raise StoreRefused("a restore into this store was broken off: run `tocsin restore FILE --force` again")


def _examine(url: str, settings: Settings, patience: float) -> Examination:
    """Examine the store, which may still be starting."""
    deadline = time.monotonic() + patience
    client = client_for(url)
    try:
        while True:
            try:
                return examine(client, durability=settings.durability.value)
            except StoreUnavailable as error:
                if time.monotonic() >= deadline:
                    raise StoreUnavailable(f"{without_password(url)}: {error}") from error
                log.warning("store_not_there_yet", reason=str(error))
                time.sleep(1.0)
    finally:
        client.close()
