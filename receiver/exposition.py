"""Writes /metrics: what the store counted, gauges computed at the scrape, and what the receiver itself counts.

It answers within a second whatever the store does: without one it says so, and gives the rest. Every enumerated label
value is there from the start at 0, so that the first increase is seen.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import product
from typing import NamedTuple, Protocol

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric

from incidents.calendars import CalendarStatus
from incidents.errors import TocsinError
from incidents.measures import NO_KIND, Measures
from incidents.paging.steps import HOURS
from incidents.post_incident_actions import ActionState, is_overdue
from incidents.queues import DECIDE_QUEUE, PAGES_QUEUE
from incidents.statistics.nights import DAY, NIGHT
from incidents.store.connection import Links
from incidents.store.measured import SETTLED, Measured, measure
from incidents.values import OPEN_STATUSES, AlertStatus, Criterion, IncidentStatus, Severity
from receiver.families import Families, Values, counter, gauge, grouped, histogram, labelled
from rules.evaluate import Outcome
from rules.model import Mode, Rule
from rules.shapes.oncall import CHANNEL_KINDS
from rules.slo_status import SloStatus

LOG = structlog.get_logger()

STORE_SECONDS = 0.6  # a scrape waits for the store no longer
RULES_AT_ZERO = 1000  # more rules than this show a series once they have counted something
CLOSED = ("resolved", "dismissed")
ATTEMPTS = ("accepted", "repeated", "failed", "given_up")
UNSENT = ("suppressed", "given_up", "exhausted")
BY_HAND = ""  # the rule of what a person declared
NEVER = float("inf")

WITHOUT_LABELS: tuple[Values, ...] = ((),)


class Collects(Protocol):
    """Whatever yields metric families."""

    def collect(self) -> Iterable[Metric]:
        """Yield the families."""


class Scraped(NamedTuple):
    """What one scrape knows of the store: the rules are those of the set in force."""

    store: Measured | None
    rules: tuple[Rule, ...]
    slos: tuple[SloStatus, ...] = ()


class Exposition:
    """Writes the exposition for one receiver process. For many threads.

    `rules` answers the rules in force (for their ids at 0) and may ask the store; `sources` are the configured names.
    """

    def __init__(
        self,
        *,
        links: Links,
        request_metrics: Collects,
        sources: Sequence[str],
        rules: Callable[[], tuple[Rule, ...]],
        version: str,
        now: Callable[[], datetime],
        slos: Callable[[], tuple[SloStatus, ...]] = lambda: (),
    ) -> None:
        self._links = links
        self._request_metrics = request_metrics
        self._sources = tuple(sources)
        self._rules = rules
        self._version = version
        self._now = now
        self._slos = slos
        self._lock = threading.Lock()
        self._reader: ThreadPoolExecutor | None = None
        self._reading: Future[Scraped] | None = None

    def render(self) -> bytes:
        """Return the exposition in the text format of Prometheus; never raises for a store that is away."""
        registry = CollectorRegistry()
        registry.register(Families(self._families(self._scrape())))
        registry.register(self._request_metrics)
        return generate_latest(registry)

    def _scrape(self) -> Scraped:
        """Ask the store, for as long as a scrape may wait; scrapes at the same time share one question."""
        with self._lock:
            if self._reader is None:
                self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exposition")
            if self._reading is None or self._reading.done():
                self._reading = self._reader.submit(self._read)
            reading = self._reading
        try:
            return reading.result(timeout=STORE_SECONDS)
        except (TocsinError, TimeoutError) as error:
            LOG.debug("scraped_without_store", error=str(error))
            return Scraped(None, ())

    def _read(self) -> Scraped:
        store = measure(self._links)
        try:
            return Scraped(store, self._rules(), self._slos())
        except (TocsinError, ValueError) as error:
            # Rules that another version wrote hide no count: their series appear once they have counted something.
            LOG.warning("scraped_without_rules", error=str(error))
            return Scraped(store, ())

    def _families(self, scraped: Scraped) -> Iterator[Metric]:
        yield gauge("store_up", "Whether the store answered this scrape.", float(scraped.store is not None))
        yield labelled("build_info", "The version that runs.", ("version",), [((self._version,), 1.0)])
        if scraped.store is None:
            return
        yield from self._gauges(scraped.store)
        yield from self._slo_gauges(scraped.slos)
        counts = grouped(scraped.store.counters)
        yield labelled(
            "rule_precision",
            "Which part of the closed incidents of a rule were incidents, and not dismissed; absent before the first.",
            ("rule",),
            _precisions(counts[Measures.CLOSED.value.name]),
        )
        at_zero = values_at_zero(self._sources, scraped.rules)
        for each in Measures:
            write = histogram if each.value.buckets else counter
            yield write(each.value, counts[each.value.name], at_zero.get(each, WITHOUT_LABELS))

    def _gauges(self, store: Measured) -> Iterator[Metric]:
        now = self._now()
        yield from _gauges_of_intake(store, now)
        yield labelled(
            "incidents_open",
            "Incidents that still need people.",
            ("severity", "status"),
            [((severity.value, status.value), store.open_incidents[severity, status]) for severity, status in _OPEN],
        )
        yield gauge("incidents_archived", "Closed incidents that are one compressed value each.", store.archived)
        yield _actions(store, now)
        yield from _ages(store, now)
        yield from _gauges_of_rules(store)
        yield gauge("journal_up", "Whether the journal is being written.", store.journal.is_well)
        yield gauge("journal_lag_events", "Events that took effect and are not in the journal yet.", store.journal.lag)

    def _slo_gauges(self, slos: Sequence[SloStatus]) -> Iterator[Metric]:
        now = self._now()
        yield labelled(
            "slo_burn_rate",
            "How many times faster than allowed the error budget burns, over an hour; absent where not known.",
            ("slo",),
            [((each.slo.id,), each.burn_rate) for each in slos if each.burn_rate is not None],
        )
        yield labelled(
            "slo_budget_remaining_ratio",
            "Which part of the error budget is left, below 0 none; absent where not known.",
            ("slo",),
            [((each.slo.id,), each.budget_remaining) for each in slos if each.budget_remaining is not None],
        )
        yield labelled(
            "slo_fact_age_seconds",
            "Since Prometheus last told of an SLO, +Inf when it never did.",
            ("slo",),
            [((each.slo.id,), (now - each.at).total_seconds() if each.at else NEVER) for each in slos],
        )


_OPEN = tuple((severity, status) for severity, status in product(Severity, IncidentStatus) if status in OPEN_STATUSES)


def _calendar_ages(calendars: Iterable[CalendarStatus], now: datetime) -> dict[Values, float]:
    """Return how old what is known of each rotation's calendars is; the oldest, where one has several."""
    ages: dict[Values, float] = {}
    for each in calendars:
        age = (now - each.good_at).total_seconds() if each.good_at is not None else NEVER
        for rotation in each.rotations:
            ages[rotation,] = max(age, ages.get((rotation,), 0.0))
    return ages


def values_at_zero(sources: Sequence[str], rules: Sequence[Rule]) -> dict[Measures, tuple[Values, ...]]:
    """Return for each measure with labels the values that it has from the start."""
    shown = rules if len(rules) <= RULES_AT_ZERO else ()
    names = [rule.id for rule in shown]
    by_severity = _every(Severity)
    return {
        Measures.ALERTS_RECEIVED: _every(sources, AlertStatus),
        Measures.ALERTS_TRUNCATED: _every(sources),
        Measures.EVENTS: _every(SETTLED),
        Measures.RULE_DECISIONS: _every(names, Outcome),
        Measures.RULE_ERRORS: _every(names),
        Measures.SHADOW: tuple(values for rule in shown for values in _shadowed_by(rule)),
        Measures.DECLARED: (*_declared_by_hand(), *(values for rule in shown for values in _declared_by(rule))),
        Measures.CLOSED: _every((BY_HAND, *names), CLOSED),
        Measures.TO_DETECT: by_severity,
        Measures.TO_ACKNOWLEDGE: by_severity,
        Measures.TO_MITIGATE: by_severity,
        Measures.TO_RESOLVE: by_severity,
        Measures.PEOPLE_PAGED: _every((DAY, NIGHT)),
        Measures.PAGES_HELD: _every(("maintenance", HOURS)),
        Measures.PAGES: (*_every(sorted(CHANNEL_KINDS), ATTEMPTS), *_every((NO_KIND,), UNSENT)),
    }


def _every(*values: Iterable[str]) -> tuple[Values, ...]:
    return tuple(tuple(map(str, each)) for each in product(*values))


def _declared_by_hand() -> Iterator[Values]:
    return ((BY_HAND, Criterion.OTHER.value, severity.value) for severity in Severity)


def _shadowed_by(rule: Rule) -> Iterator[Values]:
    severities = dict.fromkeys(tier.declare for tier in rule.tiers if tier.declare is not None)
    return ((rule.id, severity.value) for severity in severities if rule.mode is Mode.SHADOW)


def _declared_by(rule: Rule) -> Iterator[Values]:
    severities = dict.fromkeys(tier.declare for tier in rule.tiers if tier.declare is not None)
    return ((rule.id, rule.criterion.value, severity.value) for severity in severities)


def _precisions(closed: dict[Values, int]) -> Iterator[tuple[Values, float]]:
    for rule in dict.fromkeys(values[0] for values in closed if len(values) == len(CLOSED) and values[0]):
        resolved, dismissed = (closed.get((rule, outcome), 0) for outcome in CLOSED)
        if resolved + dismissed:
            yield (rule,), resolved / (resolved + dismissed)


def _gauges_of_intake(store: Measured, now: datetime) -> Iterator[Metric]:
    oldest = store.oldest_received_at
    lag = max((now - oldest).total_seconds(), 0.0) if oldest is not None else 0.0
    yield gauge("store_durable", "Whether the store keeps what it took: AOF on, nothing evicted.", store.durable)
    yield gauge("intake_pending", "Events received that have not taken effect yet.", store.pending)
    yield gauge("intake_lag_seconds", "Age of the oldest event that has not taken effect, 0 when none.", lag)
    yield gauge("quarantined", "Events in quarantine.", store.quarantined)


def _ages(store: Measured, now: datetime) -> Iterator[Metric]:
    """Since when nothing was heard of what should give signs."""
    seen = dict.fromkeys((DECIDE_QUEUE, PAGES_QUEUE), NEVER) | {
        queue: max((now - at).total_seconds(), 0.0) for queue, at in store.workers_seen.items()
    }
    yield labelled(
        "worker_last_seen_seconds",
        "Since a worker of the queue gave a sign, +Inf when none ever did.",
        ("queue",),
        [((queue,), since) for queue, since in seen.items()],
    )
    yield labelled(
        "heartbeat_age_seconds",
        "Since a heartbeat was heard.",
        ("heartbeat",),
        [((name,), max((now - at).total_seconds(), 0.0)) for name, at in store.heartbeats.items()],
    )
    yield labelled(
        "calendar_age_seconds",
        "Since the calendar of a rotation was last read without an error, +Inf when it never was.",
        ("rotation",),
        list(_calendar_ages(store.calendars, now).items()),
    )


def _gauges_of_rules(store: Measured) -> Iterator[Metric]:
    yield gauge(
        "rules_last_reload_successful", "Whether the last reload of the rules succeeded.", store.reload.successful
    )
    yield gauge(
        "rules_last_reload_success_timestamp_seconds",
        "When the rules were last reloaded with success.",
        store.reload.at_ms / 1000,
    )
    info = [((store.ruleset,), 1.0)] if store.ruleset else []
    yield labelled("rules_info", "The hash of the rule set in force.", ("hash",), info)


def _actions(store: Measured, now: datetime) -> Metric:
    overdue = sum(1 for action in store.actions if is_overdue(ActionState.OPEN, action.due, now))
    return labelled(
        "post_incident_actions",
        "Post-incident actions that are to be done still, and those whose day is over.",
        ("state",),
        [(("open",), len(store.actions)), (("overdue",), overdue)],
    )
