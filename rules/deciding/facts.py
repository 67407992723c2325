"""Facts on their way through a batch: they are kept, SLOs are held against their rules, incidents against objectives.

A rule that looks at an SLO waits for no alert: while it holds, an alert of our own stands for what it found, so that
such an incident counts, clears and reopens like any other. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from incidents import events
from incidents.alert import Alert, AlertState, alert_key, short_hash
from incidents.facts import SOURCE, Fact, fact_id, merge
from incidents.incident import BudgetBurnt, Incident
from incidents.snapshot import Plan
from incidents.transitions import transition
from incidents.values import AlertStatus
from rules.burn_alerts import labels_of
from rules.deciding.batch import Batch
from rules.deciding.findings import severity_found
from rules.deciding.view import View
from rules.deciding.work import Arrival, Received
from rules.evaluate import Outcome, Verdict
from rules.index import Hit, Matched, identity_key, identity_of
from rules.measuring import from_params, measure
from rules.model import Mode, RuleSet
from rules.questions import question_of, questions_for, questions_of
from rules.slos import Slo, slo_named

_MINUTE = timedelta(minutes=1)


class Meters:
    """Which rules look at which facts; one for a rule set."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.slos = rule_set.slos
        self.questions = frozenset(questions_of(rule_set))
        self._needs: dict[str, tuple[str, ...]] = {}
        self._looking: dict[str, list[Hit]] = {}
        for rule in rule_set.every_rule:
            slo = slo_named(rule_set.slos, rule.slo) if rule.slo and rule.mode is not Mode.OFF else None
            if slo is not None:
                labels = labels_of(slo)
                identity = identity_of(rule.identity, labels)
                self._add(Hit(rule, identity, identity_key(identity), labels))

    def _add(self, hit: Hit) -> None:
        needs = tuple(fact_id(question) for question in questions_for(hit.rule, self.slos, hit.labels))
        self._needs[hit.rule.id] = needs
        for name in needs:
            self._looking.setdefault(name, []).append(hit)

    def looking_at(self, name: str) -> list[Hit]:
        """Return the rules that look at a fact, with the identity of what they find."""
        return self._looking.get(name, [])

    def alerts(self) -> frozenset[str]:
        """Return the keys of the alerts of our own that may stand for what these rules find."""
        return frozenset(_key(hit) for hits in self._looking.values() for hit in hits)

    def plan(self, plan: Plan, fact: Fact) -> None:
        """Add what a fact needs of the store to a plan."""
        if fact.incident:
            plan.ids.setdefault(fact.incident, {})
            return
        plan.facts[fact.id] = None
        plan.awaiting = True
        for hit in self.looking_at(fact.id):
            plan.identities.setdefault(hit.identity_key, {})
            plan.alerts[_key(hit)] = None
            plan.facts.update(dict.fromkeys(self._needs[hit.rule.id]))

    def plan_alert(self, plan: Plan, hit: Hit) -> None:
        """Add the facts that judging an alert needs to a plan."""
        plan.facts.update((fact_id(question), None) for question in questions_for(hit.rule, self.slos, hit.labels))


def alerts_of_slos(rule_set: RuleSet) -> frozenset[str]:
    """Return the keys of the alerts of our own that may fire by a rule set, for rules that look at an SLO."""
    return Meters(rule_set).alerts()


class _Remembered(NamedTuple):
    """What measuring objectives sees: facts as they are; their questions are asked for by the incident itself."""

    view: View

    @property
    def slos(self) -> Mapping[str, Slo]:
        """The SLOs of the rule set by id."""
        return self.view.slos

    def fact(self, name: str) -> Fact | None:
        """Return the last answer to a question."""
        return self.view.known_fact(name)

    def want(self, promql: str) -> None:
        """Ask for nothing."""


class Meter:
    """Takes facts in, within a batch; what several of them bear on is judged once, with the last of them."""

    def __init__(self, batch: Batch, meters: Meters, arrivals: Iterable[Arrival | Received]) -> None:
        self._batch = batch
        self._view = batch.view
        self._meters = meters
        facts = [each.incoming.fact for each in arrivals if isinstance(each, Received) and each.incoming.fact]
        self._to_come = sum(1 for fact in facts if not fact.incident)
        self._to_look = Counter(hit.rule.id for fact in facts for hit in meters.looking_at(fact.id))

    def take(self, received: Received, fact: Fact) -> None:
        """Let a fact take effect."""
        if fact.incident:
            self._burnt(fact)
            return
        self._view.commit.facts[fact.id] = merge(self._view.known_fact(fact.id), fact)
        for hit in self._meters.looking_at(fact.id):
            self._to_look[hit.rule.id] -= 1
            if self._to_look[hit.rule.id] <= 0:
                self._look(hit, received)
        self._to_come -= 1
        if self._to_come <= 0:
            self._measure_objectives()

    # Rules that look at an SLO

    def _look(self, hit: Hit, received: Received) -> None:
        key = _key(hit)
        state = self._view.state(key)
        firing = state is not None and state.status is AlertStatus.FIRING
        verdict = self._batch.judge.verdict(hit)
        alert = _alert(hit, verdict, AlertStatus.FIRING)
        arrival = Arrival(key, SOURCE, alert, received.received_at, received.received_ms)
        if verdict.outcome is Outcome.HOLDS:
            self._view.commit.seen[key] = received.received_ms
        if firing and verdict.outcome in {Outcome.FAILS, Outcome.WAITS}:
            ended = replace(alert, status=AlertStatus.RESOLVED, ends_at=self._batch.now)
            self._batch.observe(arrival._replace(alert=ended))
        elif not firing or self._is_news(state, hit, verdict):
            matched = Matched(hit.labels, (hit,))
            name = self._batch.judge.act(hit, verdict, matched, arrival, fires_again=not firing)
            if name is not None and verdict.outcome is Outcome.HOLDS:
                self._attach(arrival, state, name)

    def _is_news(self, state: AlertState | None, hit: Hit, verdict: Verdict) -> bool:
        """Whether what holds on is to be acted on: not what people closed, unless it has become graver since."""
        incidents = [self._view.incident(name) for name in self._view.homes(state.incidents if state else ())]
        known = [incident for incident in incidents if incident is not None]
        if not known or any(incident.is_open for incident in known):
            return True
        wanted = verdict.tier.declare if verdict.tier is not None else None
        found = severity_found(known[-1], hit.rule.id)
        return wanted is not None and found is not None and wanted.rank < found.rank

    def _attach(self, arrival: Arrival, state: AlertState | None, incident: str) -> None:
        """Let the alert of our own belong to the incident."""
        firing = state is not None and state.status is AlertStatus.FIRING
        known = self._view.homes(state.incidents) if state is not None else ()
        held = known if firing else ()
        if incident in held:
            return
        was_in = not firing and incident in known
        self._view.attach(arrival.key, incident, arrival, was_in=was_in)
        remembered = AlertState(
            source=SOURCE,
            fingerprint=arrival.alert.fingerprint,
            status=AlertStatus.FIRING,
            labels=arrival.alert.labels,
            annotations=arrival.alert.annotations,
            starts_at=state.starts_at if state is not None and firing else self._batch.now,
            received_at=self._batch.now,
            incidents=(*held, incident),
        )
        self._view.remember(arrival.key, remembered)

    # Incidents that wait for facts

    def _measure_objectives(self) -> None:
        plan = Plan()
        waiting = self._view.snapshot.awaiting
        plan.ids.update({name: {} for name in waiting if not self._view.is_loaded(name)})
        plan.require()
        for name in waiting:
            incident = self._view.incident(name)
            if incident is not None and incident.is_open:
                self._measure(incident)
            elif incident is not None and not any(slo in self._view.slos for slo in incident.slos):
                self._give_up(incident)

    def _measure(self, incident: Incident) -> None:
        known = _Remembered(self._view)
        plan = Plan()
        asked = {each.id: from_params(each.kind, each.params) for each in incident.objectives}
        measures = {name: found for name, found in asked.items() if found is not None}
        for each in measures.values():
            name = fact_id(question_of(each, self._view.slos, incident.identity))
            if not self._view.is_known(name):
                plan.facts[name] = None
        plan.require()
        found = {name: measure(each, incident.identity, known, self._batch.now) for name, each in measures.items()}
        met = {name: each.holds for name, each in found.items() if each.holds is not None}
        event = events.ObjectivesMeasured(met=met, said={name: found[name].got for name in met})
        context = self._batch.judge.context(incident.id)
        self._view.take(incident.id, transition(incident, event, context=context, now=self._batch.now))

    def _burnt(self, fact: Fact) -> None:
        incident, slo = self._view.incident(fact.incident), self._view.slos.get(fact.slo)
        if incident is None or incident.is_open or slo is None:
            return
        lasted = (incident.resolved_at or self._batch.now) - incident.declared_at
        minutes = None if fact.value is None else fact.value * (lasted / _MINUTE)
        burnt = BudgetBurnt(
            slo=slo.id, minutes=minutes, of_minutes=slo.budget * (slo.window / _MINUTE), at=fact.at, why=fact.why
        )
        self._keep(incident, burnt)

    def _give_up(self, incident: Incident) -> None:
        """Nobody can ask any more how much of their budget was burnt."""
        for slo in incident.slos:
            at = incident.resolved_at or self._batch.now
            self._keep(incident, BudgetBurnt(slo=slo, minutes=None, of_minutes=0.0, at=at, why="the SLO is gone"))
            incident = self._view.incident(incident.id) or incident

    def _keep(self, incident: Incident, burnt: BudgetBurnt) -> None:
        event = events.BudgetMeasured(burnt=burnt)
        context = self._batch.judge.context(incident.id)
        self._view.take(incident.id, transition(incident, event, context=context, now=self._batch.now))


def _key(hit: Hit) -> str:
    return alert_key(SOURCE, _fingerprint(hit))


def _fingerprint(hit: Hit) -> str:
    return short_hash(f"slo {hit.rule.id} {hit.rule.slo}")[:16]


def _alert(hit: Hit, verdict: Verdict, status: AlertStatus) -> Alert:
    """Return the alert that stands for what a rule finds of an SLO."""
    annotations = {"summary": f"{hit.rule.slo}: {verdict.reason}"}
    return Alert(fingerprint=_fingerprint(hit), status=status, labels=dict(hit.labels), annotations=annotations)
