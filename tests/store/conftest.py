"""Both stores behind the same few names: what is true of one has to be true of the other."""

import pytest
from builders import rule_set

from incidents import keys
from incidents.clock import to_ms
from incidents.commit import Commit, merge_of
from incidents.memory.store import MemoryStore
from incidents.snapshot import Plan, Snapshot
from incidents.store.bundle import Bundle
from incidents.store.codec import (
    decode_entry,
    decode_heartbeat,
    decode_incident,
    decode_page,
    decode_state,
    decode_summary,
    decode_version,
    encode,
)
from incidents.store.commit import commit_commands, count_commands, versions_key
from incidents.store.connection import Link, Links, checked
from incidents.store.incidents import Incidents
from incidents.store.load import load_commands, snapshot_of
from incidents.store.pages import over_commands
from incidents.store.scripts import ALL
from incidents.transitions import Context


class RealStore:
    """A real Valkey, read and written with the commands of the decider and the page worker."""

    def __init__(self, url, links: Links) -> None:
        self.link = Link(url, scripts=ALL)
        self.oncall = rule_set().oncall
        self._incidents = Incidents(links, lambda _: self.oncall)

    def load(self, plan: Plan, now) -> Snapshot:
        watch, *loads = load_commands(plan, now)
        bundle = Bundle(loads)
        _, watched, *answered = checked(self.link.ask([("UNWATCH",), watch, *bundle.commands]))
        return snapshot_of(plan, [watched, *bundle.replies(answered)])

    def apply(self, commit: Commit) -> None:
        checked(self.link.ask([("MULTI",), *Bundle(commit_commands(commit)).commands, ("EXEC",)]))

    def happen(self, name, event, *, now, also=None, over=None) -> None:
        commands = [*count_commands(also), *(over_commands(over) if over is not None else ())] if also else []
        self._incidents.apply(name, event, now=now, also=commands)

    def merge(self, name, into, *, now) -> None:
        self._incidents.merge(name, into, actor="amira", now=now)

    def publish(self, ruleset: str) -> None:
        self.link.one("SET", keys.rules_current(), ruleset)

    def plan_maintenance(self, planned) -> None:
        self.link.one("HSET", keys.maintenance(), planned.id, encode(planned))

    # What is kept, as plain values

    def incidents(self) -> dict:
        names = self._texts("ZRANGE", keys.incidents(), 0, -1)
        return {name: decode_incident(self.link.one("GET", keys.incident(name))) for name in names}

    def open(self) -> set:
        return set(self._texts("SMEMBERS", keys.incidents_open()))

    def timeline(self, name) -> list:
        return [decode_entry(row[1][1]) for row in self.link.one("XRANGE", keys.timeline(name), "-", "+")]

    def tally(self, name) -> dict:
        return {field: int(value) for field, value in self._pairs("HGETALL", keys.tally(name)).items()}

    def attached(self, name) -> set:
        return set(self._texts("SMEMBERS", keys.incident_alerts(name)))

    def alerts(self) -> dict:
        return {name: decode_state(value) for name, value in self._pairs("HGETALL", keys.alerts()).items()}

    def heard_of(self) -> tuple[dict, dict]:
        return self._scores(keys.alerts_seen()), self._scores(keys.alerts_resolved())

    def timers(self) -> dict:
        return self._scores(keys.timers())

    def escalations(self) -> dict:
        return self._scores(keys.escalations())

    def pages(self) -> dict:
        names = self._texts("ZRANGE", keys.pages_due(), 0, -1)
        return {name: decode_page(self.link.one("HGET", keys.page(name), "page")) for name in names}

    def heartbeats(self) -> dict:
        return {name: decode_heartbeat(value) for name, value in self._pairs("HGETALL", keys.heartbeats()).items()}

    def counters(self) -> dict:
        return {name: int(value) for name, value in self._pairs("HGETALL", keys.counters()).items()}

    def paged(self) -> dict:
        return {name: int(value) for name, value in self._pairs("HGETALL", keys.statistics_pages()).items()}

    def summaries(self) -> dict:
        return {name: decode_summary(value) for name, value in self._pairs("HGETALL", keys.statistics()).items()}

    def written(self, name, part) -> list:
        rows = self.link.one("XRANGE", versions_key(name, part), "-", "+")
        return [decode_version(fields[1]) for _, fields in rows]

    def quarantine(self) -> set:
        return set(self._pairs("HGETALL", keys.quarantine()))

    def window(self, key) -> dict:
        flat = self.link.one("ZRANGE", key, 0, -1, "WITHSCORES")
        return {name.decode(): float(score) for name, score in zip(flat[::2], flat[1::2], strict=True)}

    def lasts(self, kind, name, now) -> int | None:
        """Return for how many milliseconds something is kept: None for ever, -2 when it is not there."""
        del now
        left = self.link.one("PTTL", {"identity": keys.identity, "window": str, "delivery": str}[kind](name))
        return None if left == -1 else left

    def _texts(self, *command) -> list[str]:
        return [value.decode() for value in self.link.one(*command)]

    def _pairs(self, *command) -> dict:
        flat = self.link.one(*command)
        return {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}

    def _scores(self, key) -> dict:
        flat = self.link.one("ZRANGE", key, 0, -1, "WITHSCORES")
        return {name.decode(): int(float(score)) for name, score in zip(flat[::2], flat[1::2], strict=True)}


class InMemory:
    """The store in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.oncall = rule_set().oncall
        self.load, self.apply = self.store.load, self.store.apply

    def happen(self, name, event, *, now, also=None, over=None) -> None:
        self.store.happen(name, event, oncall=self.oncall, now=now, also=also)
        if over is not None:
            self.store.pages.pop(over.id, None)

    def merge(self, name, into, *, now) -> None:
        contexts = [
            Context(oncall=self.oncall, ruleset=self.store.ruleset, alerts=self.store.tally(each))
            for each in (name, into)
        ]
        pair = (self.store.incidents[name], self.store.incidents[into])
        self.store.apply(merge_of(*pair, ("amira", ""), tuple(contexts), now)[0])

    def publish(self, ruleset: str) -> None:
        self.store.ruleset = ruleset

    def plan_maintenance(self, planned) -> None:
        self.store.maintenance[planned.id] = planned

    def incidents(self) -> dict:
        return self.store.incidents

    def open(self) -> set:
        return self.store.open

    def timeline(self, name) -> list:
        # The data of an entry are plain values here, and JSON in the real store.
        return [decode_entry(encode(entry)) for entry in self.store.timelines.get(name, [])]

    def tally(self, name) -> dict:
        return self.store.tallies.get(name, {})

    def attached(self, name) -> set:
        return self.store.attached.get(name, set())

    def alerts(self) -> dict:
        return self.store.alerts

    def heard_of(self) -> tuple[dict, dict]:
        return self.store.alerts_seen, self.store.alerts_resolved

    def timers(self) -> dict:
        return self.store.timers.scores

    def escalations(self) -> dict:
        return self.store.escalations.scores

    def pages(self) -> dict:
        return self.store.pages

    def heartbeats(self) -> dict:
        return self.store.heartbeats

    def counters(self) -> dict:
        return dict(self.store.counters)

    def paged(self) -> dict:
        return dict(self.store.paged)

    def summaries(self) -> dict:
        return self.store.summaries

    def written(self, name, part) -> list:
        return self.store.documents[name, part]

    def quarantine(self) -> set:
        return set(self.store.quarantine)

    def window(self, key) -> dict:
        return self.store.windows[key].scores if key in self.store.windows else {}

    def lasts(self, kind, name, now) -> int | None:
        kept = {"identity": self.store.identities, "window": self.store.windows, "delivery": self.store.deliveries}
        found = kept[kind].get(name)
        if found is None:
            return -2
        expires = found if isinstance(found, int) else found.expires_ms
        return None if expires is None else expires - to_ms(now)


@pytest.fixture
def real(store_url, links) -> RealStore:
    return RealStore(store_url, links)


@pytest.fixture(params=["real", "memory"])
def store(request):
    """One store after the other: whatever holds must hold on both."""
    return request.getfixturevalue("real") if request.param == "real" else InMemory()


@pytest.fixture
def in_memory() -> InMemory:
    return InMemory()
