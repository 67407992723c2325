"""Rules on incidents: an open one is held against them whenever it changes, and when passing time may do it. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents.alert import Alert
from incidents.clock import to_ms
from incidents.commit import TIMER_INCIDENT
from incidents.incident import Incident
from incidents.transitions import transition
from incidents.values import AlertStatus, Criterion
from rules.deciding.batch import Batch
from rules.deciding.findings import finding_of, mark_of, severity_wanted
from rules.deciding.work import Arrival, Unjudged
from rules.evaluate import Outcome, Verdict
from rules.index import Hit, Matched, Matching
from rules.model import Mode, RuleSet, Subject

SOURCE = "tocsin"


class IncidentRules:
    """The rules on incidents of a rule set; `any` is False where there is none, so that nothing need be looked at."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._rules = Matching(rule_set, Subject.INCIDENT)
        self.any = any(rule.on is Subject.INCIDENT and rule.mode is not Mode.OFF for rule in rule_set.rules)

    def match(self, incident: Incident) -> Matched:
        """Return the rules whose matchers hold for the fields of an incident."""
        return self._rules.match(labels_of(incident))


def labels_of(incident: Incident) -> dict[str, str]:
    """Return an incident as matchers see it: the labels of its identity, and over them its fields."""
    labels = {
        **incident.identity,
        "id": incident.id,
        "title": incident.title,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "criterion": incident.criterion.value,
        "rule": incident.rule or "",
        "team": incident.team,
        "incident_commander": incident.roles.incident_commander or "",
    }
    return {name: value for name, value in labels.items() if value}


class Overseer:
    """Looks at the incidents that a batch changed, one after the other, until no rule has anything new to say."""

    def __init__(self, batch: Batch, rules: IncidentRules) -> None:
        self._judge = batch.judge
        self._view = batch.view
        self._now = batch.now
        self._rules = rules

    def look(self) -> None:
        """Look at every incident that changed; what a rule does is done once, so this ends."""
        changed = self._view.changed
        while changed:
            name = next(iter(changed))
            del changed[name]
            incident = self._view.incident(name)
            if incident is not None and incident.is_open:
                self._look_at(incident)

    def look_at_all(self) -> None:
        """Look at every open incident, for the rules are new to them: each by a timer, as they may not fit a batch."""
        for name in self._view.snapshot.open:
            self._view.commit.timer(TIMER_INCIDENT + name, self._now)

    def _look_at(self, incident: Incident) -> None:
        due: datetime | None = None
        matched = self._rules.match(incident)
        for hit in matched.hits:
            current = self._view.incident(incident.id) or incident
            verdict = self._judge.verdict(hit, touched_at=current.touched_at, incident=current)
            if verdict.due is not None and (due is None or verdict.due < due):
                due = verdict.due
            self._act(hit, verdict, matched, current)
            if self._judge.notes is not None:
                self._judge.notes.judged(hit, verdict, incident.id)
        self._view.commit.timer(TIMER_INCIDENT + incident.id, due)

    def _act(self, hit: Hit, verdict: Verdict, matched: Matched, incident: Incident) -> None:
        rule = hit.rule
        if verdict.outcome is Outcome.ERROR:
            self._judge.tell(Unjudged(SOURCE, self._now, f"rule {rule.id}: {verdict.reason}"))
        if rule.mode is not Mode.ENFORCE:
            return
        if verdict.outcome is Outcome.UNKNOWN:
            self._judge.say_unknown(incident, rule.id, verdict)
        if verdict.outcome is not Outcome.HOLDS or verdict.tier is None:
            return
        mark = mark_of(rule, verdict.tier)
        severity = severity_wanted(incident, verdict.tier, mark)
        if severity is None or mark in incident.marks:
            return
        event = finding_of(
            hit,
            verdict,
            severity,
            matched,
            _arrival_of(incident, self._now),
            ruleset=self._judge.ruleset,
            fires_again=False,
        )
        if incident.paging is not None and rule.criterion is not Criterion.DATA_ISSUE:
            event = replace(event, holds=incident.paging.holds)
        done = transition(incident, event, context=self._judge.context(incident.id), now=self._now)
        self._view.take(incident.id, done)


def _arrival_of(incident: Incident, now: datetime) -> Arrival:
    """Return an incident in the shape in which rules look at things; what it is called is its summary."""
    annotations = {"summary": incident.title}
    alert = Alert(fingerprint="", status=AlertStatus.FIRING, labels=labels_of(incident), annotations=annotations)
    return Arrival(f"{SOURCE}|{incident.id}", SOURCE, alert, now, to_ms(now))
