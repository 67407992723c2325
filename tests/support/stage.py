"""A store with intake and deciders, under a clock that the test moves."""

from collections.abc import Callable
from datetime import timedelta

from builders import NOW

from incidents import keys
from incidents.alert import Alert
from incidents.clock import to_ms
from incidents.incident import Incident
from incidents.incoming import Incoming
from incidents.store.codec import decode_entry, decode_incident
from incidents.store.connection import Link, Links, client_for
from incidents.store.intake import Intake
from incidents.store.wake import Waker
from incidents.timeline import Entry
from rules.deciding.deciding import Deciding
from rules.model import RuleSet
from workers.decider import Decider
from workers.entries import Cursor

LEASE_MS = 120_000  # no test loses its lease while the machine stands still


class Stage:
    """A store with intake and deciders, under a clock that the test moves."""

    def __init__(self, url: str, links: Links, rules: RuleSet) -> None:
        self.url, self.links, self.rules = url, links, rules
        self.now = NOW
        self.link = Link(url)
        self.link.one("SET", keys.rules_current(), rules.hash)
        self.intake = Intake(links, lambda: None)

    def decider(self, owner: str = "one|1|a", deciding: Callable[[str], Deciding] | None = None) -> Decider:
        return Decider(
            url=self.url,
            owner=owner,
            waker=Waker(client_for(self.url)),
            deciding_for=deciding or (lambda _: Deciding(self.rules)),
            now=lambda: self.now,
            lease_ms=LEASE_MS,
        )

    def post(self, *alerts: Alert) -> None:
        self.intake.append_alerts(source="prom", alerts=alerts, received_at=self.now)

    def take(self, *incoming: Incoming, source: str = "pd") -> None:
        self.intake.append_incoming(source=source, incoming=incoming, received_at=self.now)

    def decide(self, decider: Decider | None = None) -> None:
        """Let a decider look until nothing is left that it can do; it waits for nothing that is yet to come."""
        decider = decider or self.decider()
        while True:
            before = self.left()
            decider.linger(timedelta())
            if self.is_done() or self.left() == before:
                return

    def left(self) -> tuple[bytes | None, list[bytes], int]:
        """Return how far the decider has come, the newest entry, and how many timers are due."""
        newest = [row[0] for row in self.link.one("XREVRANGE", keys.stream(), "+", "-", "COUNT", 1)]
        due = self.link.one("ZCOUNT", keys.timers(), "-inf", to_ms(self.now))
        return self.link.one("GET", keys.cursor()), newest, int(due)

    def is_done(self) -> bool:
        """Tell whether all that came was decided, and no timer is due."""
        cursor, newest, due = self.left()
        return due == 0 and (not newest or cursor == str(Cursor(newest[0].decode())).encode())

    def incidents(self) -> list[Incident]:
        names = self.link.one("ZRANGE", keys.incidents(), 0, -1)
        return [decode_incident(self.link.one("GET", keys.incident(name.decode()))) for name in names]

    def counter(self, field: str) -> int:
        return int(self.link.one("HGET", keys.counters(), field) or 0)

    def timeline(self, name: str) -> list[Entry]:
        return [decode_entry(row[1][1]) for row in self.link.one("XRANGE", keys.timeline(name), "-", "+")]

    def kinds(self, name: str) -> list[str]:
        return [entry.kind.value for entry in self.timeline(name)]

    def balance(self) -> tuple[int, int]:
        outcomes = ("processed", "duplicate", "quarantined")
        return self.counter("events_received_total"), sum(self.counter(f"events_total|{name}") for name in outcomes)
