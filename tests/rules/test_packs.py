"""The shipped packs: clean, commented, and right about the alerts of common senders."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from rules.evaluate import Outcome, evaluate
from rules.files import PACKS_DIR, read_rule_files
from rules.index import Matching
from rules.load import load_rule_set

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


class Known(NamedTuple):
    firing_since: datetime

    def count(self, within):
        return 1


@pytest.fixture(scope="module")
def matching():
    read = read_rule_files([])
    loaded = load_rule_set(read.files, now=NOW)
    assert (read.problems, loaded.problems) == ((), ())
    return Matching(loaded.rule_set)


def declared(matching, labels, fires):
    """Return rule, severity and identity of everything that is declared after firing so long."""
    found = []
    for hit in matching.match(labels).hits:
        verdict = evaluate(hit, Known(NOW - fires), NOW)
        if verdict.outcome is Outcome.HOLDS:
            found.append((hit.rule.id.removeprefix("practice."), verdict.tier.declare.value, hit.identity))
    return found


NOW_, LONG = timedelta(0), timedelta(hours=1)
SLOTH = {
    "alertname": "CheckoutErrors",
    "sloth_service": "checkout",
    "sloth_slo": "availability",
    "sloth_id": "checkout-a",
}
PYRRA = {"alertname": "ErrorBudgetBurn", "slo": "checkout", "short": "5m", "long": "1h", "exhaustion": "2d"}
MIXIN = {"alertname": "KubeAPIErrorBudgetBurn", "long": "1h", "short": "5m", "cluster": "eu"}
GRAFANA = {"alertname": "SLO burn", "grafana_slo_uuid": "u1", "grafana_slo_window": "28d", "service_name": "checkout"}
SHOP = {"alertname": "Down", "service": "shop"}


@pytest.mark.parametrize(
    ("labels", "fires", "expected"),
    [
        ({**SHOP, "severity": "critical"}, NOW_, []),
        ({**SHOP, "severity": "critical"}, LONG, [("critical", "SEV3", {"service": "shop"})]),
        ({**SHOP, "severity": "warning"}, LONG, []),
        ({**SHOP, "severity": "critical", "env": "staging"}, LONG, []),
        ({**SHOP, "severity": "error"}, LONG, [("takes-too-long", "SEV3", {"service": "shop"})]),
        ({**SHOP, "data_issue": "loss"}, NOW_, [("data-issue", "SEV1", {"service": "shop"})]),
        (
            {**SHOP, "data_issue": "corruption", "dataset": "orders", "severity": "critical", "slo": "x"},
            LONG,
            [("data-issue", "SEV1", {"service": "shop", "dataset": "orders"})],
        ),
        (
            {**SHOP, "customer_facing": "true", "severity": "page"},
            NOW_,
            [("customer-facing", "SEV2", {"service": "shop"})],
        ),
        ({**SHOP, "customer_facing": "true"}, LONG, [("customer-facing", "SEV3", {"service": "shop"})]),
        (
            {**SHOP, "customer_visible": "yes", "severity": "critical"},
            NOW_,
            [("customer-visible", "SEV2", {"service": "shop"})],
        ),
        (
            {**SHOP, "customer_visible": "true", "customer_facing": "true", "severity": "critical"},
            NOW_,
            [("customer-facing", "SEV2", {"service": "shop"})],
        ),
        ({**SHOP, "corrective_action": "rollback"}, NOW_, [("corrective-action", "SEV3", {"service": "shop"})]),
        (
            {**SLOTH, "sloth_severity": "page", "severity": "critical"},
            NOW_,
            [("error-budget-burn", "SEV2", {"service": "checkout", "slo": "availability"})],
        ),
        ({**SLOTH, "sloth_severity": "ticket"}, NOW_, []),
        (
            {**SLOTH, "sloth_severity": "ticket"},
            LONG,
            [("error-budget-burn", "SEV3", {"service": "checkout", "slo": "availability"})],
        ),
        ({**PYRRA, "severity": "critical"}, NOW_, [("error-budget-burn", "SEV2", {"slo": "checkout"})]),
        ({**PYRRA, "severity": "warning"}, NOW_, []),
        (
            {**MIXIN, "severity": "critical"},
            NOW_,
            [("unnamed-budget-burn", "SEV2", {"alertname": "KubeAPIErrorBudgetBurn", "cluster": "eu"})],
        ),
        (
            {**GRAFANA, "grafana_slo_severity": "critical"},
            NOW_,
            [("error-budget-burn", "SEV2", {"service": "checkout", "slo": "u1"})],
        ),
        ({**GRAFANA, "grafana_slo_severity": "warning"}, NOW_, []),
        ({"alertname": "Watchdog", "severity": "critical"}, LONG, []),
        ({"alertname": "InfoInhibitor", "severity": "critical"}, LONG, []),
        ({"alertname": "TargetDown", "severity": "none"}, LONG, []),
    ],
)
def test_pack_declares_by_the_criteria_of_the_practice(matching, labels, fires, expected):
    """One alert is one finding, of the most special criterion."""
    assert declared(matching, labels, fires) == expected


@pytest.mark.parametrize("path", sorted(PACKS_DIR.glob("*.yml")), ids=lambda path: path.name)
def test_pack_comments_every_rule(path):
    """Each rule has a comment right above it, but where two share one."""
    lines = path.read_text().splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith("- id:")]
    uncommented = [lines[place] for place in starts if not lines[place - 1].startswith("#")]
    assert uncommented in ([], ["- id: practice.customer-visible"])
