"""SLOs and OpenSLO as they are read, what they ask of Prometheus, and the rules that they bring along."""

from datetime import timedelta

import pytest
from builders import NOW, rule_set
from msgspec.structs import replace

from incidents.facts import Fact
from rules.burn_alerts import pairs_of
from rules.conditions import BudgetRemaining, BurnRate, Compare, Query
from rules.loading.rule_set import SourceFile, load_rule_set
from rules.measuring import (
    budget_remaining,
    burn_rate,
    exhausted_in,
    from_params,
    measure,
    span,
    to_params,
    usable,
    wanted,
)
from rules.promql import filled, misplaced_hole
from rules.questions import every, questions_of
from rules.slo_status import fact_ids, status_of
from rules.slos import Slo, slo_named, slos_of

RATIO = "sum(rate(e[$window])) / sum(rate(t[$window]))"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def slo(**changes) -> Slo:
    fields = {
        "id": "checkout",
        "service": "web",
        "objective": 99.9,
        "window": 30 * DAY,
        "error_ratio": RATIO,
    }
    return Slo(**fields | changes)


@pytest.mark.parametrize(
    ("days", "objective", "factors"),
    [
        (30, 99.9, [14.4, 6, 3, 1]),
        (28, 99.9, [13.44, 5.6, 2.8]),
        (7, 99.9, [3.36, 1.4]),
        (90, 99.9, [43.2, 18, 9, 3]),
        (30, 90, [6, 3, 1]),
        (1, 99.9, [2.4]),
    ],
)
def test_pairs_have_rates_for_the_slos_own_window(days, objective, factors):
    """Such a share of the budget burns in the longer window; rates that cannot or need not be are left out."""
    pairs = pairs_of(slo(window=days * DAY, objective=objective))
    assert [pair.factor for pair in pairs] == pytest.approx(factors)
    assert all(pair.long == 12 * pair.short for pair in pairs)


def test_slo_brings_a_rule_along_unless_told_otherwise():
    """Off, or a rule of the file with its id: then none; an SLA makes the gravest tier."""
    one = "slos: [{id: a, service: s, objective: 99.9, window: 30d, error_ratio: 'avg_over_time(x[$window])'%s}]"
    (rule,) = rule_set(one % ", sla: {objective: 99.5, owner: o}").burn_rules
    assert (rule.id, rule.tiers[0].declare, rule.tiers[0].title) == (
        "slo-burn.a",
        "SEV1",
        "a: the SLA of 99.5 % is broken",
    )
    assert rule_set(one % ", burn_alerts: off").burn_rules == ()
    own = "\nrules: [{id: slo-burn.a, match: 'x=\"y\"', declare: SEV4}]"
    assert rule_set(one % "" + own).burn_rules == ()


def test_slo_named_finds_its_sla_too():
    """`ID/sla` is the SLO held against what is owed by contract."""
    slos = {"checkout": slo(sla=99.5), "search": slo(id="search")}
    assert slo_named(slos, "checkout/sla").objective == 99.5
    assert slo_named(slos, "search/sla") is None
    assert slos_of(slos, {"slo": "search", "service": "web"}) == ("search",)
    assert slos_of(slos, {"service": "web"}) == ("checkout", "search")
    assert slos_of(slos, {"service": "other"}) == ()


def test_numbers_of_an_error_budget():
    """Burn rate, what is left, and when it is gone, in words."""
    promise = slo()
    assert burn_rate(promise, 0.0144) == pytest.approx(14.4)
    assert budget_remaining(promise, 0.0005) == pytest.approx(0.5)
    assert exhausted_in(promise, 0.5, 100.0) == pytest.approx(timedelta(hours=3.6), abs=timedelta(seconds=1))
    assert (exhausted_in(promise, 0.5, 0.0), exhausted_in(promise, -0.1, 3.0)) == (None, timedelta())
    assert [span(timedelta(minutes=each)) for each in (190, 12, 60, 3100, 0.5)] == [
        "3 h 10 m",
        "12 min",
        "1 h",
        "2 d 3 h",
        "30 s",
    ]


def test_questions_are_those_of_slos_conditions_and_objectives():
    """Nothing is asked twice, and nothing that has labels in it."""
    rules = f"""
slos:
- {{id: a, service: s, objective: 99.9, window: 30d, burn_alerts: off, error_ratio: '{RATIO}'}}
rules:
- {{id: b, match: 'x="y"', when: {{query: {{promql: up, gte: 1}}}}, declare: SEV3,
   objectives: [{{id: o, burn_rate: {{slo: a, over: 6h, lte: 1}}}}]}}
- {{id: c, match: 'x="y"', when: {{query: {{promql: 'up{{i="{{{{ labels.i }}}}"}}', gte: 1}}}}, declare: SEV3}}
- {{id: d, mode: off, match: 'x="y"', when: {{query: {{promql: down, gte: 1}}}}, declare: SEV3}}
"""
    asked = [RATIO.replace("$window", window) for window in ("30d", "1h")]
    assert list(questions_of(rule_set(rules))) == [*asked, "up", RATIO.replace("$window", "6h")]


@pytest.mark.parametrize(("range_", "seconds"), [("", 30), ("5m", 30), ("1h", 30), ("6h", 180), ("3d", 300)])
def test_question_is_asked_by_its_longest_range(range_, seconds):
    """What moves slowly is asked seldom."""
    promql = f"rate(x[{range_}]) / rate(y[1m])" if range_ else "up"
    assert every(promql, timedelta(seconds=30)).total_seconds() == seconds


@pytest.mark.parametrize(
    ("promql", "wrong"),
    [
        ('up{i="{{ labels.i }}"}', ""),
        ("up", ""),
        ("up{i=`{{ labels.i }}`}", "backticks"),
        ("{{ labels.metric }}", "inside of double quotes"),
        ('up{i="{{ annotations.i }}"}', "only {{ labels.NAME }}"),
        ('up{i="{{ labels.i | upper }}"}', "only {{ labels.NAME }}"),
    ],
)
def test_labels_stand_in_queries_as_text_alone(promql, wrong):
    """Elsewhere whoever names a label could write the query."""
    assert wrong in misplaced_hole(promql)
    assert bool(wrong) == bool(misplaced_hole(promql))


def test_labels_are_put_in_literally():
    """Quotes and backslashes end no text, and a regular expression takes every character for itself."""
    labels = {"i": 'a"b\\c', "r": "10.0.0.1:90|x"}
    assert filled('up{i="{{ labels.i }}"}', labels) == 'up{i="a\\"b\\\\c"}'
    assert filled('up{i=~"{{ labels.r }}"}', labels) == 'up{i=~"10\\\\.0\\\\.0\\\\.1:90\\\\|x"}'
    assert filled('up{i="{{ labels.none }}"}', labels) == 'up{i=""}'


class Known:
    """What is known, for a test."""

    def __init__(self, fact: Fact | None) -> None:
        self.slos = {"checkout": slo()}
        self._fact = fact

    def fact(self, name: str) -> Fact | None:
        return self._fact

    def want(self, promql: str) -> None:
        """Take note of nothing."""


BURN = BurnRate("checkout", HOUR, Compare.GTE, 14.4)


@pytest.mark.parametrize(
    ("asked", "fact", "holds", "got"),
    [
        (BURN, Fact(id="f", at=NOW, value=0.02), True, "20"),
        (BURN, Fact(id="f", at=NOW, value=0.002), False, "2"),
        (BURN, None, None, "cannot be measured: not measured yet"),
        (
            BURN,
            Fact(id="f", at=NOW, why="Prometheus gave no data"),
            None,
            "cannot be measured: Prometheus gave no data",
        ),
        (
            BURN,
            Fact(id="f", at=NOW - timedelta(minutes=12), value=0.0142, why="refused", answered=False),
            None,
            "cannot be measured: refused; last known 14.2, 12 min ago",
        ),
        (BURN, Fact(id="f", at=NOW - timedelta(seconds=60), value=0.02, answered=False), True, "20"),
        (BudgetRemaining("checkout", Compare.LTE, 25), Fact(id="f", at=NOW, value=0.0008), True, "20%"),
        (BudgetRemaining("checkout", Compare.LTE, 25), Fact(id="f", at=NOW, value=0.0005), False, "50%"),
        (BurnRate("nope", HOUR, Compare.GT, 1), None, None, "there is no SLO 'nope'"),
        (BurnRate("{{ labels.slo }}", HOUR, Compare.GT, 1), None, None, "the alert names no SLO"),
        (Query("up", Compare.EQ, 1), Fact(id="f", at=NOW, value=1.0), True, "1"),
    ],
)
def test_measure_says_yes_no_or_why_not(asked, fact, holds, got):
    """What is not known is neither, and the last number is told with its age."""
    found = measure(asked, {}, Known(fact), NOW)
    assert (found.holds, found.got) == (holds, got)


def test_fact_is_stale_after_three_answers_are_missing():
    """Long windows are asked seldom, so their numbers last longer."""
    fact = Fact(id="f", at=NOW, value=1.0, every=300.0)
    assert usable(fact, NOW + timedelta(minutes=15))[0] == 1.0
    assert usable(fact, NOW + timedelta(minutes=16)) == (None, "no news from Prometheus")


@pytest.mark.parametrize("asked", [BURN, BudgetRemaining("checkout", Compare.LTE, 25), Query("up", Compare.LT, 3)])
def test_measure_survives_being_kept_with_an_incident(asked):
    """What an incident keeps is what the rule asked."""
    kind = type(asked).__struct_config__.tag
    assert from_params(kind, to_params(asked, {})) == asked
    assert from_params(kind, {"limit": "x"}) is None
    assert wanted(asked)


SLI = """apiVersion: openslo/v1
kind: SLI
metadata: {name: requests}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: 'http_ok{job="web"}'}}}
    total: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(http_all[{{.window}}]))'}}}
"""
OPENSLO = """apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout}
spec:
  service: web
  budgetingMethod: Occurrences
  timeWindow: [{duration: 4w, isRolling: true}]
  objectives: [{target: 0.999}]
  indicatorRef: requests
"""
SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: web}\n"


def loaded(*texts: str):
    return load_rule_set([SourceFile(f"{place}.yml", text) for place, text in enumerate(texts)], now=NOW)


def test_openslo_is_read_as_it_is():
    """Several documents, an indicator elsewhere, a service that is left alone: one SLO like one of our own."""
    read = loaded(f"{SERVICE}---\n{OPENSLO}", SLI)
    (found,) = read.rule_set.slos.values()
    assert (found.id, found.service, found.objective, found.window) == ("checkout", "web", 99.9, 28 * DAY)
    good, total = 'sum(increase(http_ok{job="web"}[$window]))', "sum(rate(http_all[$window]))"
    assert found.error_ratio == f"1 - (({good}) / ({total}))"
    assert [rule.id for rule in read.rule_set.burn_rules] == ["slo-burn.checkout"]


def test_openslo_objectives_are_slos_each():
    """Two targets are two promises."""
    two = OPENSLO.replace("[{target: 0.999}]", "[{target: 0.99}, {targetPercent: 99.9}]")
    assert list(loaded(two, SLI).rule_set.slos) == ["checkout-99", "checkout-99.9"]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("openslo/v1\n", "openslo/v1alpha\n", 1, "is not read"),
        ("kind: SLO", "kind: Slow", 2, "no kind 'Slow'"),
        ("isRolling: true", "isRolling: false", 7, "only a rolling window"),
        ("4w", "1M", 7, "write months and years in days"),
        ("Occurrences", "Timeslices", 6, "is not measured"),
        ("[{target: 0.999}]", "[{target: 1}]", 8, "must lie between"),
        ("[{target: 0.999}]", "[{target: 99.9}]", 8, "write targetPercent: 99.9"),
        ("[{target: 0.999}]", "[{op: lte}]", 8, "needs a target"),
        ("indicatorRef: requests", "indicatorRef: nothing", 9, "there is no SLI 'nothing'"),
        ("  service", "  indicator: {spec: {thresholdMetric: {}}}\n  service", 5, "a ratioMetric"),
    ],
)
def test_openslo_that_cannot_be_used_is_an_error_with_its_place(old, new, line, says):
    """Nothing of another language is passed over in silence."""
    text = OPENSLO.replace(old, new)
    if "thresholdMetric" in new:
        text = text.replace("  indicatorRef: requests\n", "")
    errors = [each for each in loaded(text, SLI).errors if each.code == "E320"]
    assert errors
    assert says in f"{errors[0].message} {errors[0].hint}"
    assert (errors[0].file, errors[0].line) == ("0.yml", line)


def test_openslo_with_a_fixed_range_is_refused():
    """A rate over five minutes says nothing of thirty days."""
    (error,) = loaded(OPENSLO, SLI.replace("{{.window}}", "5m")).errors
    assert "has [5m]" in error.message
    assert "$window" in error.hint


def test_rules_do_not_hold_several_documents():
    """Only OpenSLO does."""
    assert [each.code for each in loaded("rules: []\n---\nrules: []\n").errors] == ["E109"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("objective: 100", "E313"),
        ("objective: 99.9, sla: {objective: 99.99}", "E313"),
        ("window: 10m", "E206"),
        ("error_ratio: 'rate(x[5m])'", "E314"),
        ("""error_ratio: 'rate(x{a="{{ labels.a }}"}[$window])'""", "E314"),
        ("burn_alerts: maybe", "E204"),
        ("id: 'a b'", "E304"),
    ],
)
def test_slo_that_cannot_be_used_is_an_error(text, code):
    """Each with its code."""
    fields = {
        "id": "a",
        "service": "s",
        "objective": "99.9",
        "window": "30d",
        "error_ratio": "'rate(x[$window])'",
    }
    rest = ", ".join(f"{name}: {value}" for name, value in fields.items() if not text.startswith(f"{name}:"))
    assert code in {each.code for each in loaded(f"slos: [{{{text}, {rest}}}]").errors}


def test_status_of_an_slo_says_at_once_that_prometheus_does_not_answer():
    """The numbers are those of before, and the reason stands beside them long before they are stale."""
    checkout = slo()
    facts = {name: Fact(id=name, at=NOW, value=0.0001) for name in fact_ids([checkout])}
    assert status_of(checkout, facts, NOW).why == ""
    facts = {name: replace(fact, answered=False, why="connection refused") for name, fact in facts.items()}
    status = status_of(checkout, facts, NOW + timedelta(seconds=1))
    assert (status.burn_rate is None, status.why) == (False, "connection refused")
