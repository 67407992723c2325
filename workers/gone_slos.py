"""Resolves the alerts of our own that stand for SLOs which the rule files have no more: nothing would end them.

It goes through the alerts once for each rule set, and what it finds enters the stream like any other resolved alert.
"""

from collections.abc import Iterable
from datetime import datetime

from incidents.alert import Alert, AlertState, alert_key
from incidents.facts import SOURCE
from incidents.store.facts import FactStore
from incidents.store.intake import Intake
from incidents.values import AlertStatus
from rules.burn_alerts import ALERTNAME
from rules.deciding.facts import alerts_of_slos
from rules.model import RuleSet


class GoneSlos:
    """Remembers for which rule set it looked last."""

    def __init__(self, store: FactStore, intake: Intake) -> None:
        self._store = store
        self._intake = intake
        self._looked = ""

    def resolve(self, rule_set: RuleSet, now: datetime) -> None:
        """Resolve what no rule looks at any more; raises `StoreUnavailable`, and is then to be called again."""
        if rule_set.hash == self._looked:
            return
        over = ended(rule_set, self._store.alerts_of(SOURCE), now)
        if over:
            self._intake.append_alerts(source=SOURCE, alerts=over, received_at=now)
        self._looked = rule_set.hash


def ended(rule_set: RuleSet, states: Iterable[AlertState], now: datetime) -> list[Alert]:
    """Return the end of each firing alert of an SLO at which no rule of the rule set looks."""
    kept = alerts_of_slos(rule_set)
    return [
        _end(each, now)
        for each in states
        if each.status is AlertStatus.FIRING
        and each.labels.get("alertname") == ALERTNAME
        and alert_key(each.source, each.fingerprint) not in kept
    ]


def _end(state: AlertState, now: datetime) -> Alert:
    return Alert(
        fingerprint=state.fingerprint,
        status=AlertStatus.RESOLVED,
        labels=state.labels,
        annotations=state.annotations,
        ends_at=now,
    )
