"""What must hold after a kill: gathered from the store, /metrics and the page sink, and checked as plain values."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from installation import Installation
from page_sink import Received

from incidents import keys
from incidents.alert import AlertState
from incidents.incident import Incident
from incidents.store.codec import decode_entry, decode_incident, decode_state
from incidents.store.connection import Link
from incidents.timeline import EntryKind


@dataclass
class OneIncident:
    """An incident with everything that is kept beside it."""

    incident: Incident
    tally: dict[str, int]
    alerts: set[str]
    kinds: list[str]


@dataclass
class Evidence:
    """Everything that the checks look at."""

    accepted: Mapping[str, str]  # what each alert must be, by the store's name for it
    counters: dict[str, float]
    states: dict[str, AlertState]
    incidents: dict[str, OneIncident]
    indexed: list[str]
    open: set[str]
    pointers: dict[str, str]  # identity -> id:version
    declared: float
    quarantined: int
    left: dict[str, int]  # pages due, pages claimed, entries after the cursor
    pages: list[dict[str, Any]] = field(default_factory=list)  # as they came to the sink


def gather(installation: Installation, accepted: Mapping[str, str], received: Sequence[Received]) -> Evidence:
    """Read everything once nothing is pending and no page is due."""
    link = installation.link()
    try:
        states = {name.decode(): decode_state(blob) for name, blob in _pairs(link.one("HGETALL", keys.alerts()))}
        names = [name.decode() for name in link.one("ZRANGE", keys.incidents(), 0, -1)]
        incidents = {name: _incident(link, name) for name in names}
        return Evidence(
            accepted=accepted,
            counters=installation.balance(),
            states=states,
            incidents=incidents,
            indexed=names,
            open={name.decode() for name in link.one("SMEMBERS", keys.incidents_open())},
            pointers={
                one.incident.identity_key: (link.one("GET", keys.identity(one.incident.identity_key)) or b"").decode()
                for one in incidents.values()
            },
            declared=installation.metric("tocsin_incidents_declared_total"),
            quarantined=link.one("HLEN", keys.quarantine()),
            left={"pages due": link.one("ZCARD", keys.pages_due()), "claimed": link.one("HLEN", keys.pages_claimed())},
            pages=[one.json for one in received if one.accepted],
        )
    finally:
        link.drop()


def _incident(link: Link, name: str) -> OneIncident:
    blob, tally, alerts, entries = link.ask(
        [
            ("GET", keys.incident(name)),
            ("HGETALL", keys.tally(name)),
            ("SMEMBERS", keys.incident_alerts(name)),
            ("XRANGE", keys.timeline(name), "-", "+"),
        ]
    )
    kinds = [decode_entry(dict(_pairs(fields))[b"e"]).kind.value for _, fields in entries]
    counts = {key.decode(): int(value) for key, value in _pairs(tally)}
    return OneIncident(decode_incident(blob), counts, {each.decode() for each in alerts}, kinds)


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def faults(evidence: Evidence) -> list[str]:
    """Return everything that is wrong; empty when all promises were kept."""
    return [
        *_counters(evidence),
        *_alerts(evidence),
        *_incidents(evidence),
        *_tallies(evidence),
        *_timelines(evidence),
        *_pages(evidence),
    ]


def _counters(evidence: Evidence) -> Iterator[str]:
    counts = evidence.counters
    if counts["received"] != counts["processed"] + counts["duplicate"] + counts["quarantined"] + counts["pending"]:
        yield f"the counters do not balance: {counts}"
    if counts["pending"]:
        yield f"{counts['pending']} events are pending"
    if counts["quarantined"] or evidence.quarantined:
        yield f"{counts['quarantined']} events were quarantined, {evidence.quarantined} are kept"


def _alerts(evidence: Evidence) -> Iterator[str]:
    for name, status in evidence.accepted.items():
        state = evidence.states.get(name)
        if state is None:
            yield f"alert {name} was accepted and is lost"
        elif state.status != status:
            yield f"alert {name} must be {status} and is {state.status}"
    yield from (f"alert {name} was never sent" for name in evidence.states.keys() - evidence.accepted.keys())


def _incidents(evidence: Evidence) -> Iterator[str]:
    services = {state.labels["service"] for state in evidence.states.values()}
    declared = defaultdict(list)
    for name, one in evidence.incidents.items():
        declared[one.incident.identity["service"]].append(name)
    for service in services | declared.keys():
        if len(declared[service]) != 1:
            yield f"{service} has {len(declared[service])} incidents: {declared[service]}"
    if evidence.declared != len(services):
        yield f"{evidence.declared} incidents were counted as declared, of {len(services)} identities"
    if evidence.open != evidence.incidents.keys():
        yield f"open are {len(evidence.open)} incidents of {len(evidence.incidents)}"
    for name, one in evidence.incidents.items():
        pointer = evidence.pointers[one.incident.identity_key]
        if pointer != f"{name}:{one.incident.version}":
            yield f"{name} has version {one.incident.version}, its identity points to {pointer}"


def _tallies(evidence: Evidence) -> Iterator[str]:
    members: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"firing": [], "resolved": []})
    for key, state in evidence.states.items():
        if len(state.incidents) != 1:
            yield f"alert {key} belongs to {len(state.incidents)} incidents"
        for name in state.incidents:
            members[name][state.status.value].append(key)
    for name, one in evidence.incidents.items():
        for status, its in members[name].items():
            if one.tally.get(status, 0) != len(its):
                yield f"{name} counts {one.tally.get(status, 0)} {status} alerts; there are {len(its)}"
        if one.alerts != {*members[name]["firing"], *members[name]["resolved"]}:
            yield f"{name} lists {len(one.alerts)} alerts that are not its own"


def _timelines(evidence: Evidence) -> Iterator[str]:
    for name, one in evidence.incidents.items():
        for kind in (EntryKind.INCIDENT_DECLARED, EntryKind.PAGE_SENT):
            if one.kinds.count(kind) != 1:
                yield f"the timeline of {name} has {one.kinds.count(kind)} entries {kind}"
        folds = defaultdict(int)
        for key, count in one.tally.items():
            if key.startswith("fold:"):
                folds[key.removeprefix("fold:").partition("|")[0]] += count
        if folds[EntryKind.ALERT_FIRED] - folds[EntryKind.ALERT_RESOLVED] != one.tally.get("firing", 0):
            yield f"the folds of {name} do not add up to what fires: {dict(folds)}, {one.tally}"


def _pages(evidence: Evidence) -> Iterator[str]:
    for what, count in evidence.left.items():
        if count:
            yield f"{what}: {count}"
    sent = defaultdict(list)
    for page in evidence.pages:
        for incident in page["incidents"]:  # one, or a bundle
            sent[incident["id"]].append(page)
    yield from (f"{name} was never paged" for name in evidence.incidents.keys() - sent.keys())
    for name, pages in sent.items():
        # A bundle bears the names of its first; what of it is sent again may have another first.
        own = [page for page in pages if page["incident"]["id"] == name]
        if len({(page["page_id"], page["dedup_key"], page["person"]) for page in own}) > 1:
            yield f"{name} was paged under several names: {pages}"
        if not all(page["repeat"] for page in pages[1:]):
            yield f"{name} was paged {len(pages)} times, and not every further page is marked as a repeat"
