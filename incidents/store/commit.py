"""A commit: everything that one unit of work changes, gathered as values and turned into one transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from incidents import keys
from incidents.alert import AlertState
from incidents.clock import to_ms
from incidents.heartbeat import HeartbeatState
from incidents.incident import Incident, incident_number
from incidents.measures import Tally
from incidents.page import Page
from incidents.store.bundle import with_data
from incidents.store.codec import encode
from incidents.store.connection import Command
from incidents.store.intake import Quarantined
from incidents.store.scripts import GROW, MOVE
from incidents.timeline import Entry
from incidents.transitions import Transition, clear_for
from incidents.values import AlertStatus, IncidentStatus

WAKES_KEPT = 100
DELIVERY_SECONDS = 72 * 3600  # PagerDuty retries for 48 hours
AT_ONCE = 0  # due whatever the clock of the host says that delivers it
FIRING_SCORE = "+inf"  # in a window: it fires now
TIMER_ALERT = "alert|"
TIMER_CLEAR = "clear|"
TIMER_EXPIRY = "expiry|"
TIMER_STALE = "stale|"
TIMER_BEAT = "beat|"
TIMER_BEATS = "beats|"  # look at all heartbeats: a decider begins, or rules changed
SERVICE = "service"


class Commit:
    """What is to be written, at once or not at all."""

    def __init__(self, now: datetime) -> None:
        self.now_ms = to_ms(now)
        self.incidents: dict[str, Incident] = {}
        self.declared: dict[str, Incident] = {}
        self.entries: list[tuple[str, Entry]] = []
        self.pages: list[Page] = []
        self.tally = Tally()
        self.states: dict[str, AlertState] = {}
        self.seen: dict[str, int] = {}
        self.attached: dict[str, set[str]] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.clear_since: dict[str, datetime | None] = {}
        self.folds_begun: dict[str, dict[str, int]] = {}
        self.windows: dict[str, dict[str, int | str]] = {}
        self.window_spans: dict[str, timedelta] = {}
        self.windows_firing: dict[str, int] = {}
        self.timers: dict[str, int] = {}
        self.timers_gone: set[str] = set()
        self.quarantine: list[Quarantined] = []
        self.probes: set[str] = set()
        self.deliveries: set[str] = set()
        self.heartbeats: dict[str, HeartbeatState | None] = {}

    def take(self, incident_id: str, done: Transition, *, declared: bool = False) -> None:
        """Take in what a transition did."""
        if done.incident is not None:
            self.incidents[incident_id] = done.incident
            if declared:
                self.declared[incident_id] = done.incident
        self.entries += [(incident_id, entry) for entry in done.entries]
        self.pages += done.pages
        self.tally.add(done.tally)

    def count_alert(self, incident_id: str, *, firing: int, resolved: int) -> None:
        """Let the tally of an incident's alerts grow, or shrink."""
        fields = self._counts_of(incident_id)
        fields["firing"] = fields.get("firing", 0) + firing
        fields["resolved"] = fields.get("resolved", 0) + resolved

    def count_fold(self, incident_id: str, field: str) -> None:
        """Let the count of a fold grow by one."""
        fields = self._counts_of(incident_id)
        fields[field] = fields.get(field, 0) + 1

    def _counts_of(self, incident_id: str) -> dict[str, int]:
        fields = self.counts.get(incident_id)
        if fields is None:
            fields = self.counts[incident_id] = {}
        return fields

    def timer(self, member: str, due: datetime | None) -> None:
        """Set a timer, or take it away."""
        if due is None:
            self.timers.pop(member, None)
            self.timers_gone.add(member)
        else:
            self.timers_gone.discard(member)
            self.timers[member] = to_ms(due)

    def commands(self) -> list[Command]:
        """Return the commands of the transaction, without MULTI and EXEC."""
        commands: list[Command] = []
        for incident in self.incidents.values():
            commands += incident_commands(incident, new=incident.id in self.declared)
        commands += [entry_command(incident_id, entry) for incident_id, entry in self.entries]
        commands += page_commands(self.pages)
        commands += self._alert_commands()
        commands += self._window_commands()
        commands += _scored(keys.timers(), self.timers)
        commands += _members("ZREM", keys.timers(), self.timers_gone - self.timers.keys())
        commands += [("HSET", keys.quarantine(), kept.id, encode(kept)) for kept in self.quarantine]
        commands += [("SET", keys.probe(token), "1", "EX", 600) for token in self.probes]
        commands += [("SET", key, "1", "EX", DELIVERY_SECONDS) for key in self.deliveries]
        for name, state in self.heartbeats.items():
            key = keys.heartbeats()
            commands.append(("HDEL", key, name) if state is None else ("HSET", key, name, encode(state)))
        commands += count_commands(self.tally)
        return commands

    def _alert_commands(self) -> list[Command]:
        commands: list[Command] = []
        if self.states:
            flat: list[str | bytes] = []
            for name, state in self.states.items():
                flat += (name, encode(state))
            commands.append(("HSET", keys.alerts(), *flat))
            ended = {
                name: to_ms(state.received_at)
                for name, state in self.states.items()
                if state.status is AlertStatus.RESOLVED
            }
            commands += _scored(keys.alerts_resolved(), ended)
            commands += _members("ZREM", keys.alerts_resolved(), self.states.keys() - ended.keys())
        commands += _scored(keys.alerts_seen(), self.seen)
        for incident_id, names in self.attached.items():
            commands += _members("SADD", keys.incident_alerts(incident_id), names)
        if self.counts:
            commands.append(with_data(GROW, {keys.tally(name): fields for name, fields in self.counts.items()}))
        for incident_id, since in self.clear_since.items():
            key = keys.tally(incident_id)
            commands.append(
                ("HDEL", key, "clear_since") if since is None else ("HSET", key, "clear_since", to_ms(since))
            )
        for incident_id, begun in self.folds_begun.items():
            key = keys.tally(incident_id)
            commands += [("HSET", key, f"open:{name}", at) for name, at in begun.items()]
        return commands

    def _window_commands(self) -> list[Command]:
        moved = {}
        for key, members in self.windows.items():
            span_ms = int(self.window_spans[key].total_seconds() * 1000)
            # What fires counts however long ago it began, so a window lapses only once nothing in it fires.
            moved[key] = (members, self.now_ms - span_ms, span_ms if self.windows_firing[key] <= 0 else 0)
        return [with_data(MOVE, moved)] if moved else []


def incident_commands(incident: Incident, *, new: bool = False) -> list[Command]:
    """Return what stores an incident, with its identity, indexes and timers, which all follow from its value."""
    pointer = keys.identity(incident.identity_key)
    target = f"{incident.id}:{incident.version}"
    commands: list[Command] = [("SET", keys.incident(incident.id), encode(incident))]
    service = incident.identity.get(SERVICE)
    if service:
        change = "SADD" if incident.is_open else "SREM"
        commands.append((change, keys.incidents_of_service(service), incident.id))
    if incident.is_open:
        commands += [("SET", pointer, target), ("SADD", keys.incidents_open(), incident.id)]
    else:
        commands += [("SREM", keys.incidents_open(), incident.id), ("ZREM", keys.timers(), TIMER_CLEAR + incident.id)]
        kept_ms = int(incident.reopen_seconds * 1000)
        if incident.status is IncidentStatus.RESOLVED and kept_ms > 0:
            commands.append(("SET", pointer, target, "PX", kept_ms))
        else:
            commands.append(("DEL", pointer))
    if new:
        year = incident.declared_at.year
        commands.append(("ZADD", keys.incidents(), to_ms(incident.declared_at), incident.id))
        commands.append(("SET", keys.number(year), incident_number(incident.id)))
    commands.append(escalation_command(incident))
    return commands


def escalation_command(incident: Incident) -> Command:
    """Return what sets or takes away the timer of the next paging step."""
    if incident.is_open and incident.paging is not None and incident.paging.next_at is not None:
        return ("ZADD", keys.escalations(), to_ms(incident.paging.next_at), incident.id)
    return ("ZREM", keys.escalations(), incident.id)


def entry_command(incident_id: str, entry: Entry) -> Command:
    """Return what appends an entry to a timeline."""
    return ("XADD", keys.timeline(incident_id), "*", "e", encode(entry))


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


def clear_timer(incident: Incident, since: datetime | None) -> datetime | None:
    """Return when an incident whose alerts are clear since an instant may resolve by itself."""
    wait = clear_for(incident)
    return since + wait if since is not None and wait is not None else None


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
