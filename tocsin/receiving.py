"""Puts the receiver together: settings and the URL of the store in, a WSGI application out. Decides nothing."""

from pathlib import Path

from flask import Flask

from incidents.clock import utc_now
from incidents.errors import StoreUnavailable
from incidents.store.connection import Links, client_for
from incidents.store.facts import FactStore
from incidents.store.health import examine
from incidents.store.incidents import Incidents
from incidents.store.intake import Intake
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from incidents.store.vitals import ensure_writable
from incidents.store.wake import Waker
from receiver.app import create_app
from receiver.auth import ApiRole, ApiToken, Source
from receiver.deps import ApiDeps, Deps
from receiver.exposition import Exposition
from receiver.metrics import RequestMetrics
from receiver.payloads.mapping import compile_mapping
from receiver.web.live import HUB
from rules.model import RuleSet
from rules.slo_status import SloStatus, fact_ids, status_of
from tocsin import __version__
from tocsin.config_file import load_settings
from tocsin.gate import Gate
from tocsin.granian_app import AT_END, threads
from tocsin.openid import provider_of
from tocsin.redis_urls import store_url
from tocsin.rule_files import reload_rules
from tocsin.rulebook import RuleBook
from tocsin.settings import Settings, environment, with_default_credentials

REQUESTS_DIRECTORY = "requests"


def load_receiver(config_path: Path | None) -> Flask:
    """Return the application of one receiver process, from the configuration as it is now."""
    settings = with_default_credentials(load_settings(config_path, environment()))
    app = receiver_app(settings, store_url(settings))
    app.wsgi_app = Gate(app.wsgi_app, threads(settings))  # type: ignore[method-assign] # Flask says: wrap it
    app.extensions[AT_END] = app.extensions[HUB].end
    return app


def _slos(rule_set: RuleSet, links: Links) -> tuple[SloStatus, ...]:
    facts = FactStore(links).facts(fact_ids(rule_set.slos.values()))
    return tuple(status_of(slo, facts, utc_now()) for slo in rule_set.slos.values())


def receiver_app(settings: Settings, url: str) -> Flask:
    """Return the receiver's application over a store."""
    links = Links(url, scripts=ALL)
    stored = RuleSets(links)
    book = RuleBook(stored)
    client = client_for(url)
    waker = Waker(client)
    requests = RequestMetrics(settings.data_dir / REQUESTS_DIRECTORY, [source.name for source in settings.sources])
    exposition = Exposition(
        links=links,
        request_metrics=requests,
        sources=tuple(source.name for source in settings.sources),
        rules=lambda: book.current().every_rule,
        slos=lambda: _slos(book.current(), links),
        version=__version__,
        now=utc_now,
    )
    return create_app(
        Deps(
            intake=Intake(links, waker.decider),
            sources=_sources(settings),
            api_tokens=_api_tokens(settings),
            sign_in=provider_of(settings),
            ready=lambda: readiness(links),
            metrics=exposition.render,
            reload=lambda: reload_rules(settings, stored, utc_now()),
            now=utc_now,
            record=requests,
            streams=requests.streams,
            build=__version__,
            body_readers=threads(settings) - 1,
            api=ApiDeps(
                links=links,
                incidents=Incidents(links, book.oncall),
                rule_set=book.current,
                rule_set_of=book.rule_set,
                journal=settings.journal_dir,
                wake=waker.decider,
                durability=lambda: examine(client, durability=settings.durability.value).problems,
                stale_after=settings.stale_after,
                external_url=settings.external_url,
                alertmanagers={each.source: each.url for each in settings.alertmanagers},
            ),
        )
    )


def readiness(links: Links) -> list[str]:
    """Return why the receiver is not ready; empty when it is."""
    try:
        if not RuleSets(links).current():
            return ["no rules are in force yet"]
        # A store that is full, or cannot write to its disk, answers all the same; a load balancer has to know.
        ensure_writable(links)
    except StoreUnavailable as error:
        return [str(error)]
    return []


def _sources(settings: Settings) -> tuple[Source, ...]:
    return tuple(
        Source(
            name=source.name,
            kind=source.kind.value,
            token_hashes=source.token_hashes,
            routing_key_hashes=source.routing_key_hashes,
            signing_secrets=tuple(secret.reveal().encode() for secret in source.signing_secrets),
            mapping=None if source.mapping is None else compile_mapping(source.mapping),
        )
        for source in settings.sources
    )


def _api_tokens(settings: Settings) -> tuple[ApiToken, ...]:
    return tuple(
        ApiToken(name=token.name, role=ApiRole(token.role.value), token_hashes=token.token_hashes)
        for token in settings.api_tokens
    )
