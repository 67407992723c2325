"""Puts a decide worker together. It imports as little as it can: who takes over from a dead one has half a second."""

from incidents.clock import utc_now
from incidents.queues import DECIDE_QUEUE
from incidents.store.connection import Links, client_for
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from rules.deciding.deciding import Deciding
from tocsin.rulebook import RuleBook
from tocsin.settings import Settings
from tocsin.working import new_owner, work
from workers.decider import Decider
from workers.runtime import RUNTIME


def run(settings: Settings, url: str) -> int:
    """Decide until told to stop; return the exit code."""
    book = RuleBook(RuleSets(Links(url, scripts=ALL)))
    decider = Decider(
        url=url,
        owner=new_owner(),
        waker=Waker(client_for(url)),
        deciding_for=lambda ruleset: Deciding(book.rule_set(ruleset)),
        now=utc_now,
        stale_after=settings.stale_after,
    )
    RUNTIME.install("decide", decider)
    return work(DECIDE_QUEUE, url)
