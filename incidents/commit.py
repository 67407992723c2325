"""A commit: everything that one unit of work changes, as values; a store writes it at once or not at all. Pure."""

from collections import Counter
from datetime import datetime, timedelta

from incidents.alert import AlertState
from incidents.clock import to_ms
from incidents.document.values import Version
from incidents.events import MergedInto, TakenIn
from incidents.facts import Fact
from incidents.heartbeat import HeartbeatState
from incidents.incident import Incident
from incidents.measures import Measures, Tally
from incidents.page import Page
from incidents.quarantined import Quarantined
from incidents.shadow import Shadowed
from incidents.statistics.nights import paged_field
from incidents.timeline import Entry
from incidents.transitions import Context, Transition, transition
from incidents.transitions.objectives import next_clear

FIRING_SCORE = "+inf"  # in a window: it fires now
TIMER_ALERT = "alert|"
TIMER_CLEAR = "clear|"
TIMER_EXPIRY = "expiry|"
TIMER_STALE = "stale|"
TIMER_INCIDENT = "incident|"  # hold an open incident against the rules on incidents
TIMER_AGAIN = "again|"  # judge an alert anew that a storm absorbed
TIMER_ABSORBED = "absorbed|"  # a storm is over: judge the alerts that it absorbed anew
TIMER_REVIEW = "review|"  # look whether the status report of an incident is due for review
TIMER_BEAT = "beat|"
TIMER_BEATS = "beats|"  # look at all heartbeats: a decider begins, or rules changed


class Commit:
    """What is to be written, at once or not at all."""

    def __init__(self, now: datetime) -> None:
        self.now_ms = to_ms(now)
        self.incidents: dict[str, Incident] = {}
        self.declared: dict[str, Incident] = {}
        self.entries: list[tuple[str, Entry]] = []
        self.pages: list[Page] = []
        self.written: list[tuple[str, Version]] = []  # versions of written parts of documents
        self.merged: dict[str, str] = {}  # incidents that were merged -> into which
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
        self.echoes: dict[str, str] = {}  # key under which our own page is known at a provider -> the incident
        self.heartbeats: dict[str, HeartbeatState | None] = {}
        self.facts: dict[str, Fact] = {}
        self.wanted: dict[str, int] = {}  # questions to Prometheus -> until when they are asked (ms)
        self.shadowed: list[Shadowed] = []  # what rules in shadow mode held for
        self.paged: Counter[str] = Counter()  # pages that reached people, by `statistics.nights.paged_field`

    def take(self, incident_id: str, done: Transition, *, declared: bool = False) -> None:
        """Take in what a transition did."""
        if done.incident is not None:
            self.incidents[incident_id] = done.incident
            if declared:
                self.declared[incident_id] = done.incident
            if done.incident.absorbs_until is not None and not done.incident.is_open:
                self.timers[TIMER_ABSORBED + incident_id] = self.now_ms
            self._review(done.incident)
        self.entries += [(incident_id, entry) for entry in done.entries]
        self.pages += done.pages
        self.written += [(incident_id, version) for version in done.written]
        self.tally.add(done.tally)

    def _review(self, incident: Incident) -> None:
        """Set the timer of the next review as an incident says; one that was set before and is not due does nothing."""
        if not incident.is_open:
            self.timer(TIMER_REVIEW + incident.id, None)
        elif incident.review_due_at is not None:
            self.timer(TIMER_REVIEW + incident.id, incident.review_due_at)

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


def commit_of(
    incident_id: str, done: Transition, now: datetime, *, declared: bool = False, watched: bool = False
) -> Commit:
    """Return the commit of what one event did to one incident, outside a batch: a person's command, a step, a page.

    Where rules watch incidents it leaves a timer, so that the decider holds the incident against them.
    """
    commit = Commit(now)
    commit.take(incident_id, done, declared=declared)
    if watched and done.incident is not None and done.incident.is_open:
        commit.timer(TIMER_INCIDENT + incident_id, now)
    commit.paged.update(field for field in map(paged_field, done.entries) if field)
    commit.tally.count(Measures.EVENTS_RECEIVED)
    commit.tally.count(Measures.EVENTS, "processed")
    return commit


def merge_of(
    incident: Incident, into: Incident, said: tuple[str, str], contexts: tuple[Context, Context], now: datetime
) -> tuple[Commit, Incident]:
    """Return the commit that merges an incident into another, and that one after it; raises `TransitionNotAllowed`.

    `said` is who says so, and a note; the contexts are of both. Whether the alerts of both are clear is looked at anew.
    """
    actor, note = said
    gone = transition(incident, MergedInto(actor=actor, into=into.id, note=note), context=contexts[0], now=now)
    done = transition(into, TakenIn(actor=actor, other=incident, note=note), context=contexts[1], now=now)
    assert done.incident is not None  # noqa: S101 - what is taken in always changes it
    commit = commit_of(incident.id, gone, now)
    commit.take(into.id, done)
    commit.merged[incident.id] = into.id
    commit.timer(TIMER_CLEAR + into.id, now)
    if contexts[1].oncall.watches_incidents:
        commit.timer(TIMER_INCIDENT + into.id, now)
    return commit, done.incident


def clear_timer(incident: Incident, since: datetime | None) -> datetime | None:
    """Return when an incident whose alerts are clear since an instant may resolve by itself, or has that to note."""
    wait = next_clear(incident)
    return since + wait if since is not None and wait is not None else None
