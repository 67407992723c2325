"""`count`, `distinct` and `flaps` count exactly what was there within the window, to the second."""

from datetime import timedelta

from builders import NOW


def at(minute: float):
    return NOW + timedelta(minutes=minute)


REGIONS = """
rules:
- id: regions
  match: 'alertname="Down"'
  identity: [service]
  when: {distinct: {label: region, gte: 2, within: 5m}}
  declare: SEV2
"""
FLAPS = """
rules:
- id: flapping
  match: 'alertname="Down"'
  identity: [service]
  when: {flaps: {gte: 4, within: 20m}}
  declare: SEV3
"""


def test_distinct_counts_values_and_not_alerts(play):
    """Ten alerts of one region are one value; the first of another region declares, and all belong to it."""
    stage = play(REGIONS)
    for node in range(10):
        stage.fires(0, service="db", region="eu", node=str(node))
    assert stage.incidents == []
    stage.fires(1, service="db", region="us")
    assert stage.only.rule == "regions"
    assert stage.simulation.store.tally("INC-2026-0001").firing == 11


def test_distinct_keeps_identities_apart(play):
    """A second region of another service is another matter."""
    stage = play(REGIONS)
    stage.fires(0, service="db", region="eu")
    stage.fires(0, service="web", region="us")
    assert stage.incidents == []


def test_distinct_counts_a_value_for_as_long_as_the_window_after_its_last_alert(play):
    """A region counts until five minutes after the last of its alerts has ended, and no second longer."""
    for late, incidents in ((5.0, 1), (5.02, 0)):
        stage = play(REGIONS)
        stage.fires(0, service="db", region="eu", node="1")
        stage.fires(0, service="db", region="eu", node="2")
        stage.ends(10, service="db", region="eu", node="1")
        stage.ends(12, service="db", region="eu", node="2")
        stage.fires(12 + late, service="db", region="us")
        assert len(stage.incidents) == incidents


def test_distinct_goes_by_the_latest_end_and_not_by_the_last_delivery(play):
    """An end that is told late does not shorten how long its value counts."""
    stage = play(REGIONS)
    stage.fires(0, service="db", region="eu", node="1")
    stage.fires(0, service="db", region="eu", node="2")
    stage.ends(10, service="db", region="eu", node="1")
    stage.ends(6, service="db", region="eu", node="2")  # received at 10 as well, for the clock only goes on
    stage.fires(14, service="db", region="us")
    assert len(stage.incidents) == 1


def test_distinct_leaves_out_alerts_without_the_label(play):
    """A label that is missing is no value."""
    stage = play(REGIONS)
    stage.fires(0, service="db", region="eu")
    stage.fires(0, service="db", node="1")
    assert stage.incidents == []


def test_distinct_of_actions(play):
    """Three kinds of actions on a service within an hour are a sign that nothing helps."""
    rules = """
rules:
- id: nothing-helps
  on: action
  identity: [service]
  when: {distinct: {label: kind, gte: 3, within: 1h}}
  declare: SEV3
"""
    stage = play(rules)
    for minute, kind in ((0, "restart"), (10, "rollback"), (20, "restart")):
        stage.acts(minute, kind)
    assert stage.incidents == []
    stage.acts(30, "failover")
    assert stage.only.rule == "nothing-helps"


def test_flaps_counts_changes_of_the_same_alert(play):
    """Firing for the first time is no change; each end and each new beginning is one."""
    stage = play(FLAPS)
    stage.fires(0, service="db")
    for minute in (2, 4):
        stage.ends(minute, service="db")
        assert stage.incidents == []
        stage.fires(minute + 1, service="db")
    assert stage.only.rule == "flapping"


def test_flaps_forgets_what_the_window_has_passed(play):
    """Four changes that do not lie within the window are no flapping; a storm of different alerts is none either."""
    stage = play(FLAPS)
    for minute in (0, 20, 40):
        stage.fires(minute, service="db")
        stage.ends(minute + 10, service="db")
    for node in range(8):
        stage.fires(100, service="db", node=str(node))
    assert stage.incidents == []


def test_count_under_none_is_looked_at_in_the_very_instant(play):
    """What holds only while few alerts fire declares when the window has passed the last one too many."""
    rules = """
rules:
- id: lonely
  match: 'alertname="Down"'
  identity: [service]
  when: {firing_for: 1m, none: [{count: {gte: 3, within: 10m}}]}
  declare: SEV3
"""
    stage = play(rules)
    for node in "123":
        stage.fires(0, service="db", node=node)
    stage.ends(2, service="db", node="1")
    stage.until(12)
    assert stage.incidents == []
    stage.until(12.001)
    assert stage.only.declared_at == at(12) + timedelta(milliseconds=1)
