"""How each field of a commit is written to a store in memory. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from incidents.alert import AlertState
from incidents.clock import from_ms, to_ms
from incidents.commit import Commit
from incidents.document.values import Version
from incidents.heartbeat import HeartbeatState
from incidents.incident import Incident
from incidents.measures import Measures
from incidents.memory.sorted import Window
from incidents.memory.state import Shadow, State
from incidents.page import Page
from incidents.quarantined import Quarantined
from incidents.shadow import Shadowed
from incidents.snapshot import MEMBERS_LOADED
from incidents.timeline import Entry
from incidents.values import AlertStatus

DELIVERY_MS = 72 * 3600 * 1000
ECHO_MS = 90 * 86400 * 1000


def _keep_incidents(store: State, incidents: dict[str, Incident], commit: Commit) -> None:
    for incident in incidents.values():
        store.keep_incident(incident, commit.now_ms, new=incident.id in commit.declared)


def _append(store: State, entries: list[tuple[str, Entry]], commit: Commit) -> None:
    del commit
    for incident_id, entry in entries:
        store.timelines.setdefault(incident_id, []).append(entry)


def _write(store: State, written: list[tuple[str, Version]], commit: Commit) -> None:
    del commit
    for incident_id, version in written:
        store.documents.setdefault((incident_id, version.part), []).append(version)


def _make_due(store: State, pages: list[Page], commit: Commit) -> None:
    del commit
    store.pages.update((page.id, page) for page in pages)


def _remember(store: State, states: dict[str, AlertState], commit: Commit) -> None:
    del commit
    store.alerts.update(states)
    for name, state in states.items():
        if state.status is AlertStatus.RESOLVED:
            store.alerts_resolved[name] = to_ms(state.received_at)
        else:
            store.alerts_resolved.pop(name, None)


def _attach(store: State, attached: dict[str, set[str]], commit: Commit) -> None:
    del commit
    for incident_id, names in attached.items():
        store.attached.setdefault(incident_id, set()).update(names)


def _grow(store: State, counts: dict[str, dict[str, int]], commit: Commit) -> None:
    del commit
    for incident_id, fields in counts.items():
        tally = store.tallies.setdefault(incident_id, {})
        for field, by in fields.items():
            tally[field] = tally.get(field, 0) + by


def _clear_since(store: State, clear_since: dict[str, datetime | None], commit: Commit) -> None:
    del commit
    for incident_id, since in clear_since.items():
        tally = store.tallies.setdefault(incident_id, {})
        if since is None:
            tally.pop("clear_since", None)
        else:
            tally["clear_since"] = to_ms(since)


def _begin_folds(store: State, folds: dict[str, dict[str, int]], commit: Commit) -> None:
    del commit
    for incident_id, begun in folds.items():
        tally = store.tallies.setdefault(incident_id, {})
        tally.update((f"open:{name}", at) for name, at in begun.items())


def _move(store: State, windows: dict[str, dict[str, int | str]], commit: Commit) -> None:
    for key, members in windows.items():
        window = store.window(key, from_ms(commit.now_ms)) or store.windows.setdefault(key, Window())
        span_ms = int(commit.window_spans[key].total_seconds() * 1000)
        window.move(members, commit.now_ms - span_ms)
        # What fires counts however long ago it began, so a window lapses only once nothing in it fires.
        window.expires_ms = commit.now_ms + span_ms if commit.windows_firing[key] <= 0 else None


def _set_timers(store: State, timers: dict[str, int], commit: Commit) -> None:
    del commit
    for member, due in timers.items():
        store.timers.put(member, due)


def _drop_timers(store: State, gone: set[str], commit: Commit) -> None:
    for member in gone - commit.timers.keys():
        store.timers.drop(member)


def _set_aside(store: State, quarantine: list[Quarantined], commit: Commit) -> None:
    del commit
    store.quarantine.update((kept.id, kept) for kept in quarantine)


def _deliver(store: State, deliveries: set[str], commit: Commit) -> None:
    store.deliveries.update((key, commit.now_ms + DELIVERY_MS) for key in deliveries)


def _echo(store: State, echoes: dict[str, str], commit: Commit) -> None:
    store.echoes.update((key, (name, commit.now_ms + ECHO_MS)) for key, name in echoes.items())


def _beat(store: State, heartbeats: dict[str, HeartbeatState | None], commit: Commit) -> None:
    del commit
    for name, state in heartbeats.items():
        if state is None:
            store.heartbeats.pop(name, None)
        else:
            store.heartbeats[name] = state


def _shadow(store: State, shadowed: list[Shadowed], commit: Commit) -> None:
    for each in shadowed:
        known = store.shadow.get(each.id)
        if not each.rule:
            if known is not None and each.member in known.firing:
                known.firing.discard(each.member)
                known.last_ms = commit.now_ms
            continue
        if not each.severity and (known is None or not known.firing):
            continue
        if known is None or (not known.firing and commit.now_ms - known.last_ms > each.gap_ms):
            known = store.shadow[each.id] = Shadow(each, commit.now_ms)
            store.would_be.append(known)
            store.counters[Measures.SHADOW.field(each.rule, each.severity)] += 1
            if each.window in store.windows:
                known.take(store.windows[each.window].firing_now(MEMBERS_LOADED))
        known.take((each.member,))
        if each.severity and each.severity < known.severity:
            known.severity = each.severity
        known.last_ms = commit.now_ms


def _join(store: State, merged: dict[str, str], commit: Commit) -> None:
    del commit
    for name, into in merged.items():
        store.join(name, into)


Write = Callable[[State, Any, Commit], None]
WRITES: Mapping[str, Write] = {  # in the order in which the real store writes them
    "incidents": _keep_incidents,
    "entries": _append,
    "written": _write,
    "pages": _make_due,
    "states": _remember,
    "seen": lambda store, seen, _commit: store.alerts_seen.update(seen),
    "attached": _attach,
    "counts": _grow,
    "clear_since": _clear_since,
    "folds_begun": _begin_folds,
    "windows": _move,
    "timers": _set_timers,
    "timers_gone": _drop_timers,
    "quarantine": _set_aside,
    "probes": lambda store, probes, _commit: store.probes.update(probes),
    "deliveries": _deliver,
    "echoes": _echo,
    "heartbeats": _beat,
    "facts": lambda store, facts, _commit: store.facts.update(facts),
    "wanted": lambda store, wanted, _commit: store.wanted.update(wanted),
    "shadowed": _shadow,
    "paged": lambda store, paged, _commit: store.paged.update(paged),
    "merged": _join,
    "tally": lambda store, tally, _commit: store.counters.update(tally.fields),
}
READ_ALONG = frozenset({"now_ms", "declared", "window_spans", "windows_firing"})  # by the writers of other fields
