"""How a plan is read from the store, all in one round trip."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from incidents import keys
from incidents.alert import AlertState
from incidents.archive import Archived, is_archive
from incidents.clock import to_ms
from incidents.snapshot import FIRING_NOW, MEMBERS_LOADED, Absorbing, Known, Plan, Snapshot
from incidents.store.bundle import with_data
from incidents.store.codec import (
    decode_fact,
    decode_heartbeat,
    decode_incident,
    decode_maintenance,
    decode_open_actions,
    tally_of,
)
from incidents.store.connection import Command
from incidents.store.scripts import COUNT, LOAD, digest
from incidents.store.states import States

_ABSORBING = msgspec.json.Decoder(Absorbing)
FIELDS = ("firing", "resolved", "clear_since")


def load_commands(plan: Plan, now: datetime) -> list[Command]:
    """Return what watches and loads: the first command is WATCH, so that nothing read can change unseen."""
    watched = [keys.fence(), keys.rules_current(), keys.number(now.year)]
    watched += [keys.identity(name) for name in plan.identities]
    watched += [keys.incident(incident_id) for incident_id in plan.ids]
    commands: list[Command] = [
        ("WATCH", *watched),
        ("GET", keys.fence()),
        ("GET", keys.rules_current()),
        ("GET", keys.number(now.year)),
        ("HVALS", keys.maintenance()),
        ("EXISTS", keys.post_incident_actions_open()),
    ]
    if plan.alerts:
        commands.append(("HMGET", keys.alerts(), *plan.alerts))
    if plan.identities or plan.ids:
        commands.append(_load_incidents(plan))
    if plan.windows:
        commands.append(_load_windows(plan, now))
    for key, within in plan.members.items():
        commands.append(("ZREVRANGEBYSCORE", key, "+inf", to_ms(now - within), "LIMIT", 0, MEMBERS_LOADED))
    if plan.deliveries:
        commands.append(("MGET", *plan.deliveries))
    if plan.echoes:
        commands.append(("MGET", *plan.echoes))
    commands += [("SMEMBERS", keys.incidents_of_service(service)) for service in plan.services]
    if plan.heartbeats:
        commands.append(("HVALS", keys.heartbeats()))
    commands += [("ZREVRANGE", key, 0, count - 1, "WITHSCORES") for key, count in plan.tops.items()]
    commands += [("SMEMBERS", keys.incident_alerts(name)) for name in plan.attached]
    if plan.absorbing:
        commands.append(("HGETALL", keys.incidents_absorbing()))
    if plan.open:
        commands.append(("SMEMBERS", keys.incidents_open()))
    if plan.facts:
        commands.append(("HMGET", keys.facts(), *plan.facts))
    commands += [("SMEMBERS", keys.facts_awaited())] * plan.awaiting
    commands += [("HVALS", keys.post_incident_actions_open())] * plan.actions
    return commands


def _load_windows(plan: Plan, now: datetime) -> Command:
    asked = []
    for key, window in plan.windows.items():
        since = ["+inf", *(to_ms(now - within) for within in window.withins)]
        asked.append((key, since, tuple(window.members)))
    return with_data(COUNT, asked)


def _load_incidents(plan: Plan) -> Command:
    before, after = keys.tally("|").split("|")
    arguments: list[Any] = [keys.identity(""), before, after]
    for name, folds in plan.identities.items():
        arguments += _group("identity", name, folds)
    for name, folds in plan.ids.items():
        arguments += _group("id", name, folds)
    return ("EVALSHA", digest(LOAD), 0, *arguments)


def _group(kind: str, name: str, folds: Iterable[str]) -> list[Any]:
    fields = [*FIELDS, *(f"open:{fold}" for fold in folds)]
    return [kind, name, len(fields), *fields]


def snapshot_of(plan: Plan, replies: list[Any], states: States | None = None) -> Snapshot:
    """Read the replies to `load_commands`, alerts through `states`; raises `Archived` for what must be brought back."""
    answers = iter(replies[1:])
    fence, ruleset, number = int(next(answers) or 0), next(answers), int(next(answers) or 0)
    maintenance, has_actions = decode_maintenance(tuple(next(answers))), bool(next(answers))
    alerts = _states(plan, next(answers), states or States()) if plan.alerts else {}
    groups = iter(next(answers) if plan.identities or plan.ids else ())
    identities = {name: _known(next(groups), folds) for name, folds in plan.identities.items()}
    ids = {name: _known(next(groups), folds) for name, folds in plan.ids.items()}
    counts, scores = _windows(plan, next(answers) if plan.windows else ())
    members = {key: tuple(name.decode() for name in next(answers)) for key in plan.members}
    delivered = frozenset(
        key for key, value in zip(plan.deliveries, next(answers) if plan.deliveries else (), strict=True) if value
    )
    echoes = _echoes(plan, next(answers)) if plan.echoes else {}
    services = {service: tuple(name.decode() for name in next(answers)) for service in plan.services}
    beats = [decode_heartbeat(value) for value in next(answers)] if plan.heartbeats else []
    tops = {key: _scored(next(answers)) for key in plan.tops}
    attached = {name: tuple(key.decode() for key in next(answers)) for name in plan.attached}
    absorbing = _absorbing(next(answers)) if plan.absorbing else {}
    is_open = next(answers) if plan.open else ()
    facts = zip(plan.facts, next(answers) if plan.facts else (), strict=True)
    awaiting = next(answers) if plan.awaiting else ()
    actions = decode_open_actions(next(answers)) if plan.actions else None
    current = ruleset.decode() if ruleset else ""
    return Snapshot(
        asked=frozenset(plan.alerts),
        ruleset=current,
        fence=fence,
        number=number,
        alerts=alerts,
        identities=identities,
        ids=ids,
        counts=counts,
        scores=scores,
        members=members,
        delivered=delivered,
        echoes=echoes,
        services=services,
        heartbeats={state.id: state for state in beats},
        tops=tops,
        attached=attached,
        absorbing=absorbing,
        facts={name: decode_fact(value) if value else None for name, value in facts},
        awaiting=tuple(sorted(name.decode() for name in awaiting)),
        open=tuple(sorted(name.decode() for name in is_open)),
        has_actions=has_actions,
        actions=actions,
        maintenance=maintenance,
    )


def _windows(
    plan: Plan, rows: Iterable[list[Any]]
) -> tuple[dict[tuple[str, timedelta], int], dict[tuple[str, str], float | None]]:
    counts: dict[tuple[str, timedelta], int] = {}
    scores: dict[tuple[str, str], float | None] = {}
    for (key, window), row in zip(plan.windows.items(), rows, strict=True):
        withins = (FIRING_NOW, *window.withins)
        counts.update(((key, within), count) for within, count in zip(withins, row, strict=False))
        for member, score in zip(window.members, row[len(withins) :], strict=True):
            scores[key, member] = float(score) if score else None
    return counts, scores


def _echoes(plan: Plan, names: list[bytes | None]) -> dict[str, str]:
    return {key: name.decode() for key, name in zip(plan.echoes, names, strict=True) if name}


def _scored(flat: list[bytes]) -> tuple[tuple[str, float], ...]:
    return tuple((name.decode(), float(score)) for name, score in zip(flat[::2], flat[1::2], strict=True))


def _absorbing(flat: list[bytes]) -> dict[str, Absorbing]:
    return {name.decode(): _ABSORBING.decode(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _states(plan: Plan, values: list[bytes | None], states: States) -> dict[str, AlertState]:
    read = states.decoded
    return {name: read(name, value) for name, value in zip(plan.alerts, values, strict=True) if value is not None}


def _known(group: list[bytes], folds: Iterable[str]) -> Known | None:
    if not group[0]:
        return None
    if is_archive(group[0]):
        raise Archived(decode_incident(group[0]).id)
    begun = {name: int(value) for name, value in zip(folds, group[4:], strict=True) if value}
    return Known(decode_incident(group[0]), tally_of(group[1], group[2], group[3]), begun)
