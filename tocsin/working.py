"""Puts the workers together: settings and the URL of the store in, a worker to run out. Decides nothing."""

import os
import secrets
import socket
from collections.abc import Callable

from rq import Queue
from rq.serializers import JSONSerializer

from incidents.clock import utc_now
from incidents.errors import StoreUnavailable
from incidents.queues import DECIDE_QUEUE, PAGES_QUEUE
from incidents.store.connection import Link, Links, client_for
from incidents.store.incidents import Incidents
from incidents.store.lease import owner_prefix, release_of
from incidents.store.pages import unclaim
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from tocsin.rulebook import RuleBook
from tocsin.settings import Settings
from workers.decider import Decider
from workers.deciding import Deciding
from workers.dispatch import Dispatcher
from workers.pager import Pager
from workers.runtime import RUNTIME
from workers.ticker import Ticker
from workers.worker import LingeringWorker

WORKER_ANSWER_SECONDS = 30.0  # RQ blocks on its queue for seconds: its connection must wait longer


def decide_worker(settings: Settings, url: str) -> Callable[[], int]:
    """Return what runs a decide worker until it is told to stop; it answers the exit code."""
    del settings
    book = RuleBook(RuleSets(Links(url, scripts=ALL)))
    decider = Decider(
        url=url,
        owner=_owner(),
        waker=Waker(client_for(url)),
        deciding_for=lambda ruleset: Deciding(book.rule_set(ruleset)),
        now=utc_now,
    )
    RUNTIME.install("decide", decider)
    return lambda: _work(DECIDE_QUEUE, url)


def pages_worker(settings: Settings, url: str) -> Callable[[], int]:
    """Return what runs a page worker until it is told to stop."""
    links = Links(url, scripts=ALL)
    book = RuleBook(RuleSets(links))
    pager = Pager(
        url=url,
        owner=_owner(),
        waker=Waker(client_for(url)),
        incidents=Incidents(links, book.oncall),
        oncall=book.oncall,
        dispatcher=Dispatcher(),
        external_url=settings.external_url,
        now=utc_now,
    )
    RUNTIME.install("pages", pager)
    return lambda: _work(PAGES_QUEUE, url)


def _work(queue: str, url: str) -> int:
    """Run the RQ worker; one that ends without having been told to has lost its store, and is to be restarted."""
    ticker = Ticker(Link(url, scripts=ALL), Waker(client_for(url)), queue=queue, now=utc_now)
    name = f"{queue}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    client = client_for(url, answer_seconds=WORKER_ANSWER_SECONDS)
    jobs = Queue(queue, connection=client, serializer=JSONSerializer)
    worker = LingeringWorker(jobs, name=name, on_stop=RUNTIME.stop)
    ticker.start()
    worker.work(logging_level="WARNING")
    ticker.stop()
    return 0 if worker.asked_to_stop else 1


def _owner() -> str:
    return owner_prefix(socket.gethostname(), os.getpid()) + secrets.token_hex(4)


def bury(url: str, pid: int) -> None:
    """Take what a dead worker of this host held, so that the next one need not wait for it to run out."""
    link = Link(url, scripts=ALL)
    try:
        prefix = owner_prefix(socket.gethostname(), pid)
        release_of(link, prefix)
        unclaim(link, prefix, utc_now())
    except StoreUnavailable:
        return
    finally:
        link.drop()
