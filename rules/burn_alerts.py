"""The rules that every SLO brings along: several windows, several burn rates, as Google's SRE workbook has them. Pure.

A pair of windows holds when the budget burns too fast over the long one and still does over the short one. The rate is
computed for the SLO's own window: that at which so much of its budget is burnt within the long window.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

import msgspec

from incidents.alert import short_hash
from incidents.values import Criterion, Severity
from rules.conditions import All, BudgetRemaining, BurnRate, Compare, Condition
from rules.durations import format_duration
from rules.model import Defaults, Objective, Rule, Tier
from rules.slos import SLA_SUFFIX, Slo

PREFIX = "slo-burn."
IDENTITY = ("service", "slo")
ALERTNAME = "SLOBurn"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SHORTER = 12  # how much shorter the second window is


class Pair(NamedTuple):
    """Two windows that must both show `factor` times the allowed burn rate: `share` of the budget in the longer."""

    long: timedelta
    short: timedelta
    share: float
    factor: float
    severity: Severity


# Long window, share of the budget burnt in it, severity: the table of the workbook.
_TABLE = (
    (_HOUR, 0.02, Severity.SEV2),
    (6 * _HOUR, 0.05, Severity.SEV2),
    (_DAY, 0.10, Severity.SEV3),
    (3 * _DAY, 0.10, Severity.SEV3),
)
_SHARE, _PART = 0.10, 24  # for an SLO whose window is too short for the table: a tenth in a 24th of it


def pairs_of(slo: Slo) -> tuple[Pair, ...]:
    """Return the pairs of windows for an SLO, the fastest first.

    Left out are rates that its objective makes impossible (no more than everything can fail), and those below 1, at
    which the budget lasts.
    """
    most = 1.0 / slo.budget
    found = [_pair(slo, long, share, severity) for long, share, severity in _TABLE]
    usable = [pair for pair in found if 1.0 <= pair.factor < most]
    return tuple(usable) or (_pair(slo, slo.window / _PART, _SHARE, Severity.SEV2),)


def _pair(slo: Slo, long: timedelta, share: float, severity: Severity) -> Pair:
    long = timedelta(seconds=max(long // timedelta(seconds=1), 1))
    short = timedelta(seconds=max(long // timedelta(seconds=_SHORTER), 1))
    return Pair(long, short, share, round(share * (slo.window / long), 4), severity)


def burn_rules(slos: Iterable[Slo], defaults: Defaults, taken: Mapping[str, object]) -> tuple[Rule, ...]:
    """Return a rule for each SLO that wants one, unless a file has a rule of that id."""
    wanted = (slo for slo in slos if slo.burn_alerts and PREFIX + slo.id not in taken)
    return tuple(_rule(slo, defaults) for slo in wanted)


def labels_of(slo: Slo) -> dict[str, str]:
    """Return the labels of what is found of an SLO without any alert."""
    labels = {"alertname": ALERTNAME, "slo": slo.id, "service": slo.service}
    return {name: value for name, value in labels.items() if value}


def _rule(slo: Slo, defaults: Defaults) -> Rule:
    name = PREFIX + slo.id
    pairs = pairs_of(slo)
    tiers = [_tier(slo, pair) for pair in pairs]
    if slo.sla is not None:
        tiers.insert(0, _sla_tier(slo, pairs[0]))
    return Rule(
        id=name,
        criterion=Criterion.SLO_BREACH,
        identity=IDENTITY,
        tiers=tuple(msgspec.structs.replace(tier, index=index) for index, tier in enumerate(tiers, 1)),
        reopen_within=defaults.reopen_within,
        window_id=short_hash(name),
        measured=True,
        slo=slo.id,
        file=slo.file,
        line=slo.line,
    )


def _tier(slo: Slo, pair: Pair) -> Tier:
    condition = All((_burns(slo, pair.long, pair.factor), _burns(slo, pair.short, pair.factor)))
    # An SLO's id is letters, digits and the like, so that it can stand in a template.
    title = f"{slo.id}: the error budget burns over {pair.factor:g} times too fast"
    return _acting(slo, pair, condition, pair.severity, title)


def _sla_tier(slo: Slo, fastest: Pair) -> Tier:
    gone = BudgetRemaining(slo.id + SLA_SUFFIX, Compare.LTE, 0.0)
    condition = All((gone, _burns(slo, fastest.long, 1.0), _burns(slo, fastest.short, 1.0)))
    return _acting(slo, fastest, condition, Severity.SEV1, f"{slo.id}: the SLA of {slo.sla:g} % is broken")


def _acting(slo: Slo, pair: Pair, condition: Condition, severity: Severity, title: str) -> Tier:
    over = format_duration(pair.short)
    return Tier(
        index=1,
        condition=condition,
        declare=severity,
        title=title,
        objectives=(
            Objective(
                id="budget",
                text=f"The error budget of {slo.id} burns no faster than it may, over {over}",
                measure=BurnRate(slo.id, pair.short, Compare.LTE, 1.0),
            ),
            Objective(id="burn-over", text="No burn rate has been too high for 15 minutes", alerts_clear_for=_HOUR / 4),
        ),
    )


def _burns(slo: Slo, over: timedelta, factor: float) -> BurnRate:
    return BurnRate(slo.id, over, Compare.GTE, factor)
