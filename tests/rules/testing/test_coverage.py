"""Coverage: rules, tiers and matchers, both ways."""


def missing(report) -> dict[str, tuple[str, ...]]:
    return {rule.rule: rule.missing for rule in report.coverage.rules if rule.missing}


def file_of(*events: str) -> str:
    return f"tests: [{{name: a, events: [{', '.join(events)}], expect: [{{at: 2h, timeline: []}}]}}]"


def test_coverage_of_nothing_lists_everything(run):
    """Without events nothing was seen, but rules that are switched off are not asked for."""
    rules = """
rules:
- {id: a, match: 'x="1"', declare: SEV1}
- {id: b, match: 'x="2"', declare: SEV1, mode: off}
"""
    report = run(file_of(), rules)
    expected = ("nothing matched it", 'x="1" was never true', 'x="1" was never false', "tier 1 never held")
    assert missing(report) == {"a": expected}
    assert report.coverage.percent == 0


def test_coverage_sees_matchers_both_ways(run):
    """An alert that matches and one that does not."""
    rules = """rules: [{id: a, match: 'x="1"', declare: SEV1}]"""
    one, other = "{at: 0m, firing: {x: '1'}}", "{at: 0m, firing: {x: '2'}}"
    assert missing(run(file_of(one), rules)) == {"a": ('x="1" was never false',)}
    assert run(file_of(one, other), rules).coverage.percent == 100


def test_coverage_sees_tiers_and_their_matchers_both_ways(run):
    """A tier that held and did not; a matcher within its condition counts by itself."""
    rules = """
rules:
- id: a
  tiers:
  - {when: {match: 'x="1"', firing_for: 5m}, declare: SEV1}
  - {declare: SEV2}
"""
    one, other = "{at: 0m, firing: {x: '1'}}", "{at: 0m, firing: {x: '2', y: z}}"
    assert missing(run(file_of(other), rules)) == {"a": ("tier 1 never held", 'tier 1: x="1" was never true')}
    assert missing(run(file_of(one, other), rules)) == {}


def test_coverage_sees_actions_and_heartbeats(run):
    """Rules on actions and heartbeats are covered by their own events."""
    rules = """
heartbeats: [{id: eu, match: 'alertname="Watchdog"', expect_every: 1m}]
rules:
- {id: rollbacks, on: action, match: 'kind="rollback"', declare: SEV3}
- {id: blind, on: heartbeat, match: 'heartbeat="eu"', when: {absent_for: 5m}, declare: SEV2}
"""
    acts = [f"{{at: 1m, action: {kind}, service: db, by: bo}}" for kind in ("rollback", "restart")]
    report = run(file_of(*acts, "{at: 1m, heartbeat_silent: eu}"), rules)
    assert missing(report)["blind"][0] == 'heartbeat="eu" was never false'
    assert "rollbacks" not in missing(report)


def test_coverage_sees_incidents(run):
    """A rule on incidents is covered by the incidents that there were."""
    rules = """
rules:
- {id: a, match: 'x="1"', declare: SEV3}
- {id: b, match: 'x="2"', declare: SEV4}
- {id: old, on: incident, match: 'severity="SEV3"', when: {open_for: 1h}, escalate_by: 1}
"""
    both = ("{at: 0m, firing: {x: '1', service: db}}", "{at: 0m, firing: {x: '2', service: web}}")
    assert missing(run(file_of(*both), rules)) == {}
