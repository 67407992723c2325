"""The index: equal to asking every rule, and identities that do not depend on the rule."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.index import FALLBACK_IDENTITY, Matching, identity_key, identity_of
from rules.matchers import Matcher, Op, matches
from rules.model import Mode, Rule, RuleSet, Subject, Tier

NAMES = st.sampled_from(["alertname", "service", "severity", "slo", "env"])
VALUES = st.sampled_from(["", "a", "b", "ab", "critical"])
MATCHERS = st.one_of(
    st.builds(Matcher, NAMES, st.sampled_from([Op.EQUAL, Op.NOT_EQUAL]), VALUES),
    st.builds(
        Matcher,
        NAMES,
        st.sampled_from([Op.MATCHES, Op.NOT_MATCHES]),
        st.sampled_from(["a|b", "a.*", ".*", ".+", "", "a|"]),
    ),
)
LABELS = st.dictionaries(NAMES | st.just("other"), VALUES, max_size=5)


def rule_of(place: int, matchers: list[Matcher], **changes) -> Rule:
    fields = {
        "id": f"r{place}",
        "matchers": tuple(matchers),
        "identity": ("service",),
        "tiers": (Tier(index=1),),
        "reopen_within": None,
        "window_id": str(place),
    }
    return Rule(**{**fields, **changes})


def ids(matched) -> list[str]:
    return [hit.rule.id for hit in matched.hits]


@given(st.lists(st.lists(MATCHERS, max_size=3), max_size=12), st.lists(LABELS, max_size=6))
def test_index_equals_asking_every_rule(rules, alerts):
    """The same hits in file order, for any rules and labels, also when values are seen again."""
    rule_set = RuleSet(hash="", rules=tuple(rule_of(place, matchers) for place, matchers in enumerate(rules)))
    matching = Matching(rule_set)
    for labels in alerts * 2:
        expected = [rule.id for rule in rule_set.rules if matches(rule.matchers, labels)]
        assert ids(matching.match(labels)) == expected


def test_index_equals_asking_every_rule_after_it_forgot(monkeypatch):
    """Values never end; forgetting them changes nothing but the time."""
    monkeypatch.setattr("rules.index.MAX_REMEMBERED", 3)
    regex = rule_of(0, [Matcher("pod", Op.MATCHES, "p[0-9]+")])
    listed = rule_of(1, [Matcher("pod", Op.EQUAL, "p7")])
    matching = Matching(RuleSet(hash="", rules=(regex, listed)))
    for place in [*range(20), *range(20)]:
        assert ids(matching.match({"pod": f"p{place}"})) == (["r0", "r1"] if place == 7 else ["r0"])
    assert ids(matching.match({"pod": "p" * 1000})) == []


@pytest.mark.parametrize("alertname", ["Watchdog", "InfoInhibitor"])
def test_index_never_hits_the_signals_of_monitoring(alertname):
    """Watchdog and InfoInhibitor never page, whatever rules say."""
    matching = Matching(RuleSet(hash="", rules=(rule_of(0, []),)))
    assert matching.match({"alertname": alertname}).hits == ()
    assert ids(matching.match({"alertname": "Other"})) == ["r0"]


def test_index_leaves_out_rules_that_rest_or_look_at_other_things():
    """Mode off, and everything that is not on alerts."""
    rules = (
        rule_of(0, [], mode=Mode.OFF),
        rule_of(1, [], mode=Mode.SHADOW),
        *(rule_of(place, [], on=on) for place, on in enumerate(Subject, 2)),
    )
    assert ids(Matching(RuleSet(hash="", rules=rules)).match({"a": "b"})) == ["r1", "r2"]


def test_index_normalizes_before_it_matches():
    """The first label that exists gives the value, all at once, and the alert's own labels stay as they were."""
    rule_set = RuleSet(
        hash="",
        rules=(rule_of(0, [Matcher("slo", Op.NOT_EQUAL, "")], identity=("service", "slo")),),
        normalize={"slo": ("slo", "sloth_slo"), "service": ("service", "sloth_service", "slo")},
    )
    labels = MappingProxyType({"sloth_slo": "requests", "service": "", "sloth_service": "checkout"})
    matched = Matching(rule_set).match(labels)
    assert matched.labels == {**labels, "slo": "requests", "service": "checkout"}
    assert matched.hits[0].identity == {"service": "checkout", "slo": "requests"}
    assert "slo" not in labels


def test_index_keeps_the_very_labels_where_nothing_is_normalized():
    """No copy is made for an alert that has its names right."""
    labels = {"slo": "x"}
    assert Matching(RuleSet(hash="", normalize={"slo": ("slo", "y")})).match(labels).labels is labels


@pytest.mark.parametrize(
    ("names", "labels", "expected"),
    [
        (("service", "slo"), {"slo": "s", "service": "x", "a": "b"}, {"service": "x", "slo": "s"}),
        (("service", "slo"), {"slo": "s"}, {"slo": "s"}),
        (("service",), {"service": "", "alertname": "A", "job": "j"}, {"alertname": "A", "job": "j"}),
        (
            ("service",),
            {"job": "j", "namespace": "n", "cluster": "c", "alertname": "A", "pod": "p"},
            {"alertname": "A", "cluster": "c", "namespace": "n", "job": "j"},
        ),
        (("service",), {}, {"alertname": "unknown"}),
    ],
)
def test_identity_is_never_empty(names, labels, expected):
    """Missing labels are left out; without any, the alert's name and where it runs stand in."""
    found = identity_of(names, labels)
    assert found == expected
    assert list(found) == [name for name in (*names, *FALLBACK_IDENTITY) if name in expected]


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.dictionaries(st.text(), st.text(), max_size=4))
def test_identity_key_is_equal_exactly_for_equal_labels(one, other):
    """The order in which a rule names the labels does not matter, and nothing else meets."""
    reversed_one = dict(reversed(one.items()))
    assert identity_key(one) == identity_key(reversed_one)
    assert (identity_key(one) == identity_key(other)) is (one == other)


def test_identity_key_does_not_confuse_where_names_end():
    """Names and values that read alike when put together are other identities."""
    alike = [{"a": "bc"}, {"ab": "c"}, {"a": "b", "c": ""}, {"a": "", "b": "c"}, {"a1": "b"}]
    assert len({identity_key(each) for each in alike}) == len(alike)


def test_identity_is_independent_of_the_rule():
    """Two rules that name the same labels in any order find the same incident."""
    rules = (rule_of(0, [], identity=("a", "b")), rule_of(1, [], identity=("b", "a")), rule_of(2, [], identity=("a",)))
    first, second, third = Matching(RuleSet(hash="", rules=rules)).match({"a": "1", "b": "2"}).hits
    assert first.identity_key == second.identity_key != third.identity_key
    assert first.identity_key == identity_key({"a": "1", "b": "2"})
