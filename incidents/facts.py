"""Facts: numbers that Prometheus was asked for, as events and as what is remembered. Pure values.

A fact goes by the hash of its question, so that a question that is changed has no answer yet.
"""

from datetime import datetime, timedelta

import msgspec

from incidents.alert import short_hash
from incidents.incident import Incident
from incidents.values import IncidentStatus

SOURCE = "tocsin"  # under which facts enter the stream: we asked for them ourselves
MEASURED_KINDS = frozenset({"burn_rate", "budget_remaining", "query"})  # of objectives
PERIODS = 3  # a fact is stale when so many answers are missing
PATIENCE = timedelta(seconds=10)  # and this has passed: how long one answer may take


def fact_id(promql: str) -> str:
    """Return the name of the answer to a question."""
    return short_hash(promql)


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of asking one question at an instant: a number, or why there is none.

    `answered` is False where Prometheus did not answer: what was known before stays known until it is stale. With
    `incident`, it is how many minutes of the error budget of `slo` an incident burnt.
    """

    v: int = 1
    id: str
    at: datetime  # when it was asked; of a value that is remembered, when it was last known
    value: float | None = None
    why: str = ""
    answered: bool = True
    every: float = 30.0  # seconds between two questions
    incident: str = ""
    slo: str = ""

    @property
    def stale_at(self) -> datetime:
        """From when on the value says nothing of the present."""
        return self.at + timedelta(seconds=PERIODS * self.every) + PATIENCE

    @property
    def expected_at(self) -> datetime:
        """When the next answer should be there."""
        return self.at + timedelta(seconds=self.every) + timedelta(seconds=1)


def merge(known: Fact | None, new: Fact) -> Fact:
    """Return what is remembered after a fact came in; one that is older than what is known changes nothing."""
    if known is None:
        return new
    if new.answered:
        return new if new.at >= known.at else known
    return msgspec.structs.replace(known, why=new.why, answered=False)


def may_await_facts(incident: Incident) -> bool:
    """Whether an incident is of those that wait for facts at some time."""
    return bool(incident.slos) or any(objective.kind in MEASURED_KINDS for objective in incident.objectives)


def awaits_facts(incident: Incident) -> bool:
    """Whether an incident waits for facts: for a measured objective, or for how much budget it burnt."""
    if incident.is_open:
        return any(objective.kind in MEASURED_KINDS for objective in incident.objectives)
    return incident.status is IncidentStatus.RESOLVED and bool(incident.slos) and not incident.burnt
