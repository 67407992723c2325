"""The alert ends: the incident resolves by its objective; it fires again soon: the same incident reopens."""

import pytest
from installation import RULES
from monitoring import Prometheus
from programs import eventually

pytestmark = pytest.mark.acceptance


def test_resolve_by_objective_when_the_metric_is_good_again_and_reopen_when_not(
    tocsin, exporter, alertmanager, programs, page_sink
):
    """From the metric: paged, resolved by itself and told so; bad again, the same incident reopens and pages."""
    tocsin.write_rules(RULES.replace("alerts_clear_for: 1h", "alerts_clear_for: 2s"))
    tocsin.serve()
    Prometheus(programs, exporter, [alertmanager])
    exporter.set("db", 1)
    incident = page_sink.expect_page(person="amira")["incident"]["id"]

    exporter.set("db", 0)
    over = page_sink.expect_page(type="page_resolved", person="amira")
    assert over["incident"]["id"] == incident
    found = tocsin.only_incident()
    assert (found["status"], found["alerts"]) == ("resolved", {"firing": 0, "resolved": 1})
    kinds = [entry["kind"] for entry in tocsin.timeline(incident)]
    assert kinds.index("alert_fired") < kinds.index("alert_resolved") < kinds.index("objective_met")
    assert kinds.index("objective_met") < kinds.index("resolved")
    assert tocsin.metric("tocsin_incidents_closed_total", rule="critical", outcome="resolved") == 1

    exporter.set("db", 3)
    again = page_sink.expect_page(person="amira", reason="reopened")
    assert again["incident"]["id"] == incident
    assert again["dedup_key"] == over["dedup_key"]
    reopened = eventually(tocsin.only_incident)
    assert (reopened["status"], reopened["alerts"]) == ("declared", {"firing": 1, "resolved": 0})
    assert tocsin.metric("tocsin_incidents_declared_total") == 1
    tocsin.settled()
