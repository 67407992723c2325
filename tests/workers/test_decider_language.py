"""The rule language over a real Valkey: windows, clocks and storms hold across deciders and restarts."""

from datetime import timedelta

from builders import NOW, alert, rule_set
from stage import Stage

from incidents import events, keys
from incidents.incoming import Incoming, Touch, TouchKind
from incidents.store.connection import Links
from incidents.store.incidents import Incidents
from incidents.values import AlertStatus

MINUTE = timedelta(minutes=1)


def stage_of(url: str, links: Links, rules: str) -> Stage:
    return Stage(url, links, rule_set(f"rules:\n{rules}"))


def test_windows_are_exact_across_deciders(store_url: str, links: Links):
    """Each event is decided by another worker: values and changes are counted as if there were one."""
    rules = """
- {id: regions, match: 'region!=""', when: {distinct: {label: region, gte: 3, within: 5m}}, declare: SEV2}
- {id: flaps, match: 'flappy="yes"', identity: [flappy], when: {flaps: {gte: 2, within: 20m}}, declare: SEV3}
"""
    stage = stage_of(store_url, links, rules)
    for number, region in enumerate(("eu", "us", "eu")):
        stage.post(alert(region=region, node=str(number)))
        stage.decide(stage.decider(f"host|{number}|a"))
    stage.now += 4 * MINUTE
    stage.post(alert(flappy="yes"))
    stage.decide()
    for status in ("resolved", "firing"):
        stage.now += MINUTE / 4
        times = {"starts_at": stage.now} if status == "firing" else {"ends_at": stage.now}
        assert stage.incidents() == []
        stage.post(alert(flappy="yes", status=status, **times))
        stage.decide(stage.decider(f"{status}|1|b"))
    stage.post(alert(region="ap"))
    stage.decide(stage.decider("last|1|c"))
    assert [incident.rule for incident in stage.incidents()] == ["flaps", "regions"]
    assert stage.balance()[0] == stage.balance()[1]


def test_windows_of_distinct_lapse(store_url: str, links: Links):
    """What no longer fires leaves nothing behind for ever."""
    rules = (
        "- {id: regions, match: 'region!=\"\"', when: {distinct: {label: region, gte: 3, within: 5m}}, declare: SEV2}\n"
    )
    stage = stage_of(store_url, links, rules)
    stage.post(alert(region="eu"))
    stage.decide()
    windows = stage.link.one("KEYS", "tocsin:window:*")
    assert len(windows) == 3
    assert {stage.link.one("PTTL", window) for window in windows} == {-1}
    stage.post(alert(region="eu", status="resolved", ends_at=stage.now))
    stage.decide()
    assert all(stage.link.one("PTTL", window) > 0 for window in windows)


def test_backup_is_called_by_a_timer_that_outlives_its_decider(store_url: str, links: Links):
    """The acknowledgement in PagerDuty starts a clock in the store; who decides then says how late."""
    rules = "- {id: took-too-long, criterion: time_spent, when: {worked_for: 45m}, declare: SEV3}\n"
    stage = stage_of(store_url, links, rules)
    fired = alert()
    stage.take(Incoming(alert=fired))
    stage.decide()
    stage.now += 5 * MINUTE
    acknowledged = Touch(fingerprint=fired.fingerprint, kind=TouchKind.ACKNOWLEDGED, actor="bo", text="bo is on it")
    stage.take(Incoming(touch=acknowledged))
    stage.decide()
    stage.now += 45 * MINUTE + timedelta(seconds=12)
    stage.decide(stage.decider("other|2|b"))
    (incident,) = stage.incidents()
    assert (incident.rule, incident.declared_at) == ("took-too-long", stage.now)
    assert stage.timeline(incident.id)[0].data["late_seconds"] == 12.0


def test_late_timers_run_in_the_order_of_their_times(store_url: str, links: Links):
    """After a long silence of all workers hundreds of timers run, the earliest first, each for its own identity."""
    rules = "- {id: critical, match: 'severity=\"critical\"', when: {firing_for: 5m}, declare: SEV3}\n"
    stage = stage_of(store_url, links, rules)
    count = 300
    for number in range(count):
        starts_at = NOW - timedelta(seconds=number % 100)
        stage.post(alert(service=f"s{number:03}", starts_at=starts_at))
    decider = stage.decider()
    while stage.balance()[1] < count:
        stage.decide(decider)
    stage.now += 60 * MINUTE
    while stage.balance()[1] < 2 * count:
        stage.decide(decider)
    services = [incident.identity["service"] for incident in stage.incidents()]
    assert len(services) == count
    first = stage.timeline("INC-2026-0001")[0]
    assert first.data["identity"]["service"] in {"s099", "s199", "s299"}
    assert 3500 > first.data["late_seconds"] > 3300
    assert stage.balance()[0] == stage.balance()[1]


def test_incident_that_a_person_changes_meets_the_rules(store_url: str, links: Links):
    """A command that the receiver committed by itself is looked at by the decider, by a timer that it left."""
    rules = """
- {id: critical, match: 'severity="critical"', declare: SEV3}
- {id: grave, on: incident, match: 'status="acknowledged"', stakeholders: [legal], escalate_by: 1}
"""
    stage = stage_of(store_url, links, rules)
    stage.post(alert())
    stage.decide()
    commands = Incidents(links, lambda _: stage.rules.oncall)
    commands.apply("INC-2026-0001", events.Acknowledge(actor="amira"), now=stage.now)
    stage.decide()
    (incident,) = stage.incidents()
    assert (incident.severity, [each.name for each in incident.stakeholders]) == ("SEV2", ["legal"])
    assert stage.balance()[0] == stage.balance()[1]


def test_rules_on_incidents_that_are_new_look_at_what_is_open(store_url: str, links: Links):
    """After a reload, or a restart, open incidents are held against rules that they have not met."""
    stage = stage_of(store_url, links, "- {id: critical, match: 'severity=\"critical\"', declare: SEV3}\n")
    stage.post(alert())
    stage.decide()
    stage.rules = rule_set("rules:\n- {id: late, on: incident, when: {open_for: 1h}, declare: SEV1}\n")
    stage.link.one("SET", keys.rules_current(), stage.rules.hash)
    decider = stage.decider("new|1|a")
    stage.decide(decider)
    stage.now += 60 * MINUTE
    stage.decide(decider)
    assert [incident.severity.value for incident in stage.incidents()] == ["SEV1"]


def test_storm_absorbs_and_gives_back_over_the_real_store(store_url: str, links: Links):
    """What a storm absorbed is judged anew when a person closes it, and what fires is an incident then."""
    rules = """
- {id: critical, match: 'severity="critical"', identity: [service], declare: SEV3}
- id: storm
  match: 'cluster!=""'
  identity: [cluster]
  when: {count: {gte: 3, within: 10m}}
  declare: SEV2
  absorb: {for: 30m}
"""
    stage = stage_of(store_url, links, rules)
    stage.post(*(alert(severity="", cluster="eu", node=node) for node in "123"))
    stage.decide()
    stage.post(*(alert(cluster="eu", service=f"s{number % 5}", node=str(number)) for number in range(50)))
    stage.decide()
    (storm,) = stage.incidents()
    assert stage.link.one("HGET", keys.tally(storm.id), "firing") == b"53"
    assert stage.kinds(storm.id).count("alert_fired") == 1
    assert stage.link.one("HLEN", keys.incidents_absorbing()) == 1
    commands = Incidents(links, lambda _: stage.rules.oncall)
    commands.apply(storm.id, events.Dismiss(actor="bo", reason="a drill"), now=stage.now)
    decider = stage.decider()
    for _ in range(3):
        stage.decide(decider)
    assert len(stage.incidents()) == 6
    assert stage.link.one("HLEN", keys.incidents_absorbing()) == 0
    fired = [state for state in stage.link.one("HVALS", keys.alerts()) if AlertStatus.FIRING.encode() in state]
    assert len(fired) == 53
    assert stage.balance()[0] == stage.balance()[1]
