"""Why something happened in a simulation, or did not: from the verdicts of the rules, then and now. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from incidents.alert import AlertState
from incidents.incident import Incident
from incidents.page import CHANNEL_PREFIX
from incidents.timeline import EntryKind
from incidents.values import AlertStatus
from rules.durations import format_duration
from rules.evaluate import Outcome, Verdict
from rules.loading.mends import did_you_mean
from rules.matchers import test_of
from rules.model import Mode, Rule, Subject
from rules.simulation.simulation import Looked, Simulation
from rules.verdicts import State

MOST_ALERTS = 3
MOST_LINES = 8
STATUS_KINDS = (
    EntryKind.ACKNOWLEDGED,
    EntryKind.MITIGATED,
    EntryKind.RESOLVED,
    EntryKind.REOPENED,
    EntryKind.DISMISSED,
)
PAGING_KINDS = (
    EntryKind.INCIDENT_DECLARED,
    EntryKind.FINDING_ADDED,
    EntryKind.SEVERITY_CHANGED,
    EntryKind.REOPENED,
    EntryKind.UNACKNOWLEDGED,
    EntryKind.PAGE_ESCALATED,
    EntryKind.PAGE_EXHAUSTED,
)


class Reasons:
    """Answers "why" about one simulation, as it stands now."""

    def __init__(
        self, simulation: Simulation, start: datetime, heard: Mapping[tuple[str, str], tuple[datetime, Looked]]
    ) -> None:
        self._simulation = simulation
        self._start = start
        self._heard = heard  # the last verdict of each rule for each identity

    def no_incident(self, wanted: Mapping[str, Any]) -> tuple[str, ...]:
        """Say why an incident is not there: what each rule that may have declared it says now."""
        return tuple(self._no_incident(wanted))[:MOST_LINES]

    def _no_incident(self, wanted: Mapping[str, Any]) -> Iterator[str]:
        rule = self._rule(wanted)
        if rule is not None and rule.mode is not Mode.ENFORCE:
            hint = "; what it would, expect under would_declare" if rule.mode is Mode.SHADOW else ""
            yield f"rule {rule.id} is in mode {rule.mode}: it declares nothing{hint}"
        yield from self._verdicts(wanted)

    def _rule(self, wanted: Mapping[str, Any]) -> Rule | None:
        return self._simulation.rule_set.rule(wanted["rule"]) if "rule" in wanted else None

    def _verdicts(self, wanted: Mapping[str, Any]) -> Iterator[str]:
        """Say what each rule that may hold for an identity says now."""
        rule = self._rule(wanted)
        if "rule" in wanted and rule is None:
            meant = did_you_mean(wanted["rule"], [each.id for each in self._simulation.rule_set.rules])
            yield f"there is no rule {wanted['rule']}{f' ({meant})' if meant else ''}"
            return
        identity = wanted.get("identity", {})
        if rule is not None and rule.on is not Subject.ALERT:
            yield from self._last_heard(rule)
            return
        found = self._alerts_of(identity)
        firing = [(key, state) for key, state in found if state.status is AlertStatus.FIRING]
        if not firing:
            yield self._nothing_fires(identity, [state for _, state in found])
        for key, state in firing[:MOST_ALERTS]:
            yield from self._rules_on(key, state, rule)

    def _nothing_fires(self, identity: Mapping[str, str], ended: list[AlertState]) -> str:
        labels = ", ".join(f'{name}="{value}"' for name, value in identity.items())
        which = f"no alert with {labels}" if labels else "no alert"
        if not ended:
            return f"{which} has fired by now"
        return f"{which} fires: {_named(ended[-1])} ended at {self._at(ended[-1].ends_at)}"

    def _rules_on(self, key: str, state: AlertState, only: Rule | None) -> Iterator[str]:
        looked = [each for each in self._simulation.look(key) if only is None or each.hit.rule.id == only.id]
        for each in looked:
            yield f"rule {each.hit.rule.id} on {_named(state)}: {self.verdict(each.verdict)}"
        if not looked:
            rules = (
                [only] if only is not None else [r for r in self._simulation.rule_set.rules if r.on is Subject.ALERT]
            )
            missed = [missed for rule in rules if (missed := _missed(rule, state.labels))]
            if len(rules) > MOST_ALERTS:
                yield f"no rule matches {_named(state)}"
            yield from (f"rule {rule} does not match {_named(state)}: {why}" for rule, why in missed[:MOST_ALERTS])

    def _last_heard(self, rule: Rule) -> Iterator[str]:
        heard = [(at, looked) for (rule_id, _), (at, looked) in self._heard.items() if rule_id == rule.id]
        if rule.on is Subject.HEARTBEAT:
            names = self._simulation.store.heartbeats
            looks = ((name, each) for name in names for each in self._simulation.look_at_heartbeat(name))
            heard_now = [(name, each) for name, each in looks if each.hit.rule.id == rule.id]
            for name, each in heard_now:
                yield f"rule {rule.id} on the heartbeat {name}: {self.verdict(each.verdict)}"
            if heard_now:
                return
        for at, looked in heard:
            yield f"rule {rule.id} was asked last at {self._at(at)}: {self.verdict(looked.verdict)}"
        if not heard:
            yield f"nothing has matched rule {rule.id} (on: {rule.on}) by now"

    def verdict(self, verdict: Verdict) -> str:
        """Return a verdict in words: what each tier missed, by how much, and when time alone would make it hold."""
        if verdict.error:
            return f"{verdict.outcome}: {verdict.error}"
        holds = verdict.outcome in {Outcome.HOLDS, Outcome.SHADOW}
        missed = [each for each in verdict.conditions if each.state is not State.YES]
        if holds:  # what tiers further up miss may raise the severity later
            missed = [each for each in missed if each.tier != verdict.decided_by]
        told = missed if missed or holds else verdict.conditions
        said = [f"tier {each.tier}: {each.condition} {each.got}, wanted {each.wanted}" for each in told]
        if holds:
            said.insert(0, verdict.reason)
        when = f"; looked at again at {self._at(verdict.due)}" if verdict.due is not None else ""
        return f"{verdict.outcome}: {'; '.join(said)}{when}"

    def incident(self, name: str, differing: Iterable[str] = ()) -> tuple[str, ...]:
        """Say how an incident came to be, and what made the fields that differ what they are."""
        incident = self._simulation.store.incidents[name]
        return tuple(self._incident(incident, set(differing)))[:MOST_LINES]

    def _incident(self, incident: Incident, differing: set[str]) -> Iterator[str]:
        kinds = {EntryKind.INCIDENT_DECLARED}
        if "severity" in differing or "findings" in differing:
            kinds |= {EntryKind.FINDING_ADDED, EntryKind.SEVERITY_CHANGED}
        if differing & {"status", "acknowledged_by", "acknowledged_at", "resolved_at", "mitigated_at"}:
            kinds |= set(STATUS_KINDS)
        for entry in self._simulation.store.timelines[incident.id]:
            if entry.kind in kinds:
                reason = entry.data.get("reason")
                yield f"{incident.id} at {self._at(entry.at)}: {entry.text}{f' ({reason})' if reason else ''}"
        if "status" in differing and incident.is_open:
            yield from self._still_open(incident)
        if "severity" in differing:
            for key, state in self._alerts_of(incident.identity):
                if state.status is AlertStatus.FIRING and incident.id in state.incidents:
                    yield from self._rules_on(key, state, None)
                    return

    def _still_open(self, incident: Incident) -> Iterator[str]:
        """Say what an incident lacks to resolve by itself."""
        for objective in incident.objectives:
            if objective.met_at is None:
                yield f"its objective {objective.id} is not met{': ' if objective.text else ''}{objective.text}"
        for key, state in self._alerts_of({}):
            if state.status is AlertStatus.FIRING and key in self._simulation.store.attached.get(incident.id, ()):
                yield f"{_named(state)} still fires"

    def page(self, name: str, at: timedelta) -> tuple[str, ...]:
        """Say what led to a page of an incident that was sent at a time after the start."""
        entries = [each for each in self._simulation.store.timelines[name] if each.at - self._start <= at]
        causes = [each for each in entries if each.kind in PAGING_KINDS][-MOST_LINES:]
        return tuple(f"{name} at {self._at(each.at)}: {each.text}" for each in causes)

    def no_would_be(self, wanted: Mapping[str, Any]) -> tuple[str, ...]:
        """Say why a rule in shadow mode would not have declared an incident."""
        rule = self._rule(wanted)
        if rule is not None and rule.mode is not Mode.SHADOW:
            return (f"rule {rule.id} is in mode {rule.mode}, not shadow: expect what it declares under incidents",)
        return tuple(self._verdicts(wanted))[:MOST_LINES]

    def no_page(self, person: str = "") -> tuple[str, ...]:
        """Say where the paging of each incident stands, and whether there is the person at all."""
        store, people = self._simulation.store, self._simulation.rule_set.oncall.people
        if person and not person.startswith(CHANNEL_PREFIX) and person not in people:
            meant = did_you_mean(person, people)
            return (f"there is no person {person}{f' ({meant})' if meant else ''}",)
        if not store.incidents:
            return ("no incident has been declared by now", *self._no_incident({}))[:MOST_LINES]
        return tuple(line for incident in store.incidents.values() for line in self._paging(incident))[:MOST_LINES]

    def _paging(self, incident: Incident) -> Iterator[str]:
        for entry in self._simulation.store.timelines[incident.id]:
            if entry.kind in {EntryKind.PAGE_FAILED, EntryKind.PAGE_SUPPRESSED, EntryKind.PAGE_EXHAUSTED}:
                yield f"{incident.id} at {self._at(entry.at)}: {entry.text}"
        if not incident.is_open:
            yield f"{incident.id} is {incident.status} since {self._at(incident.resolved_at)}"
        elif incident.paging is not None and incident.paging.next_at is not None:
            acknowledged = f"{incident.acknowledged_by} acknowledged at {self._at(incident.acknowledged_at)}, and"
            who = "nobody has acknowledged;" if incident.acknowledged_at is None else f"{acknowledged} it paged again;"
            yield f"{incident.id}: {who} the next step is due at {self._at(incident.paging.next_at)}"
        elif incident.acknowledged_at is not None:
            yield f"{incident.id}: {incident.acknowledged_by} acknowledged at {self._at(incident.acknowledged_at)}"

    def _alerts_of(self, identity: Mapping[str, str]) -> list[tuple[str, AlertState]]:
        alerts = self._simulation.store.alerts
        normalized = self._simulation.normalized
        return [(key, state) for key, state in alerts.items() if identity.items() <= normalized(state.labels).items()]

    def _at(self, at: datetime | None) -> str:
        return "never" if at is None else format_duration(at - self._start)


def _named(state: AlertState) -> str:
    labels = ", ".join(f'{name}="{value}"' for name, value in state.labels.items() if name != "alertname")
    return f"{state.labels.get('alertname', 'an alert')}{{{labels}}}"[:160]


def _missed(rule: Rule, labels: Mapping[str, str]) -> tuple[str, str] | None:
    for matcher in rule.matchers:
        if not test_of(matcher)(labels.get(matcher.name, "")):
            return rule.id, f"{matcher} is wanted, {matcher.name} is {labels.get(matcher.name, '')!r}"
    return None
