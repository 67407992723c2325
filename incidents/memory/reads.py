"""How each field of a snapshot is read from a store in memory. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from incidents.alert import AlertState
from incidents.clock import to_ms
from incidents.memory.state import State
from incidents.post_incident_actions import OpenAction
from incidents.snapshot import FIRING_NOW, MEMBERS_LOADED, Plan


def _alerts(store: State, plan: Plan, now: datetime) -> dict[str, AlertState]:
    del now
    return {name: state for name in plan.alerts if (state := store.alerts.get(name)) is not None}


def _counts(store: State, plan: Plan, now: datetime) -> dict[tuple[str, timedelta], int]:
    found: dict[tuple[str, timedelta], int] = {}
    for key, asked in plan.windows.items():
        window = store.window(key, now)
        found[key, FIRING_NOW] = window.firing if window is not None else 0
        for within in asked.withins:
            found[key, within] = window.count(to_ms(now - within)) if window is not None else 0
    return found


def _scores(store: State, plan: Plan, now: datetime) -> dict[tuple[str, str], float | None]:
    found: dict[tuple[str, str], float | None] = {}
    for key, asked in plan.windows.items():
        window = store.window(key, now)
        for member in asked.members:
            found[key, member] = window.scores.get(member) if window is not None else None
    return found


def _members(store: State, plan: Plan, now: datetime) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, within in plan.members.items():
        window = store.window(key, now)
        found[key] = window.latest(to_ms(now - within), MEMBERS_LOADED) if window is not None else ()
    return found


def _delivered(store: State, plan: Plan, now: datetime) -> frozenset[str]:
    now_ms = to_ms(now)
    return frozenset(key for key in plan.deliveries if store.deliveries.get(key, 0) > now_ms)


def _echoes(store: State, plan: Plan, now: datetime) -> dict[str, str]:
    known = {key: store.echoes[key] for key in plan.echoes if key in store.echoes}
    return {key: name for key, (name, until_ms) in known.items() if until_ms > to_ms(now)}


def _tops(store: State, plan: Plan, now: datetime) -> dict[str, tuple[tuple[str, float], ...]]:
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for key, count in plan.tops.items():
        window = store.window(key, now)
        names = window.latest(0, count) if window is not None else ()
        found[key] = tuple((name, window.scores[name]) for name in names) if window is not None else ()
    return found


def _actions(store: State, plan: Plan, now: datetime) -> tuple[OpenAction, ...] | None:
    del now
    if not plan.actions:
        return None
    return tuple(action for name in sorted(store.actions) for action in store.actions[name])


Read = Callable[[State, Plan, datetime], Any]
READS: Mapping[str, Read] = {
    "asked": lambda _store, plan, _now: frozenset(plan.alerts),
    "ruleset": lambda store, _plan, _now: store.ruleset,
    "fence": lambda store, _plan, _now: store.fence,
    "number": lambda store, _plan, now: store.numbers.get(now.year, 0),
    "alerts": _alerts,
    "identities": lambda store, plan, now: {
        name: store.known(store.of_identity(name, now), folds) for name, folds in plan.identities.items()
    },
    "ids": lambda store, plan, _now: {
        name: store.known(store.incidents.get(name), folds) for name, folds in plan.ids.items()
    },
    "counts": _counts,
    "scores": _scores,
    "members": _members,
    "delivered": _delivered,
    "echoes": _echoes,
    "services": lambda store, plan, _now: {
        service: tuple(sorted(store.services.get(service, ()))) for service in plan.services
    },
    "heartbeats": lambda store, plan, _now: dict(store.heartbeats) if plan.heartbeats else {},
    "tops": _tops,
    "attached": lambda store, plan, _now: {name: tuple(sorted(store.attached.get(name, ()))) for name in plan.attached},
    "absorbing": lambda store, plan, _now: dict(store.absorbing) if plan.absorbing else {},
    "facts": lambda store, plan, _now: {name: store.facts.get(name) for name in plan.facts},
    "awaiting": lambda store, plan, _now: tuple(sorted(store.awaiting)) if plan.awaiting else (),
    "open": lambda store, plan, _now: tuple(sorted(store.open)) if plan.open else (),
    "has_actions": lambda store, _plan, _now: bool(store.actions),
    "actions": _actions,
    "maintenance": lambda store, _plan, _now: tuple(store.maintenance.values()),
}
