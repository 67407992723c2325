"""Facts decided under a virtual clock: SLOs without alerts, measured conditions and objectives, budgets burnt."""

from datetime import timedelta

import pytest
from builders import NOW, rule_set

from incidents import events
from incidents.clock import to_ms
from incidents.facts import Fact, fact_id
from incidents.incoming import Incoming
from incidents.values import IncidentStatus
from rules.deciding.work import Received
from rules.simulation.events import Told, arrival
from rules.simulation.simulation import Simulation

SLO = """
slos:
- {id: checkout, service: checkout, objective: 99.9, window: 30d,
   error_ratio: 'sum(rate(e[$window])) / sum(rate(t[$window]))'}
"""
OFF = SLO.replace("window: 30d,", "window: 30d, burn_alerts: off,")
MINUTE = timedelta(minutes=1)
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")


class Play:
    """A simulation that Prometheus tells of ratios of errors."""

    def __init__(self, rules: str) -> None:
        self.simulation = Simulation(rule_set(rules), NOW)

    def tell(self, minutes: float, **ratios: float | str) -> None:
        """Give facts as of a minute: windows (`w1h=0.02`) in one delivery; a text is why there is none."""
        at = NOW + minutes * MINUTE
        received = [self._fact(at, self.promql(name.removeprefix("w")), value) for name, value in ratios.items()]
        self.simulation.feed_batch(received)

    def tell_query(self, minutes: float, promql: str, value: float | str) -> None:
        self.simulation.feed(self._fact(NOW + minutes * MINUTE, promql, value))

    def promql(self, window: str) -> str:
        return f"sum(rate(e[{window}])) / sum(rate(t[{window}]))"

    def _fact(self, at, promql: str, value: float | str) -> Received:
        number = value if isinstance(value, float | int) else None
        why = value if isinstance(value, str) else ""
        fact = Fact(id=fact_id(promql), at=at, value=number, why=why, answered=not why.startswith("away"))
        return Received("tocsin", Incoming(fact=fact), at, to_ms(at))

    def all(self, minutes: float, ratio: float) -> None:
        """Tell the same ratio over every window."""
        self.tell(minutes, **{f"w{window}": ratio for window in WINDOWS})

    @property
    def incidents(self):
        return list(self.simulation.store.incidents.values())

    def kinds(self) -> list[str]:
        return [entry.kind.value for entry in self.simulation.store.timelines[self.incidents[0].id]]


def test_slo_that_burns_is_declared_without_any_alert():
    """Over both windows fourteen times too fast: SEV2, for service and SLO, with the numbers in the reason."""
    play = Play(SLO)
    play.tell(0, w5m=0.02, w1h=0.02)
    (incident,) = play.incidents
    assert (incident.severity, incident.rule) == ("SEV2", "slo-burn.checkout")
    assert incident.identity == {"service": "checkout", "slo": "checkout"}
    assert incident.title == "checkout: the error budget burns over 14.4 times too fast"
    assert incident.slos == ("checkout",)
    declared = play.simulation.store.timelines[incident.id][0]
    assert "burn_rate 20, wanted >= 14.4 over 1h" in declared.data["reason"]
    assert [page.page.person for page in play.simulation.sent] == ["amira"]


def test_slo_that_burns_over_one_window_only_is_no_incident():
    """The long window matters, and the short one says that it still goes on."""
    play = Play(SLO)
    play.tell(0, w5m=0.0001, w1h=0.02)
    assert play.incidents == []


def test_slo_that_burns_faster_makes_its_incident_graver():
    """Slow burn is SEV3; the same SLO burning fast raises that incident and pages again."""
    play = Play(SLO)
    play.tell(0, w5m=0.0, w30m=0.0, w1h=0.0, w2h=0.004, w6h=0.0, w1d=0.004, w3d=0.0)
    assert [incident.severity for incident in play.incidents] == ["SEV3"]
    play.tell(1, w5m=0.05, w1h=0.05)
    assert [incident.severity for incident in play.incidents] == ["SEV2"]
    assert len(play.simulation.sent) == 2


def test_slo_that_burns_no_more_resolves_and_reopens():
    """The alert of our own ends, its objectives are met, 15 minutes pass; burning again reopens it."""
    play = Play(SLO)
    play.all(0, 0.02)
    play.all(5, 0.0001)
    assert play.incidents[0].is_open
    assert play.simulation.store.tally(play.incidents[0].id).firing == 0
    play.all(19, 0.0001)
    assert play.incidents[0].is_open
    play.all(21, 0.0001)
    assert play.incidents[0].status is IncidentStatus.RESOLVED
    assert "objective_met" in play.kinds()
    play.all(30, 0.02)
    assert len(play.incidents) == 1
    assert play.incidents[0].is_open


def test_slo_that_was_dismissed_is_not_declared_again_while_it_goes_on():
    """People said no; only what is graver than that speaks again."""
    play = Play(SLO)
    play.tell(0, w2h=0.004, w1d=0.004, w5m=0.0, w1h=0.0, w30m=0.0, w6h=0.0, w3d=0.0)
    play.simulation.feed(Told(play.incidents[0].id, events.Dismiss(actor="bo", reason="planned")))
    for minute in range(1, 120):
        play.tell(minute, w2h=0.004, w1d=0.004)
    assert len(play.incidents) == 1
    play.tell(121, w5m=0.05, w1h=0.05)
    assert [incident.severity for incident in play.incidents] == ["SEV3", "SEV2"]


def test_slo_whose_facts_are_stale_is_unknown_and_stays_as_it_is():
    """Prometheus away is neither yes nor no: the incident stays open, whatever time passes."""
    play = Play(SLO)
    play.all(0, 0.02)
    play.tell(30, w5m="away: connection refused")
    assert play.incidents[0].is_open
    play.simulation.advance_to(NOW + timedelta(hours=5))
    assert play.incidents[0].is_open
    assert play.simulation.store.counters["rule_decisions_total|slo-burn.checkout|unknown"] >= 1


def test_facts_are_counted_once_each():
    """Every fact is one event, and one that was processed."""
    play = Play(SLO)
    play.all(0, 0.0001)
    assert play.simulation.store.counters["events_total|processed"] == len(WINDOWS)
    assert play.simulation.store.counters["rule_decisions_total|slo-burn.checkout|fails"] == 1


ALERT = (
    OFF
    + """
rules:
- id: burning
  match: 'alertname="Errors"'
  when: {burn_rate: {slo: "{{ labels.slo }}", over: 6h, gte: 6}}
  declare: SEV3
"""
)


def test_alert_waits_for_a_fact_and_asks_for_it():
    """The question is asked from then on, the alert is looked at again by itself, and the fact decides."""
    play = Play(ALERT)
    play.simulation.feed(arrival({"alertname": "Errors", "slo": "checkout", "service": "web"}, NOW))
    assert play.incidents == []
    assert list(play.simulation.store.wanted) == [play.promql("6h")]
    play.tell(0.1, w6h=0.02)
    play.simulation.advance_to(NOW + 1 * MINUTE)
    assert [incident.rule for incident in play.incidents] == ["burning"]


def test_alert_about_an_unknown_slo_is_unknown_with_the_reason():
    """Nothing is guessed where the label names no SLO that there is."""
    heard = []
    simulation = Simulation(rule_set(ALERT), NOW, watch=lambda _hit, verdict, _now: heard.append(verdict))
    simulation.feed(arrival({"alertname": "Errors", "slo": "nope"}, NOW))
    assert heard[0].outcome == "unknown"
    assert "there is no SLO 'nope'" in heard[0].reason


QUERY = """
rules:
- id: stuck
  match: 'alertname="Stuck"'
  when: {query: {promql: 'sum(rate(orders{region="{{ labels.region }}"}[5m]))', gt: 0}}
  declare: SEV3
"""


def test_query_with_labels_is_wanted_and_labels_are_data():
    """What a label holds never becomes PromQL."""
    play = Play(QUERY)
    play.simulation.feed(arrival({"alertname": "Stuck", "region": 'eu"} or vector(1) #'}, NOW))
    (wanted,) = play.simulation.store.wanted
    assert wanted == 'sum(rate(orders{region="eu\\"} or vector(1) #"}[5m]))'
    play.tell_query(0.1, wanted, 3.0)
    play.simulation.advance_to(NOW + MINUTE)
    assert len(play.incidents) == 1


OBJECTIVES = (
    OFF
    + """
rules:
- id: down
  match: 'alertname="Down"'
  declare: SEV2
  objectives:
  - {id: calm, text: Burns slowly, burn_rate: {slo: "{{ labels.slo }}", over: 30m, lte: 1}}
  - {id: left, budget_remaining: {slo: checkout, gte: 10%}}
"""
)


def test_objectives_are_measured_as_facts_come_in():
    """Each is met or unmet on the timeline; when all are met the incident resolves."""
    play = Play(OBJECTIVES)
    play.simulation.feed(arrival({"alertname": "Down", "slo": "checkout", "service": "checkout"}, NOW))
    assert play.incidents[0].objectives[0].params == {"slo": "checkout", "compare": "lte", "over": "30m", "limit": 1.0}
    play.tell(1, w30m=0.0005)
    assert play.kinds()[-1] == "objective_met"
    play.tell(2, w30m=0.02)
    assert play.kinds()[-1] == "objective_unmet"
    play.tell(3, w30m="Prometheus gave no data")
    assert play.incidents[0].is_open
    play.tell(4, w30m=0.0, w30d=0.0005)
    assert play.incidents[0].status is IncidentStatus.RESOLVED


def test_budget_that_an_incident_burnt_is_kept():
    """The ratio over its time, times its minutes, beside the minutes of the whole budget."""
    play = Play(SLO)
    play.all(0, 0.02)
    play.simulation.advance_to(NOW + 30 * MINUTE)
    play.simulation.feed(Told(play.incidents[0].id, events.Resolve(actor="bo", override="over")))
    incident = play.incidents[0]
    assert play.simulation.store.awaiting == {incident.id}
    at = NOW + 31 * MINUTE
    fact = Fact(id="x", at=incident.resolved_at, value=0.04, incident=incident.id, slo="checkout")
    play.simulation.feed(Received("tocsin", Incoming(fact=fact), at, to_ms(at)))
    (burnt,) = play.incidents[0].burnt
    assert (burnt.minutes, burnt.of_minutes) == (pytest.approx(1.2), pytest.approx(43.2))
    assert play.simulation.store.awaiting == set()


def test_rule_without_match_on_an_slo_waits_for_no_alert():
    """What is asked of Prometheus alone is looked at when it tells, and takes no alert."""
    rules = OFF + "rules: [{id: low, when: {budget_remaining: {slo: checkout, lte: 25%}}, declare: SEV3}]"
    play = Play(rules)
    play.simulation.feed(arrival({"alertname": "Other", "service": "x"}, NOW))
    play.tell(1, w30d=0.0008)
    assert [(each.rule, each.identity) for each in play.incidents] == [("low", {"service": "checkout"})]
