"""Judging: what a rule's verdict does to the incident of its identity, in the midst of a batch. Pure."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from incidents.events import FindingHeld, HoldChanged, ObjectivesMeasured, Unmeasured
from incidents.incident import Incident
from incidents.maintenance import Hold
from incidents.measures import Measures
from incidents.shadow import Shadowed, shadow_id
from incidents.snapshot import Plan
from incidents.transitions import Context, transition
from incidents.transitions.held import is_held
from incidents.transitions.objectives import is_noted_clear
from incidents.values import AlertStatus, Criterion, IncidentStatus, Severity
from rules.deciding.findings import arrival_of, finding_of, mark_of, severity_found, severity_wanted, unjudged
from rules.deciding.known import Known
from rules.deciding.notes import Notes
from rules.deciding.prepared import Prepared
from rules.deciding.view import View
from rules.deciding.windows import window_of
from rules.deciding.work import Arrival, Unjudged
from rules.evaluate import Outcome, Verdict, evaluate_safely
from rules.index import Hit, Matched
from rules.maintaining import holds_for
from rules.model import Mode, Subject, Tier
from rules.slos import customers_of, slos_of


class Judge:
    """Holds events against rules, and lets what they decide happen in a view."""

    def __init__(self, prepared: Prepared, view: View, now: datetime) -> None:
        self._rule_set = prepared.rule_set
        self._teams = prepared.teams
        self._view = view
        self._now = now
        self._watch = prepared.watch
        self.ruleset = prepared.rule_set.hash
        self.notes: Notes | None = None

    def verdict(
        self,
        hit: Hit,
        firing_since: datetime | None = None,
        touched_at: datetime | None = None,
        *,
        silent_since: datetime | None = None,
        incident: Incident | None = None,
    ) -> Verdict:
        """Return what a rule says of an event that it matches, counted."""
        known = Known(firing_since, silent_since, touched_at, incident, self._view, hit)
        verdict = evaluate_safely(hit, known, self._now)
        if hit.rule.measured:
            verdict = verdict._replace(due=self._view.news_due(verdict.due))
        tally = self._view.commit.tally
        tally.count(Measures.RULE_DECISIONS, hit.rule.id, verdict.outcome.value)
        if verdict.outcome is Outcome.ERROR:
            tally.count(Measures.RULE_ERRORS, hit.rule.id)
        if self._watch is not None:
            self._watch(hit, verdict, self._now)
        return verdict

    def act(
        self,
        hit: Hit,
        verdict: Verdict,
        matched: Matched,
        arrival: Arrival,
        *,
        fires_again: bool,
        storm: Incident | None = None,
    ) -> str | None:
        """Do what the verdict asks for, or let a storm take it in; return the open incident that the event belongs to
        by this rule.
        """
        name = self._act(hit, verdict, matched, arrival, fires_again=fires_again, storm=storm)
        if self.notes is not None:
            self.notes.judged(hit, verdict, name)
        if hit.rule.mode is Mode.SHADOW:
            self._shadow(hit, verdict, arrival.key)
        return name

    def _shadow(self, hit: Hit, verdict: Verdict, member: str) -> None:
        """Note an incident that would have been; what is no alert begins and ends at once."""
        rule, tier, name = hit.rule, verdict.tier, shadow_id(hit.rule.id, hit.identity_key)
        if verdict.outcome is not Outcome.SHADOW:
            if rule.on is Subject.ALERT:
                self._view.commit.shadowed.append(Shadowed(name, member, rule.id))
            return
        if tier is None or tier.declare is None or tier.attach_only:
            return
        gap_ms = int(rule.reopen_within.total_seconds() * 1000)
        counted = window_of(hit) if rule.withins else ""
        identity = dict(hit.identity)
        noted = Shadowed(name, member, rule.id, tier.declare.value, rule.criterion.value, identity, gap_ms, counted)
        self._view.commit.shadowed.append(noted)
        if rule.on is not Subject.ALERT:
            self._view.commit.shadowed.append(Shadowed(name, member))

    def _act(
        self,
        hit: Hit,
        verdict: Verdict,
        matched: Matched,
        arrival: Arrival,
        *,
        fires_again: bool,
        storm: Incident | None,
    ) -> str | None:
        rule = hit.rule
        if verdict.outcome is Outcome.ERROR:
            return self.tell(Unjudged(arrival.source, arrival.received_at, f"rule {rule.id}: {verdict.reason}"))
        current = storm or self.current(hit.identity_key, rule.reopen_within)
        is_open = current is not None and current.is_open
        if verdict.outcome is not Outcome.HOLDS or verdict.tier is None or rule.mode is not Mode.ENFORCE:
            if current is None or not is_open or rule.mode is not Mode.ENFORCE:
                return None
            if verdict.outcome is Outcome.UNKNOWN:
                self.say_unknown(current, rule.id, verdict)
            # What a rule has found already, its other alerts belong to before they hold by themselves.
            return current.id if severity_found(current, rule.id) is not None else None
        mark = mark_of(rule, verdict.tier)
        severity = severity_wanted(current, verdict.tier, mark)
        if severity is None:
            return current.id if current is not None and is_open else None
        if current is not None and is_open and self._is_known(current, hit, verdict.tier, severity, mark):
            if is_held(current):
                self._look_at_hold(current, hit, matched)
            return current.id
        event = finding_of(
            hit, verdict, severity, matched, arrival, ruleset=self._rule_set.hash, fires_again=fires_again
        )
        holds = self._holds(hit, matched)
        if holds:
            event = replace(event, holds=holds)
        if self._rule_set.slos:
            known = self._rule_set.slos
            event = replace(event, slos=slos_of(known, hit.labels), customers=customers_of(known, hit.labels))
        if storm is not None:
            event = replace(event, absorbed=hit.identity)
        if current is None:
            event = replace(event, team=self._teams.team_of(hit.identity, matched.labels))
        return self._hold(event, current, hit)

    def _holds(self, hit: Hit, matched: Matched) -> tuple[Hold, ...]:
        """Return the maintenance that holds the paging for an event; a data issue is never held."""
        planned = (*self._rule_set.maintenance, *self._view.snapshot.maintenance)
        if not planned or hit.rule.criterion is Criterion.DATA_ISSUE:
            return ()
        return holds_for(planned, matched.labels, self._now)

    def _look_at_hold(self, current: Incident, hit: Hit, matched: Matched) -> None:
        """Page what is held where an alert outside of the maintenance fires, or hold anew what waited for an alert."""
        holds = self._holds(hit, matched)
        if holds and current.paging is not None and current.paging.next_at is not None:
            return
        done = transition(current, HoldChanged(holds=holds), context=self.context(current.id), now=self._now)
        self._view.take(current.id, done)

    def clear_no_more(self) -> None:
        """Note of incidents whose alerts were clear for long enough that this is over."""
        names = tuple(self._view.fires_anew)
        self._view.fires_anew.clear()
        for name in names:
            incident = self._view.incident(name)
            over = [each.id for each in incident.objectives if is_noted_clear(each)] if incident is not None else []
            if incident is not None and incident.is_open and over:
                event = ObjectivesMeasured(met=dict.fromkeys(over, False), said=dict.fromkeys(over, "an alert fires"))
                done = transition(incident, event, context=self.context(name), now=self._now)
                self._view.take(name, done)

    def _is_known(self, current: Incident, hit: Hit, tier: Tier, severity: Severity, mark: str) -> bool:
        """Whether a finding is nothing new to an open incident: looked at before its event is made."""
        known = severity_found(current, hit.rule.id)
        if known is None or known.rank > severity.rank or (mark and mark not in current.marks):
            return False
        if tier.absorb is None:
            return True
        until = current.absorbs_until
        return until is not None and until - self._now >= tier.absorb / 2

    def storm_for(self, hit: Hit, verdict: Verdict, matched: Matched) -> Incident | None:
        """Return the open incident that takes a finding in, which would otherwise open one of its own."""
        rule, tier = hit.rule, verdict.tier
        if verdict.outcome is not Outcome.HOLDS or tier is None or tier.declare is None or tier.attach_only:
            return None
        if rule.criterion is Criterion.DATA_ISSUE or rule.mode is not Mode.ENFORCE:
            return None
        for name, absorbing in self._view.absorbing.items():
            if absorbing.until <= self._now or not absorbing.identity.items() <= matched.labels.items():
                continue
            own = self._view.of_identity(hit.identity_key)
            if own is not None and own.is_open:
                return None
            storm = self._view.incident(name)
            if storm is not None and storm.is_open:
                return storm
        return None

    def say_unknown(self, incident: Incident, rule_id: str, verdict: Verdict) -> None:
        """Write once on an open incident's timeline that a rule could not be judged."""
        if f"{rule_id}?" not in incident.marks:
            event = Unmeasured(rule=rule_id, reason=verdict.reason)
            self._view.take(incident.id, transition(incident, event, context=self.context(incident.id), now=self._now))

    def _hold(self, event: FindingHeld, current: Incident | None, hit: Hit) -> str | None:
        name = self._view.next_id() if current is None else current.id
        overdue = self._view.overdue_actions(event.rule) if current is None else ()
        if overdue:
            event = replace(event, overdue=overdue)
        done = transition(current, event, context=self.context(name), now=self._now)
        self._view.take(name, done, declared=current is None)
        after = done.incident or current
        if current is None and hit.rule.withins:
            self._attach_window(hit, name)
        return name if after is not None and after.is_open else None

    def _attach_window(self, hit: Hit, name: str) -> None:
        """Let the alerts that were counted belong to the incident that their number declared."""
        members = self._view.windows.members(hit)
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
