"""Playing: the past through the code of production, with what people are assumed to have done."""

from datetime import UTC, datetime, timedelta

import pytest

from incidents.values import Severity
from rules.backtest.compare import compare
from rules.backtest.history import Episode, arrivals_of
from rules.backtest.play import Assumed, play
from rules.backtest.tell import as_json, comparison_lines, summary_lines

START = datetime(2026, 11, 2, tzinfo=UTC)
END = START + timedelta(days=2)

PEOPLE = """
people:
  amira: {timezone: Asia/Tokyo, channels: [{console: {}}]}
  bo: {channels: [{console: {}}]}
rotations:
  commanders: {timezone: UTC, handoff: {every: 1w, weekday: monday, at: "10:00", starting: 2026-01-05}, order: [amira]}
roles: {incident_commander: {rotation: commanders}}
paging: {default: {steps: [{page: incident_commander, acknowledge_within: 5m}, {page: bo}]}}
"""
RULES = """
rules:
- {id: critical, match: 'severity="critical"', when: {firing_for: 5m}, declare: SEV2}
- {id: loss, criterion: data_issue, match: 'data_issue="loss"', declare: SEV1}
- {id: idle, match: 'severity="none"', declare: SEV4}
"""


def episode(minute: float, lasts: float | None, **labels: str) -> Episode:
    """Return an alert that fires from a minute on for so many minutes."""
    begins = START + timedelta(minutes=minute)
    return Episode(labels, begins, None if lasts is None else begins + timedelta(minutes=lasts))


@pytest.fixture
def played(rule_set_of):
    """Play episodes through rules."""

    def play_them(*episodes: Episode, rules: str = RULES, assumed: Assumed | None = None):
        rule_set = rule_set_of(PEOPLE + rules)
        history = arrivals_of(episodes)
        return play(rule_set, history, since=START, until=END, assumed=assumed, beats_go_on=True)

    return play_them


def test_play_declares_what_production_would(played):
    """An alert that fires long enough is an incident, a shorter one is none."""
    outcome = played(
        episode(0, 20, severity="critical", service="db"), episode(0, 3, severity="critical", service="mail")
    )
    assert [(each.rule, each.severity, each.identity) for each in outcome.incidents] == [
        ("critical", Severity.SEV2, {"service": "db"})
    ]
    assert outcome.incidents[0].declared_at == START + timedelta(minutes=5)
    assert outcome.incidents[0].ended_at == START + timedelta(minutes=35)
    assert (outcome.events, outcome.alerts, outcome.alerts_without_incident) == (4, 2, 1)


def test_play_takes_people_to_acknowledge(played):
    """Whoever is paged acknowledges before the next step is due, so one incident is one page."""
    outcome = played(episode(0, 600, severity="critical", service="db"))
    assert [(page.person, page.reason) for page in outcome.pages] == [("amira", "declared")]


def test_play_escalates_where_people_are_slow(played):
    """With slower people the next step pages too."""
    outcome = played(
        episode(0, 600, severity="critical", service="db"),
        assumed=Assumed(acknowledged_after=timedelta(minutes=7)),
    )
    assert [page.person for page in outcome.pages] == ["amira", "bo"]


def test_play_counts_nights_by_the_clock_of_the_paged_person(played):
    """What is noon in UTC is night in Tokyo."""
    outcome = played(episode(14 * 60, 60, severity="critical", service="db"))
    assert [(page.local.hour, page.at_night) for page in outcome.pages] == [(23, True)]
    assert outcome.night_pages == 1


def test_play_resolves_by_hand_what_only_people_resolve(played):
    """A data issue is held until a person resolves it: an hour after its alerts ended; so a later one is another."""
    outcome = played(episode(0, 10, data_issue="loss", service="db"), episode(600, 10, data_issue="loss", service="db"))
    assert [each.ended_at for each in outcome.incidents] == [
        START + timedelta(minutes=70),
        START + timedelta(minutes=670),
    ]


def test_play_knows_the_load_of_each_rule(played):
    """Rules are listed by their pages, and those that never held by themselves."""
    outcome = played(
        episode(0, 20, severity="critical", service="db"), episode(60, 20, severity="critical", service="mail")
    )
    assert [(load.rule, load.incidents, load.pages) for load in outcome.busy_rules] == [("critical", 2, 2)]
    assert outcome.idle_rules == ("idle", "loss")


def test_play_hears_a_heartbeat_until_its_alert_ends(played):
    """A heartbeat that `ALERTS` shows goes on by itself, and is silent once it ended."""
    rules = """
rules: [{id: lost, criterion: signal_lost, on: heartbeat, when: {absent_for: 5m}, declare: SEV1}]
heartbeats: [{id: eu, match: 'alertname="Watchdog"', expect_every: 1m}]
"""
    outcome = played(episode(0, 300, alertname="Watchdog", service="monitoring"), rules=rules)
    assert [each.declared_at for each in outcome.incidents] == [START + timedelta(minutes=305)]


def test_compare_tells_missed_from_removed(played):
    """What no alert declares any more is missed; what another incident holds is removed."""
    here = """
rules:
- {id: critical, match: 'severity="critical"', identity: [cluster], declare: SEV1}
"""
    there = """
rules:
- {id: critical, match: 'severity="critical"', declare: SEV2}
- {id: warning, match: 'severity="warning"', declare: SEV3}
"""
    past = [
        episode(0, 20, severity="critical", service="db", cluster="eu"),
        episode(0, 20, severity="warning", service="mail", cluster="eu"),
    ]
    outcome = played(*past, rules=here)
    comparison = compare(outcome, played(*past, rules=there))
    assert [each.rule for each in comparison.added] == ["critical"]
    assert [each.rule for each in comparison.removed] == ["critical"]
    assert [each.rule for each in comparison.missed] == ["warning"]
    assert comparison.pages == -1
    told = comparison_lines(comparison)
    assert "warning" in told[told.index("  1 missed: no alert of these makes an incident any more") + 1]


def test_compare_pairs_the_same_incidents(played):
    """The same identity at the same time is the same incident, of another severity perhaps."""
    past = [episode(0, 20, severity="critical", service="db"), episode(600, 20, severity="critical", service="db")]
    graver = RULES.replace("declare: SEV2", "declare: SEV1")
    comparison = compare(played(*past, rules=graver), played(*past))
    assert (comparison.added, comparison.removed, comparison.missed) == ((), (), ())
    assert [(pair.there.severity, pair.here.severity) for pair in comparison.severity_changed] == [("SEV2", "SEV1")] * 2


def test_tell_gives_the_figures(played):
    """The words and the JSON say the same."""
    outcome = played(episode(0, 20, severity="critical", service="db"))
    assert summary_lines(outcome)[1] == "1 incident (1 SEV2)"
    told = as_json(outcome, None)
    assert (len(told["pages"]), told["night_pages"], told["by_severity"]["SEV2"]) == (1, 0, 1)


BACKUP = """
rules:
- {id: critical, match: 'severity="critical"', declare: SEV3}
- {id: drags-on, on: incident, criterion: time_spent, when: {open_for: 2h}, page: backup}
paging:
  default: {steps: [{page: incident_commander, acknowledge_within: 5m}]}
  backup: {steps: [{page: bo, acknowledge_within: 5m}]}
"""


def test_play_counts_a_page_for_the_rule_that_caused_it(rule_set_of):
    """Who calls for backup pages, though another rule declared the incident."""
    people = PEOPLE.partition("paging:")[0]
    history = arrivals_of([episode(0, 300, severity="critical", service="db")])
    outcome = play(rule_set_of(people + BACKUP), history, since=START, until=END, beats_go_on=True)
    assert [(page.rule, page.person, page.reason) for page in outcome.pages] == [
        ("critical", "amira", "declared"),
        ("drags-on", "bo", "backup"),
    ]


def test_play_says_when_the_past_begins_late(played):
    """A Prometheus that remembers half of the time halves the pages a day, so that is said."""
    late = played(episode(1600, 20, severity="critical", service="db"))
    assert "the first came 2026-11-03: what is remembered may begin there" in summary_lines(late)[0]
    assert played(episode(5, 20, severity="critical", service="db")).begins_late is None
