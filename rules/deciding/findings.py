"""What a rule found, as the event that the transition table takes. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from incidents.alert import Alert, AlertState
from incidents.clock import to_ms
from incidents.events import FindingHeld
from incidents.incident import Incident
from incidents.incident import Objective as StoredObjective
from incidents.transitions.findings import BACKUP
from incidents.values import Criterion, Severity, gravest
from rules.conditions import name_of
from rules.deciding.work import Arrival
from rules.evaluate import Verdict
from rules.index import Hit, Matched, identity_key
from rules.measuring import to_params, wanted
from rules.model import Objective, Rule, Subject, Tier
from rules.templates import Values, render, title_of

RUNBOOK_ANNOTATIONS = ("runbook_url", "runbook", "runbook_link")
UNJUDGED_RULE = "tocsin-unjudged"
UNJUDGED_IDENTITY = {"tocsin": "unjudged"}
UNJUDGED_REOPEN = timedelta(minutes=30)


def finding_of(
    hit: Hit,
    verdict: Verdict,
    severity: Severity,
    matched: Matched,
    arrival: Arrival,
    *,
    ruleset: str,
    fires_again: bool,
) -> FindingHeld:
    """Return the event of a rule that holds with a tier for an alert."""
    rule, tier = hit.rule, verdict.tier or hit.rule.tiers[0]
    annotations = arrival.alert.annotations
    values = Values(labels=matched.labels, annotations=annotations)
    linked = next((annotations[name] for name in RUNBOOK_ANNOTATIONS if annotations.get(name)), "")
    return FindingHeld(
        rule=rule.id,
        criterion=rule.criterion,
        severity=severity,
        title=title_of(tier.title, values, identity=hit.identity),
        identity=dict(hit.identity),
        identity_key=hit.identity_key,
        actor=arrival.source,
        reason=verdict.reason,
        ruleset=ruleset,
        received_at=arrival.received_at,
        policy=tier.page or "default",
        summary=render(tier.summary, values) if tier.summary else "",
        runbook=render(tier.runbook, values) if tier.runbook else linked,
        assign=tier.assign,
        objectives=tuple(stored_objective(objective, matched.labels) for objective in tier.objectives),
        reopen_seconds=rule.reopen_within.total_seconds(),
        fires_again=fires_again,
        mark=mark_of(rule, tier),
        calls=calls(rule, tier),
        stakeholders=tier.stakeholders,
        restricted=tier.restricted,
        absorb_seconds=tier.absorb.total_seconds() if tier.absorb is not None else 0.0,
        began_at=arrival.alert.starts_at if rule.on is Subject.ALERT else None,
    )


def calls(rule: Rule, tier: Tier) -> bool:
    """Whether a tier calls people even where it is no graver than the incident: backup is needed, or it only pages."""
    if tier.page is None:
        return False
    return tier.declare is None or rule.criterion is Criterion.TIME_SPENT or tier.page == BACKUP


def mark_of(rule: Rule, tier: Tier) -> str:
    """Return the name under which an incident remembers what a tier did, empty for a tier that a finding stands for."""
    if tier.declare is not None and tier.page is None and not tier.escalate_by and rule.on is not Subject.INCIDENT:
        return ""  # as most tiers
    once = rule.on is Subject.INCIDENT or tier.escalate_by or calls(rule, tier)
    return f"{rule.id}#{tier.index}" if once or (tier.assign and tier.declare is None) else ""


def stored_objective(objective: Objective, labels: Mapping[str, str]) -> StoredObjective:
    """Return an objective as an incident keeps it, labels put in."""
    if objective.alerts_clear_for is not None:
        seconds = objective.alerts_clear_for.total_seconds()
        return StoredObjective(id=objective.id, text=objective.text, kind="alerts_clear_for", seconds=seconds)
    if objective.measure is None:
        return StoredObjective(id=objective.id, text=objective.text, kind="manual")
    text = objective.text or f"{name_of(objective.measure)} {wanted(objective.measure)}"
    params = to_params(objective.measure, labels)
    return StoredObjective(id=objective.id, text=text, kind=name_of(objective.measure), params=params)


def unjudged(source: str, reason: str, *, ruleset: str, received_at: datetime) -> FindingHeld:
    """Return the event that tells people of an alert that could not be judged: a bug in a rule hides no outage."""
    return FindingHeld(
        rule=UNJUDGED_RULE,
        criterion=Criterion.OTHER,
        severity=Severity.SEV3,
        title="An alert could not be judged: look at the quarantine and at the rules",
        identity=UNJUDGED_IDENTITY,
        identity_key=identity_key(UNJUDGED_IDENTITY),
        actor=source,
        reason=reason,
        ruleset=ruleset,
        received_at=received_at,
        reopen_seconds=UNJUDGED_REOPEN.total_seconds(),
    )


def severity_found(incident: Incident, rule_id: str) -> Severity | None:
    """Return how grave a rule's finding on an incident is, None where it has none."""
    return next((finding.severity for finding in incident.findings if finding.rule == rule_id), None)


def severity_wanted(current: Incident | None, tier: Tier, mark: str) -> Severity | None:
    """Return how grave the finding of a tier is; None where it makes none.

    Only `declare` opens an incident; everything else is done to one that is open, `escalate_by` once.
    """
    if current is None or not current.is_open:
        return None if tier.attach_only else tier.declare
    if tier.declare is None and not _does_more_than_attach(tier):
        return None
    wanted = tier.declare or current.severity
    if tier.escalate_by and mark not in current.marks:
        return gravest(wanted, Severity(f"SEV{max(1, current.severity.rank - tier.escalate_by)}"))
    return wanted


def _does_more_than_attach(tier: Tier) -> bool:
    verbs = (tier.escalate_by, tier.page, tier.assign, tier.absorb)
    return any(verbs) or bool(tier.stakeholders or tier.objectives or tier.restricted)


def arrival_of(key: str, state: AlertState) -> Arrival:
    """Return a remembered alert as if it had just arrived: a timer or a count speaks of it again."""
    return Arrival(key, state.source, alert_of(state), state.received_at, to_ms(state.received_at))


def alert_of(state: AlertState) -> Alert:
    """Return a remembered alert as its sender described it."""
    return Alert(
        fingerprint=state.fingerprint,
        status=state.status,
        labels=state.labels,
        annotations=state.annotations,
        starts_at=state.starts_at,
        ends_at=state.ends_at,
        generator_url=state.generator_url,
    )
