"""Builders for the tests of the stores: incidents that are declared, commits, plans and states of alerts."""

from datetime import datetime

from builders import NOW, alert, rule_set

from incidents import events
from incidents.alert import AlertState
from incidents.commit import Commit
from incidents.snapshot import Plan
from incidents.transitions import Context, Transition, transition
from incidents.values import AlertStatus, Severity


def declared(number: int = 1, service: str = "db", now: datetime = NOW) -> tuple[str, Transition]:
    """Return the id of an incident, and its declaring."""
    name = f"INC-2026-{number:04d}"
    event = events.DeclaredByHand(
        actor="amira",
        title=service,
        severity=Severity.SEV2,
        identity={"service": service},
        identity_key=f"key-of-{service}",
    )
    context = Context(oncall=rule_set().oncall, ruleset="rules", new_id=name)
    return name, transition(None, event, context=context, now=now)


def commit_with(declaring: tuple[str, Transition] | None = None, now: datetime = NOW, **fields) -> Commit:
    """Return a commit with these fields."""
    commit = Commit(now)
    if declaring is not None:
        commit.take(declaring[0], declaring[1], declared=True)
    for name, value in fields.items():
        assert hasattr(commit, name)
        setattr(commit, name, value)
    return commit


def plan_with(**fields) -> Plan:
    """Return a plan with these fields."""
    plan = Plan()
    for name, value in fields.items():
        assert hasattr(plan, name)
        setattr(plan, name, value)
    return plan


def state(**labels) -> AlertState:
    made = alert(**labels)
    return AlertState(
        source="prom",
        fingerprint=made.fingerprint,
        status=AlertStatus.FIRING,
        labels=made.labels,
        starts_at=NOW,
        received_at=NOW,
    )
