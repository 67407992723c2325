"""Judging: what a rule's verdict does to the incident of its identity, in the midst of a batch. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from incidents import keys
from incidents.events import FindingHeld
from incidents.facts import Fact
from incidents.incident import Incident
from incidents.measures import Measures
from incidents.snapshot import Plan
from incidents.transitions import Context, transition
from incidents.values import AlertStatus, IncidentStatus
from rules.deciding.findings import arrival_of, finding_of, severity_found, severity_wanted, unjudged
from rules.deciding.notes import Notes
from rules.deciding.view import View
from rules.deciding.work import Arrival
from rules.evaluate import Outcome, Verdict, evaluate_safely
from rules.index import Hit, Matched
from rules.model import Mode, RuleSet
from rules.slos import Slo, slos_of


class Known(NamedTuple):
    """What is known of one event when a rule judges it."""

    firing_since: datetime | None
    silent_since: datetime | None
    view: View
    hit: Hit

    def count(self, within: timedelta) -> int:
        """Return how many different alerts (or actions) of the rule and identity there were within a span."""
        return self.view.count(window_of(self.hit), within)

    @property
    def slos(self) -> Mapping[str, Slo]:
        """The SLOs of the rule set by id."""
        return self.view.slos

    def fact(self, name: str) -> Fact | None:
        """Return the last answer of Prometheus to a question."""
        return self.view.fact(name)

    def want(self, promql: str) -> None:
        """Ask for a question to be asked for a while."""
        self.view.want(promql)


class Unjudged(NamedTuple):
    """An event that could not be judged, and why."""

    source: str
    received_at: datetime
    reason: str


Watch = Callable[[Hit, Verdict, datetime], None]  # told of every verdict: the tools of rules listen, deciding does not


def window_of(hit: Hit) -> str:
    """Return the key of a counting rule's window for an identity."""
    return keys.window(hit.rule.window_id, hit.identity_key)


class Judge:
    """Holds events against rules, and lets what they decide happen in a view."""

    def __init__(self, rule_set: RuleSet, view: View, now: datetime, watch: Watch | None = None) -> None:
        self._rule_set = rule_set
        self._view = view
        self._now = now
        self._watch = watch
        self.notes: Notes | None = None

    def verdict(
        self, hit: Hit, *, firing_since: datetime | None = None, silent_since: datetime | None = None
    ) -> Verdict:
        """Return what a rule says of an event that it matches, counted."""
        verdict = evaluate_safely(hit, Known(firing_since, silent_since, self._view, hit), self._now)
        if hit.rule.measured:
            verdict = verdict._replace(due=self._view.news_due(verdict.due))
        tally = self._view.commit.tally
        tally.count(Measures.RULE_DECISIONS, hit.rule.id, verdict.outcome.value)
        if verdict.outcome is Outcome.ERROR:
            tally.count(Measures.RULE_ERRORS, hit.rule.id)
        if self._watch is not None:
            self._watch(hit, verdict, self._now)
        return verdict

    def act(self, hit: Hit, verdict: Verdict, matched: Matched, arrival: Arrival, *, fires_again: bool) -> str | None:
        """Do what the verdict asks for; return the open incident that the event belongs to by this rule."""
        name = self._act(hit, verdict, matched, arrival, fires_again=fires_again)
        if self.notes is not None:
            self.notes.judged(hit, verdict, name)
        return name

    def _act(self, hit: Hit, verdict: Verdict, matched: Matched, arrival: Arrival, *, fires_again: bool) -> str | None:
        if verdict.outcome is Outcome.ERROR:
            return self.tell(Unjudged(arrival.source, arrival.received_at, f"rule {hit.rule.id}: {verdict.reason}"))
        current = self.current(hit.identity_key, hit.rule.reopen_within)
        if verdict.outcome is not Outcome.HOLDS or verdict.tier is None or hit.rule.mode is not Mode.ENFORCE:
            # What a rule has found already, its other alerts belong to before they hold by themselves.
            mine = current is not None and current.is_open and severity_found(current, hit.rule.id) is not None
            return current.id if current is not None and mine and hit.rule.mode is Mode.ENFORCE else None
        severity = severity_wanted(current, verdict.tier)
        if verdict.tier.attach_only or severity is None:
            return current.id if current is not None and current.is_open else None
        known = severity_found(current, hit.rule.id) if current is not None and current.is_open else None
        if current is not None and known is not None and known.rank <= severity.rank:
            return current.id
        ruleset = self._rule_set.hash
        event = finding_of(hit, verdict, severity, matched, arrival, ruleset=ruleset, fires_again=fires_again)
        if self._rule_set.slos:
            event = replace(event, slos=slos_of(self._rule_set.slos, hit.labels))
        return self._hold(event, current, hit)

    def _hold(self, event: FindingHeld, current: Incident | None, hit: Hit) -> str | None:
        name = self._view.next_id() if current is None else current.id
        done = transition(current, event, context=self.context(name), now=self._now)
        self._view.take(name, done, declared=current is None)
        after = done.incident or current
        if current is None and hit.rule.withins:
            self._attach_window(window_of(hit), hit.rule.withins[-1], name)
        return name if after is not None and after.is_open else None

    def _attach_window(self, key: str, within: timedelta, name: str) -> None:
        """Let the alerts that were counted belong to the incident that their number declared."""
        members = self._view.members(key, within)
        plan = Plan()
        plan.alerts.update(dict.fromkeys(member for member in members if member not in self._view.snapshot.asked))
        plan.require()
        for member in members:
            state = self._view.state(member)
            if state is not None and state.status is AlertStatus.FIRING and name not in state.incidents:
                self._view.attach(member, name, arrival_of(member, state), was_in=False)
                self._view.remember(member, replace(state, incidents=(*state.incidents, name)))

    def tell(self, untold: Unjudged) -> str:
        """Tell people that an event could not be judged; return the incident that does."""
        event = unjudged(untold.source, untold.reason, ruleset=self._rule_set.hash, received_at=untold.received_at)
        current = self.current(event.identity_key, timedelta(seconds=event.reopen_seconds))
        if current is not None and current.is_open:
            return current.id
        name = self._view.next_id() if current is None else current.id
        done = transition(current, event, context=self.context(name), now=self._now)
        self._view.take(name, done, declared=current is None)
        return name

    def current(self, identity_key: str, reopen_within: timedelta) -> Incident | None:
        """Return the incident of an identity that is open, or was resolved so shortly ago that it would reopen."""
        incident = self._view.of_identity(identity_key)
        if incident is None or incident.is_open:
            return incident
        ended = incident.resolved_at
        recent = ended is not None and self._now - ended <= reopen_within
        return incident if incident.status is IncidentStatus.RESOLVED and recent else None

    def context(self, name: str) -> Context:
        """Return what the transition of an incident may look at."""
        return Context(
            oncall=self._rule_set.oncall, ruleset=self._rule_set.hash, alerts=self._view.tally(name), new_id=name
        )
