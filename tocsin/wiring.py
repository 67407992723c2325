"""Puts the parts together: settings and the store's URL in, a receiver or a worker out. Decides nothing."""

import os
import secrets
import socket
from collections.abc import Callable

from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer

from incidents.clock import utc_now
from incidents.errors import StoreUnavailable
from incidents.queues import DECIDE_QUEUE, PAGES_QUEUE
from incidents.store.connection import Link, Links, client_for
from incidents.store.health import check_durability
from incidents.store.incidents import Incidents
from incidents.store.intake import Intake
from incidents.store.lease import owner_prefix, release_of
from incidents.store.pages import unclaim
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from receiver.app import create_app
from receiver.auth import ApiRole, ApiToken, Source
from receiver.deps import Deps
from receiver.exposition import Exposition
from receiver.metrics import RequestMetrics
from tocsin import __version__
from tocsin.rulebook import RuleBook, reload_rules
from tocsin.settings import Settings
from workers.decider import Decider
from workers.deciding import Deciding
from workers.dispatch import Dispatcher
from workers.pager import Pager
from workers.runtime import RUNTIME
from workers.ticker import Ticker
from workers.worker import LingeringWorker

WORKER_ANSWER_SECONDS = 30.0  # RQ blocks on its queue for seconds: its connection must wait longer
REQUESTS_DIRECTORY = "requests"


def receiver_app(settings: Settings, url: str) -> Flask:
    """Return the receiver's application over a store."""
    links = Links(url, scripts=ALL)
    stored = RuleSets(links)
    book = RuleBook(stored, utc_now())
    waker = Waker(client_for(url))
    requests = RequestMetrics(settings.data_dir / REQUESTS_DIRECTORY, [source.name for source in settings.sources])
    exposition = Exposition(
        links=links,
        request_metrics=requests,
        sources=tuple(source.name for source in settings.sources),
        rules=lambda: book.current().rules,
        version=__version__,
        now=utc_now,
    )
    return create_app(
        Deps(
            intake=Intake(links, waker.decider),
            sources=_sources(settings),
            api_tokens=_api_tokens(settings),
            ready=lambda: readiness(links),
            metrics=exposition.render,
            reload=lambda: reload_rules(settings, stored, utc_now()),
            now=utc_now,
            record=requests,
            build=__version__,
        )
    )


def readiness(links: Links) -> list[str]:
    """Return why the receiver is not ready; empty when it is."""
    try:
        if not RuleSets(links).current():
            return ["no rules are in force yet"]
    except StoreUnavailable as error:
        return [str(error)]
    return []


def _sources(settings: Settings) -> tuple[Source, ...]:
    return tuple(
        Source(name=source.name, kind=source.kind.value, token_hashes=source.token_hashes)
        for source in settings.sources
    )


def _api_tokens(settings: Settings) -> tuple[ApiToken, ...]:
    return tuple(
        ApiToken(name=token.name, role=ApiRole(token.role.value), token_hashes=token.token_hashes)
        for token in settings.api_tokens
    )


def decide_worker(settings: Settings, url: str) -> Callable[[], int]:
    """Return what runs a decide worker until it is told to stop; it answers the exit code."""
    del settings
    book = RuleBook(RuleSets(Links(url, scripts=ALL)), utc_now())
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
    book = RuleBook(RuleSets(links), utc_now())
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


def volatility(url: str, settings: Settings) -> list[str]:
    """Return why the store would forget what it was given, each with its mend."""
    return check_durability(client_for(url), durability=settings.durability.value)
