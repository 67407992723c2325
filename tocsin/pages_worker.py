"""Puts a page worker together."""

from incidents.clock import utc_now
from incidents.queues import PAGES_QUEUE
from incidents.store.connection import Link, Links, client_for
from incidents.store.incidents import Incidents
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from tocsin.rulebook import RuleBook
from tocsin.settings import Settings
from tocsin.working import new_owner, work
from workers.auditor import Auditor
from workers.channels import Senders
from workers.channels.http import shared_client
from workers.dispatch import Dispatcher
from workers.pager import Pager
from workers.runtime import RUNTIME


def run(settings: Settings, url: str) -> int:
    """Deliver pages until told to stop; return the exit code."""
    links = Links(url, scripts=ALL)
    book = RuleBook(RuleSets(links))
    pager = Pager(
        url=url,
        owner=new_owner(),
        waker=Waker(client_for(url)),
        incidents=Incidents(links, book.oncall),
        oncall=book.oncall,
        dispatcher=Dispatcher(sender_for=Senders(deny_private=settings.deny_private_urls)),
        external_url=settings.external_url,
        now=utc_now,
    )
    RUNTIME.install("pages", pager)
    heartbeat_url = settings.heartbeat_url.reveal() if settings.heartbeat_url else ""
    client = shared_client(deny_private=settings.deny_private_urls)
    Auditor(Link(url), heartbeat_url=heartbeat_url, client=client).start()
    return work(PAGES_QUEUE, url)
