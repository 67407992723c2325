"""A store, a page worker and whoever is paged, under a clock that the test moves."""

import time
from datetime import timedelta

from builders import CRITICAL, NOW, rule_set

from incidents import keys
from incidents.clock import to_ms
from incidents.events import DeclaredByHand
from incidents.incident import Incident
from incidents.store.codec import decode_entry
from incidents.store.connection import Link, Links, client_for
from incidents.store.incidents import Incidents
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from incidents.timeline import Entry
from incidents.values import Severity
from workers.dispatch import Dispatcher
from workers.pager import Pager

PATIENCE = 60.0  # seconds


class Desk:
    """A store and a page worker, under a clock that the test moves; `oncall` is the text of a rule file."""

    def __init__(self, url: str, links: Links, oncall: str) -> None:
        self.url, self.now = url, NOW
        self.rules = rule_set(CRITICAL, oncall)
        self.link = Link(url, scripts=ALL)
        self.link.one("SET", keys.rules_current(), self.rules.hash)
        self.incidents = Incidents(links, lambda _: self.rules.oncall)
        self.dispatcher: Dispatcher | None = None  # the next run's, instead of one of its own
        self.pager: Pager | None = None

    def declare(self, service: str = "db", severity: Severity = Severity.SEV1) -> Incident:
        event = DeclaredByHand(
            actor="ops", title="Down", severity=severity, identity={"service": service}, identity_key=f"k-{service}"
        )
        return self.incidents.declare(event, now=self.now).incident

    def work(self, owner: str = "host|1|a") -> None:
        """Run a page worker of its own until all that is due now has been sent and recorded, or cannot be."""
        dispatcher = self.dispatcher or Dispatcher()
        worker = self.worker(dispatcher, owner)
        deadline = time.monotonic() + PATIENCE
        due: list[object] | None = None
        before: list[object] = []
        while due is None or (due and due != before) or self._is_sending(dispatcher):
            before = self._due()
            worker.linger(timedelta())
            due = self._due()
            assert time.monotonic() < deadline, f"still under way: {due}"
        dispatcher.close(1)
        self.link.one("DEL", keys.pager_lingers())

    def _due(self) -> list[object]:
        """Return the pages that are due now, as they are kept, and the escalations."""
        pages, escalations = (
            self.link.one("ZRANGEBYSCORE", key, "-inf", to_ms(self.now))
            for key in (keys.pages_due(), keys.escalations())
        )
        return [*(self.link.one("HGETALL", keys.page(name.decode())) for name in pages), *escalations]

    @staticmethod
    def _is_sending(dispatcher: Dispatcher) -> bool:
        return bool(dispatcher.pending) or not dispatcher.results.empty()

    def worker(self, dispatcher: Dispatcher, owner: str = "host|1|a") -> Pager:
        """Return a page worker, for a test that needs the same one for longer."""
        return Pager(
            url=self.url,
            owner=owner,
            waker=Waker(client_for(self.url)),
            incidents=self.incidents,
            oncall=lambda _: self.rules.oncall,
            dispatcher=dispatcher,
            external_url="http://tocsin.example",
            now=lambda: self.now,
        )

    def timeline(self, name: str) -> list[Entry]:
        return [decode_entry(row[1][1]) for row in self.link.one("XRANGE", keys.timeline(name), "-", "+")]

    def kinds(self, name: str) -> list[str]:
        return [entry.kind.value for entry in self.timeline(name)]

    def counter(self, field: str) -> int:
        return int(self.link.one("HGET", keys.counters(), field) or 0)
