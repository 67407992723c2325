"""The SLOs of the rules in force, and how they stand by what Prometheus measured."""

from incidents.presentation import instant
from incidents.store.facts import FactStore
from receiver.api.answers import Answer, Cursor, Instant
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole
from rules.durations import format_duration
from rules.slo_status import SloStatus, fact_ids, status_of


class SloAnswer(Answer, frozen=True, kw_only=True):
    """One SLO; numbers are null where they are not known, and `why` says why, or why they are only remembered."""

    id: str
    service: str
    objective: float
    sla: float | None
    window: str
    burn_rate: float | None
    budget_remaining: float | None
    exhausted_in_seconds: float | None
    text: str
    at: Instant | None
    why: str


class SlosAnswer(Answer, frozen=True, kw_only=True):
    """The SLOs, in the order of the rule files."""

    slos: list[SloAnswer]
    next: Cursor


def _slos(services: Services, call: Call) -> Reply:
    slos = services.api.rule_set().slos.values()
    facts = FactStore(services.api.links).facts(fact_ids(slos))
    return Reply({"slos": [_slo(status_of(slo, facts, call.now)) for slo in slos], "next": None})


def _slo(status: SloStatus) -> dict[str, object]:
    slo = status.slo
    return {
        "id": slo.id,
        "service": slo.service,
        "objective": slo.objective,
        "sla": slo.sla,
        "window": format_duration(slo.window),
        "burn_rate": status.burn_rate,
        "budget_remaining": status.budget_remaining,
        "exhausted_in_seconds": status.exhausted_in_seconds,
        "text": status.text,
        "at": instant(status.at),
        "why": status.why,
    }


ROUTES = (
    Route(
        method="GET",
        path="/slos",
        role=ApiRole.VIEWER,
        summary="Show each SLO: how fast its error budget burns, what is left of it, and when it is gone",
        handler=_slos,
        answer=SlosAnswer,
    ),
)
