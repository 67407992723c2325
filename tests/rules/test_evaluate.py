"""Evaluation: tiers from the top, three values, and when passing time alone would change the answer."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from incidents.incident import Incident
from incidents.values import Criterion, IncidentStatus, Severity
from rules.deciding.incidents import labels_of
from rules.evaluate import Outcome, State, evaluate, evaluate_safely
from rules.index import Matching
from rules.model import Subject
from rules.slos import Slo

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


class Known(NamedTuple):
    """What is known of the alert in a test."""

    fires: timedelta | None = timedelta(0)
    counted: int = 0
    touched: timedelta | None = None
    of_incident: Incident | None = None
    slos: Mapping[str, Slo] = {}

    @property
    def firing_since(self):
        return None if self.fires is None else NOW - self.fires

    @property
    def touched_at(self):
        return None if self.touched is None else NOW - self.touched

    @property
    def incident(self):
        return self.of_incident

    def count(self, within):
        return self.counted

    def distinct(self, label, within):
        return self.counted if label == "region" else 0

    def flaps(self, within):
        return self.counted

    def leaves(self, asked):
        return NOW + asked.within / 2 if self.counted < 9 else None

    def fact(self, name):
        return None

    def want(self, promql):
        pass


MINUTE = timedelta(minutes=1)


@pytest.fixture
def judge(rule_set_of):
    """Judge the only rule, given by its keys, for labels and facts."""

    def judged(keys, labels=None, *, fires=timedelta(0), counted=0, run=evaluate):
        rule_set = rule_set_of(f"rules:\n- id: a\n  match: 'on=1'\n{keys}")
        (hit,) = Matching(rule_set).match({"on": "1", **(labels or {})}).hits
        return run(hit, Known(fires, counted), NOW)

    return judged


SIMPLE = [
    # when, labels, fires, counted -> outcome, due in minutes
    ("{match: 'env=prod'}", {"env": "prod"}, 0, 0, "holds", None),
    ("{match: 'env=prod'}", {"env": "dev"}, 0, 0, "fails", None),
    ("{firing_for: 5m}", {}, 5, 0, "holds", None),
    ("{firing_for: 5m}", {}, 4, 0, "waits", 1),
    ("{firing_for: 5m}", {}, None, 0, "fails", None),
    ("{count: {gte: 3, within: 10m}}", {}, 0, 3, "holds", None),
    ("{count: {gte: 3, within: 10m}}", {}, 0, 2, "fails", None),
    ("{query: {promql: up, gte: 1}}", {}, 0, 0, "unknown", None),
    ("{worked_for: 45m}", {}, 0, 0, "fails", None),
    ("{distinct: {label: region, gte: 2, within: 5m}}", {}, 0, 2, "holds", None),
    ("{distinct: {label: zone, gte: 2, within: 5m}}", {}, 0, 2, "fails", None),
    ("{flaps: {gte: 6, within: 20m}}", {}, 0, 6, "holds", None),
    ("{flaps: {gte: 6, within: 20m}}", {}, 0, 5, "fails", None),
    # all: one that fails for good ends the waiting; the last of several decides when
    ("{match: 'env=prod', firing_for: 5m}", {"env": "dev"}, 0, 0, "fails", None),
    ("{match: 'env=prod', firing_for: 5m}", {"env": "prod"}, 2, 0, "waits", 3),
    ("{all: [{firing_for: 5m}, {firing_for: 9m}]}", {}, 2, 0, "waits", 7),
    ("{firing_for: 5m, query: {promql: up, gte: 1}}", {}, 6, 0, "unknown", None),
    ("{firing_for: 5m, query: {promql: up, gte: 1}}", {}, 4, 0, "waits", 1),
    ("{match: 'env=prod', query: {promql: up, gte: 1}}", {}, 0, 0, "fails", None),
    # any: the first of several decides when; an unknown beside one that holds does not matter
    ("{any: [{firing_for: 5m}, {firing_for: 9m}]}", {}, 2, 0, "waits", 3),
    ("{any: [{query: {promql: up, gte: 1}}, {firing_for: 5m}]}", {}, 6, 0, "holds", None),
    ("{any: [{query: {promql: up, gte: 1}}, {firing_for: 5m}]}", {}, 4, 0, "waits", 1),
    ("{any: [{query: {promql: up, gte: 1}}, {match: 'env=prod'}]}", {}, 0, 0, "unknown", None),
    # none: of a count that holds, only time can take alerts out of the window
    ("{none: [{match: 'env=dev'}]}", {"env": "prod"}, 0, 0, "holds", None),
    ("{none: [{match: 'env=dev'}]}", {"env": "dev"}, 0, 0, "fails", None),
    ("{none: [{query: {promql: up, gte: 1}}]}", {}, 0, 0, "unknown", None),
    ("{none: [{query: {promql: up, gte: 1}}, {match: 'env=dev'}]}", {"env": "dev"}, 0, 0, "fails", None),
    ("{none: [{count: {gte: 3, within: 10m}}]}", {}, 0, 3, "waits", 5),
    ("{none: [{count: {gte: 3, within: 10m}}]}", {}, 0, 9, "fails", None),
    ("{none: [{none: [{flaps: {gte: 3, within: 10m}}]}]}", {}, 0, 3, "holds", None),
    ("{none: [{firing_for: 5m}]}", {}, 2, 0, "holds", None),
    ("{none: [{firing_for: 5m}]}", {}, 6, 0, "fails", None),
]


@pytest.mark.parametrize(("when", "labels", "fires", "counted", "outcome", "due"), SIMPLE)
def test_evaluate_answers_each_condition(judge, when, labels, fires, counted, outcome, due):
    """What holds, what waits and until when, what cannot be measured."""
    duration = None if fires is None else fires * MINUTE
    verdict = judge(f"  when: {when}\n  declare: SEV3", labels, fires=duration, counted=counted)
    assert verdict.outcome.value == outcome
    assert verdict.due == (None if due is None else NOW + due * MINUTE)
    assert (verdict.tier is not None) is (outcome == "holds")


def test_evaluate_without_a_condition_holds_at_once(judge):
    """The matchers are all that is asked."""
    verdict = judge("  declare: SEV3")
    assert (verdict.outcome, verdict.due, verdict.reason) == (Outcome.HOLDS, None, "tier 1: the matchers hold")
    assert verdict.conditions == ()


TIERS = """
  tiers:
  - {when: {firing_for: 1h}, declare: SEV1}
  - {when: {query: {promql: up, gte: 1}}, declare: SEV2}
  - {when: {match: 'burn=fast'}, declare: SEV2}
  - {when: {firing_for: 15m}, declare: SEV3}
"""


@pytest.mark.parametrize(
    ("labels", "fires", "outcome", "tier", "due"),
    [
        ({"burn": "fast"}, 0, "holds", 3, 60),
        ({"burn": "fast"}, 61, "holds", 1, None),
        ({}, 16, "holds", 4, 44),
        ({}, 5, "waits", None, 10),
    ],
)
def test_evaluate_lets_the_first_tier_that_holds_decide(judge, labels, fires, outcome, tier, due):
    """A graver tier above keeps its due time, an unknown one hides none below it."""
    verdict = judge(TIERS, labels, fires=fires * MINUTE)
    assert verdict.outcome.value == outcome
    assert (verdict.tier and verdict.tier.index) == tier
    assert verdict.due == (None if due is None else NOW + due * MINUTE)


def test_evaluate_says_unknown_only_where_nothing_waits_or_holds(judge):
    """An unknown tier shows when no other has anything to say."""
    unknown = "{when: {query: {promql: up, gte: 1}}, declare: SEV2}"
    tiers = f"  tiers:\n  - {unknown}\n  - {{when: {{match: 'x=1'}}, declare: SEV3}}\n"
    verdict = judge(tiers)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason == "tier 1: query cannot be measured: not measured yet, wanted >= 1"


def test_evaluate_tells_shadow_apart(judge):
    """A rule in shadow mode never says that it holds."""
    verdict = judge("  declare: SEV3\n  mode: shadow")
    assert verdict.outcome is Outcome.SHADOW
    assert verdict.tier is not None


def test_evaluate_keeps_what_each_condition_got_and_wanted(judge):
    """The trace names every condition that was asked, tier by tier, and the reason repeats what decided."""
    keys = (
        "  tiers:\n  - {when: {match: 'burn=fast'}, declare: SEV2}\n"
        "  - {when: {count: {gte: 3, within: 10m}, firing_for: 15m}, declare: SEV3}\n"
    )
    verdict = judge(keys, {"burn": "slow"}, fires=16 * MINUTE, counted=4)
    told = [(each.tier, each.condition, each.state, each.got, each.wanted) for each in verdict.conditions]
    assert told == [
        (1, "match", State.NO, "burn='slow'", 'burn="fast"'),
        (2, "count", State.YES, "4", "3 within 10m"),
        (2, "firing_for", State.YES, "16m", "15m"),
    ]
    assert verdict.reason == "tier 2: count 4, wanted 3 within 10m; firing_for 16m, wanted 15m"


def test_evaluate_keeps_reasons_short(judge):
    """Labels come from outside and may be long."""
    verdict = judge("  when: {match: 'x=~\".*\"'}\n  declare: SEV3", {"x": "y" * 10_000})
    assert len(verdict.reason) <= 300


def test_evaluate_safely_makes_an_outcome_of_an_error(judge):
    """One rule that fails never hides the others: the error is the verdict."""

    def run_with_broken_facts(hit, _facts, now):
        return evaluate_safely(hit, None, now)

    verdict = judge("  when: {firing_for: 5m}\n  declare: SEV3", run=run_with_broken_facts)
    assert (verdict.outcome, verdict.tier) == (Outcome.ERROR, None)
    assert "AttributeError" in verdict.reason


@pytest.mark.parametrize(
    ("when", "changes", "outcome", "due"),
    [
        ("{open_for: 1h}", {}, "waits", 20),
        ("{open_for: 40m}", {}, "holds", None),
        ("{open_for: 40m}", {"reopened_at": NOW - 5 * MINUTE}, "waits", 35),
        ("{unacknowledged_for: 40m}", {}, "holds", None),
        ("{unacknowledged_for: 40m}", {"acknowledged_at": NOW}, "fails", None),
        ("{worked_for: 30m}", {}, "fails", None),
        ("{worked_for: 30m}", {"touched_at": NOW - 10 * MINUTE}, "waits", 20),
        ("{match: 'severity=~\"SEV[12]\"', open_for: 40m}", {}, "holds", None),
    ],
)
def test_evaluate_answers_for_an_incident(rule_set_of, when, changes, outcome, due):
    """How long it is open, unacknowledged or worked on; a reopening begins anew."""
    incident = Incident(
        id="INC-2026-0001",
        title="x",
        status=IncidentStatus.DECLARED,
        severity=Severity.SEV2,
        criterion=Criterion.OTHER,
        rule="a",
        identity={"service": "db"},
        identity_key="k",
        declared_at=NOW - 40 * MINUTE,
        **changes,
    )
    rule_set = rule_set_of(f"rules:\n- {{id: a, on: incident, when: {when}, declare: SEV1}}")
    (hit,) = Matching(rule_set, Subject.INCIDENT).match(labels_of(incident)).hits
    touched = None if incident.touched_at is None else NOW - incident.touched_at
    verdict = evaluate(hit, Known(None, 0, touched, incident), NOW)
    assert (verdict.outcome.value, verdict.due) == (outcome, None if due is None else NOW + due * MINUTE)


WRONG = [
    "match: 'a=b'",
    "firing_for: 5m",
    "count: {gte: 3, within: 10m}",
    "distinct: {label: region, gte: 2, within: 5m}",
    "flaps: {gte: 6, within: 20m}",
    "worked_for: 45m",
    "query: {promql: up, gte: 1}",
    "any: [{firing_for: 5m}, {worked_for: 1m}]",
    "none: [{flaps: {gte: 6, within: 20m}}]",
]


@pytest.mark.parametrize("when", WRONG)
def test_evaluate_safely_makes_a_verdict_of_an_error_in_any_condition(rule_set_of, when):
    """Whatever goes wrong within a condition, it is said, and it is neither yes nor no."""
    rule_set = rule_set_of(f"rules:\n- {{id: a, match: 'on=1', when: {{{when}}}, declare: SEV3}}")
    (hit,) = Matching(rule_set).match({"on": "1"}).hits
    verdict = evaluate_safely(hit._replace(labels=None), None, NOW)
    assert (verdict.outcome, verdict.tier) == (Outcome.ERROR, None)
    assert "AttributeError" in verdict.reason
