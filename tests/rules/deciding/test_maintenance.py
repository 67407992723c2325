"""Maintenance in deciding and paging, under a virtual clock: held, shown, counted, and paged at its end."""

from datetime import timedelta

from builders import CRITICAL, NOW, ONCALL, rule_set

from incidents import events
from incidents.maintenance import Maintenance
from incidents.values import AlertStatus
from rules.simulation.events import Told, arrival
from rules.simulation.simulation import Simulation

MINUTE = timedelta(minutes=1)
NAME = "INC-2026-0001"
DISK = {"alertname": "DiskFull", "severity": "critical", "service": "db", "instance": "a"}
OTHER = DISK | {"instance": "b"}


def planned(match: str = 'instance="a"', minutes: float = 60, start: float = -10, name: str = "upgrade") -> str:
    begins, ends = NOW + start * MINUTE, NOW + minutes * MINUTE
    return f'- {{id: {name}, match: \'{match}\', from: "{begins.isoformat()}", until: "{ends.isoformat()}"}}\n'


def simulation(*maintenance: str, rules: str = CRITICAL) -> Simulation:
    return Simulation(rule_set(rules + "\nmaintenance:\n" + "".join(maintenance), ONCALL), NOW)


def paged(made: Simulation) -> list[tuple]:
    return [
        ((each.at - NOW) / MINUTE, each.page.person, each.page.reason.value) for each in made.sent if not each.page.over
    ]


def kinds(made: Simulation) -> list[str]:
    return [entry.kind.value for entry in made.store.timelines[NAME]]


def test_maintenance_holds_the_page_until_its_end():
    """It is declared and said at once; the end is reminded of, and then pages what still fires, step by step."""
    made = simulation(planned())
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 59 * MINUTE)
    assert paged(made) == []
    assert kinds(made).count("page_suppressed") == 1
    assert kinds(made).count("reminder") == 1
    assert made.store.counters["pages_suppressed_total|maintenance"] == 1
    made.advance_to(NOW + 66 * MINUTE)
    assert paged(made) == [(60, "amira", "declared"), (65, "bo", "unacknowledged")]


def test_maintenance_pages_an_alert_outside_of_it():
    """A second alert of the same incident that nothing holds pages at once."""
    made = simulation(planned())
    made.feed(arrival(DISK, NOW))
    made.feed(arrival(OTHER, NOW + 5 * MINUTE))
    made.advance_to(NOW + 6 * MINUTE)
    assert paged(made) == [(5, "amira", "declared")]
    made.feed(Told(NAME, events.Acknowledge(actor="amira")))
    made.advance_to(NOW + 120 * MINUTE)
    assert len(paged(made)) == 1


def test_maintenance_never_holds_a_data_issue():
    """Data that is lost is paged in the midst of maintenance, also where the incident was held for another rule."""
    loss = "rules:\n- {id: loss, match: 'loss=\"yes\"', criterion: data_issue, declare: SEV2}\n"
    made = simulation(planned(), rules=CRITICAL.replace("rules:\n", loss))
    made.feed(arrival(DISK, NOW))
    made.feed(arrival(DISK | {"alertname": "Loss", "loss": "yes", "severity": "none"}, NOW + MINUTE))
    made.advance_to(NOW + 2 * MINUTE)
    assert [minute for minute, *_ in paged(made)] == [1]


def test_maintenance_that_ends_while_nothing_fires_pages_with_the_next_alert():
    """Nobody is woken for what is quiet, and nobody misses it when it fires again."""
    objectives = "objectives: [{id: seen, text: Seen, manual: true}]"
    held = f"rules:\n- {{id: critical, match: 'severity=\"critical\"', declare: SEV2, {objectives}}}\n"
    made = simulation(planned(), rules=held)
    made.feed(arrival(DISK, NOW))
    made.feed(arrival(DISK, NOW + 5 * MINUTE, status=AlertStatus.RESOLVED))
    made.advance_to(NOW + 70 * MINUTE)
    assert paged(made) == []
    made.feed(arrival(DISK, NOW + 80 * MINUTE))
    made.advance_to(NOW + 81 * MINUTE)
    assert [minute for minute, *_ in paged(made)] == [80]


def test_maintenance_that_overlaps_counts_as_one():
    """It pages at the end of the last that follows without a break."""
    made = simulation(planned(), planned(minutes=90, start=30, name="second"), planned(minutes=120, start=90, name="c"))
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 121 * MINUTE)
    assert [minute for minute, *_ in paged(made)] == [120]


def test_maintenance_ended_early_pages_at_once():
    """What is ended by hand holds no longer; another one that is in force goes on."""
    made = simulation(planned(), planned(minutes=30, name="second"))
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 10 * MINUTE)
    made.feed(Told(NAME, events.HoldChanged(ended="upgrade", actor="bo")))
    assert paged(made) == []
    made.advance_to(NOW + 31 * MINUTE)
    assert [minute for minute, *_ in paged(made)] == [30]


def test_maintenance_acknowledged_pages_nobody():
    """Whoever is on it already is not called at the end."""
    made = simulation(planned())
    made.feed(arrival(DISK, NOW))
    made.feed(Told(NAME, events.Acknowledge(actor="bo")))
    made.advance_to(NOW + 120 * MINUTE)
    assert paged(made) == []


def test_maintenance_leaves_a_paging_under_way_alone():
    """A graver finding in maintenance is written down, and the steps go on."""
    graver = CRITICAL + "- {id: grave, match: 'instance=\"a\"', declare: SEV1}\n"
    made = simulation(planned(), rules=graver)
    made.feed(arrival(OTHER, NOW))
    made.feed(arrival(DISK, NOW + 2 * MINUTE))
    made.advance_to(NOW + 6 * MINUTE)
    assert paged(made) == [(0, "amira", "declared"), (5, "bo", "unacknowledged")]
    assert "page_suppressed" in kinds(made)


def test_maintenance_of_the_api_holds_too():
    """What the store has is as good as what the files say."""
    made = Simulation(rule_set(CRITICAL, ONCALL), NOW)
    until = NOW + 30 * MINUTE
    made.store.maintenance["x"] = Maintenance(id="x", match='service="db"', start=NOW, until=until)
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 31 * MINUTE)
    assert [minute for minute, *_ in paged(made)] == [30]


def test_maintenance_weekly_is_on_the_clock_of_its_zone():
    """09:00 UTC on a Monday in January is 10:00 in Berlin."""
    weekly = 'weekly: {weekdays: [mon], from: "09:30", until: "10:30", timezone: Europe/Berlin}'
    made = simulation(f"- {{id: w, match: 'service=\"db\"', {weekly}}}\n")
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 31 * MINUTE)
    assert [minute for minute, *_ in paged(made)] == [30]


def test_maintenance_that_ends_outside_of_the_hours_of_the_policy_waits_for_them():
    """Hours are for what maintenance held, too."""
    hours = '  default:\n    hours: {from: "11:00", until: "17:00", timezone: UTC}\n'
    rules = rule_set(CRITICAL + "\nmaintenance:\n" + planned(), ONCALL.replace("  default:\n", hours))
    made = Simulation(rules, NOW)
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 121 * MINUTE)
    assert [each for each in paged(made) if each[0] >= 60] == [(120, "amira", "declared")]
