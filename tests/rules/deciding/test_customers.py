"""The customers of an SLO have to know of the incidents that name it."""

from builders import NOW, ONCALL, rule_set

from rules.simulation.events import arrival
from rules.simulation.simulation import Simulation

RULES = """
slos:
- id: checkout
  service: shop
  objective: 99.9
  window: 30d
  customers: {external: [shoppers], internal: [payments]}
  error_ratio: 'sum(rate(errors[$window])) / sum(rate(requests[$window]))'
rules:
- {id: slow, match: 'severity="critical"', identity: [service, slo], declare: SEV3}
"""


def stakeholders(**labels: str) -> list[tuple]:
    made = Simulation(rule_set(RULES, ONCALL), NOW)
    made.feed(arrival({"alertname": "Slow", "severity": "critical", "service": "shop"} | labels, NOW))
    return [(each.name, each.kind, each.external) for each in made.store.incidents["INC-2026-0001"].stakeholders]


def test_customers_of_the_slo_that_is_named_have_to_know():
    """Outside and inside; an incident of the same service that names no SLO says nothing of its customers."""
    assert stakeholders(slo="checkout") == [("shoppers", "customer", True), ("payments", "customer", False)]
    assert stakeholders() == []
    assert stakeholders(slo="unheard-of") == []
