"""The packs, on alerts of a real Prometheus with the labels of Sloth, Pyrra, Grafana SLO and kube-prometheus."""

from collections import Counter
from pathlib import Path

import pytest
import yaml
from monitoring import Prometheus
from programs import eventually

from rules.loading.files import PACKS_DIR

pytestmark = pytest.mark.acceptance

SENDERS = (Path(__file__).parent / "senders.rules.yml").read_text()
MACHINES = 60
# What is declared, by identity: severity, the rules that found it, and how many alerts hold in it by themselves. Milder
# ones, that wait for a quarter of an hour, belong to it from then on, or at once when they came after the graver one.
EXPECTED = {
    "service=checkout, slo=availability": ("SEV2", {"slo.error-budget-burn"}, 1),
    "slo=api-errors": ("SEV2", {"slo.error-budget-burn"}, 2),
    "service=payments, slo=p4ymnt5": ("SEV2", {"slo.error-budget-burn"}, 1),
    "cluster=eu": ("SEV2", {"kube.api-budget-burn", "kube.control-plane"}, 3),
    "cluster=eu, namespace=db, persistentvolumeclaim=data-0": ("SEV3", {"kube.volume"}, 1),
    "cluster=eu, node=node-1": ("SEV3", {"kube.node"}, 1),
    "dataset=orders, service=shop": ("SEV1", {"data.issue"}, 1),
    "service=cart": ("SEV2", {"practice.customer-facing"}, 1),
    "service=search": ("SEV3", {"practice.critical"}, 1),
    "cluster=us": ("SEV2", {"storm.cluster"}, MACHINES),
}


def in_short(*names):
    """Return rules of the packs with seconds to wait in place of minutes; a file's rule replaces the pack's."""
    rules = [rule for path in PACKS_DIR.glob("*.yml") for rule in yaml.safe_load(path.read_text())["rules"]]
    wanted = [rule for rule in rules if rule["id"] in names]
    return yaml.safe_dump({"rules": wanted}).replace("firing_for: 5m", "firing_for: 2s")


def found(tocsin):
    """Return the incidents as they are expected."""
    return {
        ", ".join(f"{name}={value}" for name, value in sorted(incident["identity"].items())): (
            incident["severity"],
            {finding["rule"] for finding in incident["findings"]},
            incident["alerts"]["firing"],
        )
        for incident in tocsin.incidents("?limit=100")
    }


def as_expected(tocsin):
    """Tell what is not yet there, and what nobody expected."""
    now = found(tocsin)
    assert {name: one[:2] for name, one in now.items()} == {name: one[:2] for name, one in EXPECTED.items()}
    assert [name for name, (_, _, alone) in EXPECTED.items() if now[name][2] < alone] == []
    return True


def test_packs_see_one_incident_in_all_alerts_of_one_trouble(tocsin, exporter, alertmanager, programs, page_sink):
    """Ten troubles in ninety alerts of six senders: ten incidents, ten pages, and not one more."""
    tocsin.write_rules(in_short("practice.critical", "kube.node"))
    tocsin.config.write_text(
        tocsin.config.read_text().replace("[./rules.d]", "[./rules.d, pack:practice, pack:storm, pack:deadman]")
    )
    for number in range(MACHINES):
        exporter.set(f"machine-{number}", 1)
    tocsin.serve()
    Prometheus(programs, exporter, [alertmanager], rules=SENDERS)

    eventually(lambda: as_expected(tocsin), what="the incidents")

    paged = Counter()
    while len(paged) < len(EXPECTED):
        page = page_sink.expect_message(person="amira", reason="declared")
        paged.update(incident["id"] for incident in page["incidents"])
    assert set(paged.values()) == {1}
    assert tocsin.metric("tocsin_incidents_declared_total") == len(EXPECTED)
    assert tocsin.metric("tocsin_heartbeat_age_seconds", heartbeat="watchdog-eu") < 60
    assert tocsin.settled()["quarantined"] == 0
    assert as_expected(tocsin)
