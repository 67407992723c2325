"""What the facts worker and the API read of facts: what is wanted, who waits, and what is known."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from incidents import keys
from incidents.alert import AlertState, alert_key
from incidents.clock import to_ms
from incidents.facts import Fact
from incidents.incident import Incident
from incidents.store.codec import decode_fact, decode_incident, decode_state
from incidents.store.connection import Links, checked

SCANNED = 1000  # alerts at once
KEPT = timedelta(hours=1)  # a fact that nobody asks for any more


class FactStore:
    """Reads facts. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def wanted(self, now: datetime) -> list[str]:
        """Return the questions that rules have looked for lately; raises `StoreUnavailable`."""
        key = keys.facts_wanted()
        with self._links.borrow() as link:
            _, found = checked(
                link.ask([("ZREMRANGEBYSCORE", key, "-inf", to_ms(now)), ("ZRANGEBYSCORE", key, to_ms(now), "+inf")])
            )
        return [promql.decode() for promql in found]

    def awaited(self) -> list[Incident]:
        """Return the incidents that wait for facts."""
        with self._links.borrow() as link:
            names = link.one("SMEMBERS", keys.facts_awaited())
            stored = link.one("MGET", *(keys.incident(name.decode()) for name in sorted(names))) if names else []
        return [decode_incident(value) for value in stored if value is not None]

    def alerts_of(self, source: str) -> Iterator[AlertState]:
        """Go through what is remembered of a source's alerts, a slice at a time."""
        cursor = 0
        while True:
            pattern = f"{alert_key(source, '')}*"
            with self._links.borrow() as link:
                position, rows = link.one("HSCAN", keys.alerts(), cursor, "MATCH", pattern, "COUNT", SCANNED)
            yield from (state for state in map(decode_state, rows[1::2]) if state.source == source)
            cursor = int(position)
            if not cursor:
                return

    def known(self) -> dict[str, Fact]:
        """Return every fact by its id."""
        with self._links.borrow() as link:
            flat = link.one("HGETALL", keys.facts())
        return {name.decode(): decode_fact(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}

    def facts(self, names: list[str]) -> dict[str, Fact | None]:
        """Return facts by their ids, None for what was never answered."""
        if not names:
            return {}
        with self._links.borrow() as link:
            stored = link.one("HMGET", keys.facts(), *names)
        return {name: decode_fact(value) if value else None for name, value in zip(names, stored, strict=True)}

    def forget(self, asked: frozenset[str], now: datetime) -> None:
        """Drop the facts that are neither asked for nor young."""
        gone = [name for name, fact in self.known().items() if name not in asked and now - fact.at > KEPT]
        if gone:
            with self._links.borrow() as link:
                link.one("HDEL", keys.facts(), *gone)
