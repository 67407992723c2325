"""Puts a facts worker together; beside it, in a thread of its own, the journal is written."""

from incidents.clock import utc_now
from incidents.queues import FACTS_QUEUE
from incidents.store.connection import Links, client_for
from incidents.store.intake import Intake
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from tocsin.settings import Settings
from tocsin.working import new_owner, work
from workers.facts import Facts
from workers.journaling import Journaling
from workers.runtime import RUNTIME


def run(settings: Settings, url: str) -> int:
    """Ask others what they know, and write the journal, until told to stop; return the exit code."""
    links = Links(url, scripts=ALL)
    waker = Waker(client_for(url))
    facts = Facts(
        links=links,
        intake=Intake(links, waker.decider),
        waker=waker,
        owner=new_owner(),
        alertmanagers={each.source: each.url for each in settings.alertmanagers},
        now=utc_now,
    )
    RUNTIME.install("facts", facts)
    journaling = Journaling(
        url=url, owner=new_owner(), directory=settings.journal_dir, keep=settings.retention.journal, now=utc_now
    )
    journaling.start()
    try:
        return work(FACTS_QUEUE, url)
    finally:
        journaling.stop()
