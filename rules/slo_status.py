"""How an SLO stands by what is known of it: burn rate, budget left, and when it is gone. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from incidents.facts import Fact, fact_id
from rules.measuring import budget_remaining, burn_rate, exhausted_in, span, usable
from rules.questions import SHOWN_OVER
from rules.slos import Slo


class SloStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One SLO and its numbers; None, and `why`, where they are not known."""

    slo: Slo
    burn_rate: float | None  # over an hour
    budget_remaining: float | None  # 1 is all of it, below 0 the promise is broken
    exhausted_in_seconds: float | None  # None: not known, or it lasts
    at: datetime | None  # when it was measured last
    why: str  # a number is not known, or is only remembered, for Prometheus did not answer the last time
    text: str


def fact_ids(slos: Iterable[Slo]) -> list[str]:
    """Return the facts that the status of SLOs is made of."""
    return [name for slo in slos for name in (_over_hour(slo), _over_window(slo))]


def status_of(slo: Slo, facts: Mapping[str, Fact | None], now: datetime) -> SloStatus:
    """Return how an SLO stands at an instant."""
    recent, whole = facts.get(_over_hour(slo)), facts.get(_over_window(slo))
    recent_ratio, why_recent = usable(recent, now)
    whole_ratio, why_whole = usable(whole, now)
    rate = None if recent_ratio is None else burn_rate(slo, recent_ratio)
    left = None if whole_ratio is None else budget_remaining(slo, whole_ratio)
    gone_in = None if rate is None or left is None else exhausted_in(slo, left, rate)
    known = [fact.at for fact in (recent, whole) if fact is not None and fact.value is not None]
    if left is None or rate is None:
        text = f"not known: {why_recent or why_whole}"
    elif left <= 0:
        text = "budget gone"
    elif gone_in is not None:
        text = f"budget gone in {span(gone_in)}"
    else:
        text = f"{100 * left:.4g} % of the budget left"
    return SloStatus(
        slo=slo,
        burn_rate=rate,
        budget_remaining=left,
        exhausted_in_seconds=None if gone_in is None else gone_in.total_seconds(),
        at=min(known, default=None),
        why=why_recent or why_whole or _unanswered(recent, whole),
        text=text,
    )


def _unanswered(*facts: Fact | None) -> str:
    """Return why what is known is only remembered, empty where the last question was answered."""
    return next((fact.why or "no answer" for fact in facts if fact is not None and not fact.answered), "")


def _over_hour(slo: Slo) -> str:
    return fact_id(slo.ratio_over(min(SHOWN_OVER, slo.window)))


def _over_window(slo: Slo) -> str:
    return fact_id(slo.over_window)
