"""How a commit is written: one transaction of commands, and the parts of it that other writers share."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from incidents import keys
from incidents.clock import to_ms
from incidents.commit import TIMER_CLEAR, TIMER_INCIDENT, Commit
from incidents.document.values import Part, Version
from incidents.facts import awaits_facts, may_await_facts
from incidents.incident import Incident, incident_number, open_actions
from incidents.measures import Tally
from incidents.page import Page
from incidents.snapshot import Absorbing
from incidents.statistics.summary import summary_of
from incidents.store.bundle import with_data
from incidents.store.codec import encode
from incidents.store.connection import Command
from incidents.store.open_order import order_command
from incidents.store.scripts import FOLLOW, GROW, JOIN, LEAVE, MOVE
from incidents.store.shadow import shadow_commands
from incidents.store.states import States
from incidents.timeline import Entry
from incidents.values import AlertStatus, IncidentStatus

WAKES_KEPT = 100
DELIVERY_SECONDS = 72 * 3600  # PagerDuty retries for 48 hours
ECHO_SECONDS = 90 * 86400  # people write notes long after the end
FEW_FIELDS = 10  # what a script costs the store, before it does anything
AT_ONCE = 0  # due whatever the clock of the host says that delivers it


def commit_commands(commit: Commit, states: States | None = None) -> list[Command]:
    """Return the commands of the transaction, without MULTI and EXEC; what alerts become is kept in `states`."""
    commands: list[Command] = []
    for incident in commit.incidents.values():
        commands += incident_commands(incident, new=incident.id in commit.declared)
    if commit.incidents or commit.clear_since:
        commands.append(("INCR", keys.incidents_changes()))
    commands += [entry_command(incident_id, entry) for incident_id, entry in commit.entries]
    commands += [version_command(incident_id, version) for incident_id, version in commit.written]
    commands += page_commands(commit.pages)
    commands += _alert_commands(commit, states or States())
    commands += _window_commands(commit)
    commands += _scored(keys.timers(), commit.timers)
    commands += _members("ZREM", keys.timers(), commit.timers_gone - commit.timers.keys())
    commands += [("HSET", keys.quarantine(), kept.id, encode(kept)) for kept in commit.quarantine]
    commands += [("SET", keys.probe(token), "1", "EX", 600) for token in commit.probes]
    commands += [("SET", key, "1", "EX", DELIVERY_SECONDS) for key in commit.deliveries]
    commands += [("SET", key, name, "EX", ECHO_SECONDS) for key, name in commit.echoes.items()]
    for name, state in commit.heartbeats.items():
        key = keys.heartbeats()
        commands.append(("HDEL", key, name) if state is None else ("HSET", key, name, encode(state)))
    commands += [("HSET", keys.facts(), name, encode(fact)) for name, fact in commit.facts.items()]
    commands += _scored(keys.facts_wanted(), commit.wanted)
    commands += shadow_commands(commit.shadowed, commit.now_ms)
    commands += [("HINCRBY", keys.statistics_pages(), field, by) for field, by in commit.paged.items()]
    commands += [join_command(merged, into) for merged, into in commit.merged.items()]
    commands += count_commands(commit.tally)
    return commands


def _alert_commands(commit: Commit, states: States) -> list[Command]:
    commands: list[Command] = []
    if commit.states:
        flat: list[str | bytes] = []
        for name, state in commit.states.items():
            flat += (name, states.encoded(name, state))
        commands.append(("HSET", keys.alerts(), *flat))
        ended = {
            name: to_ms(state.received_at)
            for name, state in commit.states.items()
            if state.status is AlertStatus.RESOLVED
        }
        commands += _scored(keys.alerts_resolved(), ended)
        commands += _members("ZREM", keys.alerts_resolved(), commit.states.keys() - ended.keys())
    commands += _scored(keys.alerts_seen(), commit.seen)
    for incident_id, names in commit.attached.items():
        commands += _members("SADD", keys.incident_alerts(incident_id), names)
    commands += _grow_commands({keys.tally(name): fields for name, fields in commit.counts.items()})
    for incident_id, since in commit.clear_since.items():
        key = keys.tally(incident_id)
        commands.append(("HDEL", key, "clear_since") if since is None else ("HSET", key, "clear_since", to_ms(since)))
    for incident_id, begun in commit.folds_begun.items():
        key = keys.tally(incident_id)
        commands += [("HSET", key, f"open:{name}", at) for name, at in begun.items()]
    return commands


def _grow_commands(counts: Mapping[str, Mapping[str, int]]) -> list[Command]:
    """Return what lets the fields of hashes grow; of many, in one script."""
    if sum(map(len, counts.values())) > FEW_FIELDS:
        return [with_data(GROW, counts)]
    return [("HINCRBY", key, field, by) for key, fields in counts.items() for field, by in fields.items()]


def _window_commands(commit: Commit) -> list[Command]:
    moved = {}
    for key, members in commit.windows.items():
        span_ms = int(commit.window_spans[key].total_seconds() * 1000)
        # What fires counts however long ago it began, so a window lapses only once nothing in it fires.
        moved[key] = (members, commit.now_ms - span_ms, span_ms if commit.windows_firing[key] <= 0 else 0)
    return [with_data(MOVE, moved)] if moved else []


def incident_commands(incident: Incident, *, new: bool = False) -> list[Command]:
    """Return what stores an incident, with its identity, indexes and timers, which all follow from its value."""
    commands: list[Command] = [("SET", keys.incident(incident.id), encode(incident))]
    change = "SADD" if incident.is_open else "SREM"
    commands += [(change, keys.incidents_of_service(service), incident.id) for service in incident.services]
    commands += pointer_commands(incident)
    if incident.is_open:
        commands.append(("SADD", keys.incidents_open(), incident.id))
    else:
        commands.append(("SREM", keys.incidents_open(), incident.id))
        commands.append(("HSET", keys.statistics(), incident.id, encode(summary_of(incident))))
        commands.append(("ZREM", keys.timers(), TIMER_CLEAR + incident.id, TIMER_INCIDENT + incident.id))
    if new:
        year = incident.declared_at.year
        commands.append(("ZADD", keys.incidents(), to_ms(incident.declared_at), incident.id))
        commands.append(("SET", keys.number(year), incident_number(incident.id)))
    if incident.absorbs_until is not None:
        commands.append(_absorbing_command(incident, incident.absorbs_until))
    if may_await_facts(incident):
        commands.append(("SADD" if awaits_facts(incident) else "SREM", keys.facts_awaited(), incident.id))
    commands += _action_commands(incident)
    commands.append(order_command(incident))
    commands.append(escalation_command(incident))
    return commands


def pointer_commands(incident: Incident) -> list[Command]:
    """Return what lets the identities of an incident lead to it; one that was merged has none any more."""
    if incident.merged_into:
        return []
    pointers = [keys.identity(name) for name in incident.identity_keys]
    target = f"{incident.id}:{incident.version}"
    if incident.is_open:
        own: list[Command] = [("SET", pointers[0], target)]
        names = (incident.id, *(each.id for each in incident.merged))
        return [*own, with_data(FOLLOW, (pointers[1:], names, target))] if incident.merged else own
    kept_ms = int(incident.reopen_seconds * 1000) if incident.status is IncidentStatus.RESOLVED else 0
    return [with_data(LEAVE, (pointers, incident.id, target, kept_ms))]


def _action_commands(incident: Incident) -> list[Command]:
    """Return what indexes the post-incident actions; those of a merged incident are with the one that goes on."""
    if not incident.post_incident_actions:
        return []
    found = open_actions(incident)
    name, key = incident.id, keys.post_incident_actions_open()
    return [
        ("ZREM", keys.post_incident_actions(), name)
        if incident.merged_into
        else ("ZADD", keys.post_incident_actions(), to_ms(incident.declared_at), name),
        ("HSET", key, name, encode(found)) if found else ("HDEL", key, name),
    ]


def join_command(merged: str, into: str) -> Command:
    """Return what joins the timeline, the counts and the alerts of a merged incident to those of another."""
    parts = [
        (keys.timeline(name), keys.tally(name), keys.incident_alerts(name), keys.corrections(name))
        for name in (merged, into)
    ]
    return with_data(JOIN, (*parts, keys.alerts()))


def _absorbing_command(incident: Incident, until: datetime) -> Command:
    key = keys.incidents_absorbing()
    if not incident.is_open:
        return ("HDEL", key, incident.id)
    return ("HSET", key, incident.id, encode(Absorbing(identity=incident.identity, until=until)))


def escalation_command(incident: Incident) -> Command:
    """Return what sets or takes away the timer of the next paging step."""
    due = incident.paging.due_at if incident.is_open and incident.paging is not None else None
    if due is not None:
        return ("ZADD", keys.escalations(), to_ms(due), incident.id)
    return ("ZREM", keys.escalations(), incident.id)


def entry_command(incident_id: str, entry: Entry) -> Command:
    """Return what appends an entry to a timeline."""
    return ("XADD", keys.timeline(incident_id), "*", "e", encode(entry))


def versions_key(incident_id: str, part: Part) -> str:
    """Return the key of the versions of a written part."""
    return keys.summary_versions(incident_id) if part is Part.SUMMARY else keys.report_versions(incident_id)


def version_command(incident_id: str, version: Version) -> Command:
    """Return what appends a version of a written part; none is ever overwritten."""
    return ("XADD", versions_key(incident_id, version.part), "*", "v", encode(version))


def page_commands(pages: Iterable[Page]) -> list[Command]:
    """Return what makes pages due now and wakes the page worker."""
    commands: list[Command] = []
    for page in pages:
        commands.append(("HSET", keys.page(page.id), "page", encode(page)))
        commands.append(("ZADD", keys.pages_due(), AT_ONCE, page.id))
    if commands:
        commands.append(("LPUSH", keys.pages_wake(), "1"))
        commands.append(("LTRIM", keys.pages_wake(), 0, WAKES_KEPT))
    return commands


def count_commands(tally: Tally) -> list[Command]:
    """Return what lets the measures grow."""
    return [("HINCRBY", keys.counters(), field, by) for field, by in tally.fields.items()]


def _scored(key: str, scores: Mapping[str, int | str]) -> list[Command]:
    if not scores:
        return []
    flat: list[int | str] = []
    for member, score in scores.items():
        flat += (score, member)
    return [("ZADD", key, *flat)]


def _members(command: str, key: str, members: Iterable[str]) -> list[Command]:
    listed = sorted(members)
    return [(command, key, *listed)] if listed else []
