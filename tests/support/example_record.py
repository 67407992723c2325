"""The record of an incident as it happens: lost orders, a commander who was not reached at once, a rollback.

The example in the documents is made of it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from incidents.incident import BudgetBurnt, Finding, Incident, Objective, Roles, Stakeholder
from incidents.post_incident_actions import ActionState, PostIncidentAction
from incidents.postmortem.record import Record, record_of
from incidents.timeline import EntryKind, TimelineEntry
from incidents.values import Criterion, IncidentStatus, Severity
from rules.severities import SEVERITY_DEFAULTS

DECLARED = datetime(2026, 11, 2, 3, 4, 12, tzinfo=UTC)
NAME = "INC-2026-0042"
PROD = "prod-alertmanager"


def at(minutes: float) -> datetime:
    """So many minutes after it was declared."""
    return DECLARED + timedelta(minutes=minutes)


def entry(minutes: float, what: EntryKind, text: str, actor: str = "tocsin", /, **data: Any) -> TimelineEntry:
    """An entry so many minutes after it was declared."""
    when = at(minutes)
    return TimelineEntry(id="", at=when, kind=what, actor=actor, text=text, data=data)


def fired(
    minutes: float, name: str, summary: str, *, began: float | None = None, count: int = 1, **more: Any
) -> TimelineEntry:
    """An entry of an alert that fires."""
    data: dict[str, Any] = {
        "labels": {"alertname": name, "service": "orders"},
        "source": PROD,
        "fingerprint": name,
        "starts_at": at(minutes - 1 if began is None else began).isoformat(),
    }
    return entry(minutes, EntryKind.ALERT_FIRED, f"{name} fired: {summary}", PROD, **data, count=count, **more)


def resolved(minutes: float, name: str) -> TimelineEntry:
    """An entry of an alert that ended."""
    data = {"labels": {"alertname": name}, "source": PROD, "fingerprint": name}
    ended = at(minutes - 0.4).isoformat()
    return entry(minutes, EntryKind.ALERT_RESOLVED, f"{name} resolved", PROD, **data, ends_at=ended)


def page(minutes: float, kind: EntryKind, text: str, person: str, step: str = "1.1", **data: Any) -> TimelineEntry:
    """An entry about a page."""
    channel = data.pop("channel", f"{person}-phone")
    return entry(minutes, kind, text, person=person, page_id=f"{NAME}.1.{step}.{person}", channel=channel, **data)


def role(minutes: float, name: str, person: str, text: str, actor: str = "tocsin") -> TimelineEntry:
    """An entry of a role that was given."""
    return entry(minutes, EntryKind.ROLE_ASSIGNED, text, actor, role=name, person=person)


def entries() -> tuple[TimelineEntry, ...]:
    """The whole timeline, with the ids that the store would give."""
    found: list[TimelineEntry] = []
    for each in _entries():
        ms = int(each.at.timestamp() * 1000)
        found.append(replace(each, id=f"{ms}-{sum(1 for before in found if before.at == each.at)}"))
    return tuple(found)


def _entries() -> tuple[TimelineEntry, ...]:
    kind = EntryKind
    return (
        fired(0, "OrdersLost", "Orders accepted but not stored", began=-6.2, corrections=[
            {"at": at(38).isoformat(), "actor": "dana", "text": "It was 02:56, by the log of the gateway"}
        ]),
        entry(0, kind.INCIDENT_DECLARED, "SEV2 declared by rule data-loss: Orders are lost", PROD, severity="SEV2",
              rule="data-loss", identity={"service": "orders"}),
        role(0, "incident_commander", "amira", "amira is the incident commander"),
        role(0, "communications", "chidi", "chidi is responsible for communications"),
        entry(0, kind.STAKEHOLDER_ADDED, "management has to know", name="management"),
        page(0.05, kind.PAGE_FAILED, "Paging amira through ntfy failed (503); it is tried again", "amira",
             error="503 Service Unavailable"),
        page(0.2, kind.PAGE_FAILED, "Paging amira through ntfy failed (503); it is given up", "amira",
             error="503 Service Unavailable"),
        entry(0.2, kind.PAGE_ESCALATED, "Not acknowledged in time: step 2 of round 1 pages bo", step=2, round=1),
        page(0.3, kind.PAGE_SENT, "Paged bo through pagerduty", "bo", "1.2"),
        fired(1.5, "HighErrorRate", "12 % of requests to orders fail", count=14),
        fired(2.2, "QueueGrowing", "The queue of orders grows"),
        entry(4.1, kind.ACKNOWLEDGED, "Acknowledged by bo: on it", "bo"),
        entry(4.6, kind.HANDED_OVER, "amira handed over to bo, who is the incident commander now", "bo",
              role="incident_commander", person="bo", previous="amira"),
        role(6, "engineer_in_charge", "dana", "dana is the engineer in charge", "bo"),
        role(7, "engineer", "eli", "eli is an engineer", "bo"),
        entry(8.5, kind.NOTE, "The new writer drops orders whose address has no second line", "dana"),
        entry(9, kind.SEVERITY_CHANGED, "Severity SEV2 became SEV1", "bo", **{"from": "SEV2", "to": "SEV1"}),
        page(9.1, kind.PAGE_SENT, "Paged amira through pagerduty", "amira", "1.3"),
        entry(11, kind.STATUS_REPORT, "chidi wrote the status report", "chidi"),
        entry(12, kind.COMMUNICATION, "To customers: some orders since 02:56 UTC were not stored", "chidi",
              audience="customers"),
        entry(13, kind.TASK, "bo asks eli to stop the new writer", "bo", person="eli"),
        entry(17, kind.CORRECTIVE_ACTION, "eli did a rollback of orders: writer 4.2 to 4.1", "eli", kind="rollback"),
        resolved(22, "HighErrorRate"),
        resolved(23.5, "QueueGrowing"),
        entry(24, kind.MITIGATED, "Mitigated by bo: no order is lost any more", "bo"),
        entry(25.5, kind.CORRECTIVE_ACTION, "finn did a restart of billing: to be sure", "finn", kind="restart",
              outside=True),
        resolved(26, "OrdersLost"),
        entry(38, kind.NOTE, "It was 02:56, by the log of the gateway", "dana", corrects="1793588652000-0"),
        entry(66, kind.STATUS_REPORT, "chidi wrote the status report", "chidi"),
        entry(67, kind.COMMUNICATION, "To customers: all 1,204 orders were restored", "chidi", audience="customers"),
        entry(68, kind.OBJECTIVE_MET, "Met: The orders of the journal are all in the store", "dana", id="verified"),
        entry(69, kind.POST_INCIDENT_ACTION, "dana wrote post-incident action 1 down", "dana", id="1"),
        entry(71, kind.RESOLVED, "Resolved by bo: verified", "bo", override="budgets take a month",
              unmet=["budget"]),
    )  # fmt: skip


def incident() -> Incident:
    """The incident as it ended."""
    return Incident(
        id=NAME,
        title="Orders are lost",
        status=IncidentStatus.RESOLVED,
        severity=Severity.SEV1,
        criterion=Criterion.DATA_ISSUE,
        rule="data-loss",
        team="shop",
        findings=(
            Finding(rule="data-loss", criterion=Criterion.DATA_ISSUE, severity=Severity.SEV2, at=DECLARED),
            Finding(rule="errors", criterion=Criterion.CUSTOMER_VISIBLE, severity=Severity.SEV3, at=at(1.5)),
        ),
        identity={"service": "orders"},
        identity_key="k",
        declared_at=DECLARED,
        acknowledged_at=at(4.1),
        acknowledged_by="bo",
        mitigated_at=at(24),
        resolved_at=at(71),
        roles=Roles(incident_commander="bo", communications="chidi", engineer_in_charge="dana", engineers=("eli",)),
        objectives=(
            Objective(id="verified", text="The orders of the journal are all in the store", kind="manual",
                      met_at=at(68), met_by="dana"),
            Objective(id="budget", text="Half of the error budget is left", kind="budget_remaining"),
        ),
        summary="Between 02:56 and 03:26 UTC, 1,204 orders were accepted and not stored. All of them were restored.",
        runbook="https://runbooks.example/orders",
        slos=("orders-stored",),
        burnt=(BudgetBurnt(slo="orders-stored", minutes=27.4, of_minutes=43.2, at=at(71)),),
        stakeholders=(
            Stakeholder(name="management", kind="management"),
            Stakeholder(name="customers", kind="customer", external=True),
        ),
        post_incident_actions=(
            PostIncidentAction(id="1", text="Refuse to deploy a writer that drops fields", owner="dana",
                               due=date(2026, 11, 20), link="https://tracker.example/SHOP-7",
                               state=ActionState.OPEN, at=at(69), by="dana"),
            PostIncidentAction(id="2", text="Page amira through two channels", owner="amira",
                               due=date(2026, 11, 9), state=ActionState.DONE, at=at(70), by="bo"),
        ),
        version=31,
    )  # fmt: skip


def record() -> Record:
    """The whole record."""
    return record_of(incident(), entries(), severities=SEVERITY_DEFAULTS)
