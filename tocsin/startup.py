"""What must hold before anything is accepted: a store that keeps what it is given, and rules in force."""

from incidents.clock import utc_now
from incidents.errors import StoreUnavailable, TocsinError
from incidents.store.connection import Links
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from tocsin.durability import ensure_durable
from tocsin.logs import get_log
from tocsin.rule_files import reload_rules
from tocsin.settings import Settings

log = get_log(__name__)


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
