"""The rules and people of a shop, as pictures and pages show them."""

from datetime import UTC, datetime

from rules.loading.rule_set import SourceFile, load_rule_set
from rules.model import RuleSet

NOW = datetime(2026, 11, 3, 3, 11, 20, tzinfo=UTC)
RULES = """
defaults: {identity: [service]}
slos:
- {id: checkout-orders, service: checkout, objective: 99.9, window: 30d, error_ratio: 'avg_over_time(shop[$window])'}
- {id: search-answers, service: search, objective: 99.5, window: 30d, error_ratio: 'avg_over_time(search[$window])'}
- {id: ledger-writes, service: ledger, objective: 99.99, window: 30d, error_ratio: 'avg_over_time(ledger[$window])'}
rules:
- id: error-budget-burn
  criterion: slo_breach
  match: 'alertname="ErrorBudgetBurn"'
  title: 'Checkout answers 500 to every third customer'
  summary: 'About one payment in three fails; customers see an error page and try again.'
  tiers:
  - {when: {match: 'burn="fast"'}, declare: SEV1}
  - {when: {match: 'burn="slow"', firing_for: 15m}, declare: SEV2}
- id: customer-visible
  criterion: customer_visible
  match: 'customer_facing="true"'
  declare: SEV2
  summary: '{{ annotations.summary }}'
- id: disk-fills
  match: 'alertname="DiskFillsSoon"'
  when: {firing_for: 10m}
  declare: SEV3
- id: nodes-down
  criterion: alert_storm
  match: 'alertname="NodeDown"'
  identity: [cluster]
  when: {count: {gte: 3, within: 10m}}
  declare: SEV2
- id: slow-queries
  criterion: customer_visible
  match: 'alertname="SlowQueries"'
  mode: shadow
  declare: SEV3
"""
ONCALL = """
people:
  amira: {name: Amira Haddad, timezone: Europe/Berlin, channels: [phone]}
  bo: {name: Bo Lindqvist, timezone: Europe/Stockholm, channels: [phone, mail]}
  chidi: {name: Chidi Okafor, timezone: Europe/London, channels: [phone]}
  dana: {name: Dana Kowalska, timezone: Europe/Warsaw, channels: [phone, mail]}
channels:
  phone: {pagerduty: {routing_key: 0123456789abcdef0123456789abcdef}}
  mail: {webhook: {url: "https://mail.example/pages"}}
rotations:
  commanders:
    timezone: Europe/Berlin
    handoff: {every: 1w, weekday: monday, at: "10:00", starting: 2026-01-05}
    order: [amira, bo, chidi]
  payments:
    timezone: Europe/Berlin
    handoff: {every: 1d, at: "10:00", starting: 2026-01-05}
    order: [dana, chidi]
roles:
  incident_commander: {rotation: commanders}
  engineer_in_charge: {rotation: payments}
paging:
  default:
    steps:
    - {page: incident_commander, acknowledge_within: 5m}
    - {page: rotation:commanders+1, acknowledge_within: 5m}
audiences:
  customers: {channels: [mail], kind: customers}
  management: {channels: [mail], kind: internal}
"""


def rules_in_force() -> RuleSet:
    """Return the rules and people of the shop."""
    files = [SourceFile(name="rules.d/shop.yml", text=RULES), SourceFile(name="rules.d/oncall.yml", text=ONCALL)]
    loaded = load_rule_set(files, now=NOW)
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    return loaded.rule_set
