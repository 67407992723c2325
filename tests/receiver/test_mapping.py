"""Mappings: what is wrong with one is said when it is read, and no payload breaks one."""

import json
from datetime import UTC, datetime

import pytest

from incidents.values import AlertStatus
from receiver.payloads.generic import parse
from receiver.payloads.mapping import BadMapping, compile_mapping, instant_of
from receiver.payloads.parsed import BadPayload

LABELS = {"alertname": "name"}


def mapped(body, **mapping):
    return parse(json.dumps(body).encode(), compile_mapping({"labels": LABELS} | mapping))


def alert_of(body, **mapping):
    return mapped(body, **mapping).incoming[0].alert


BAD = [
    ({}, ("labels",), "a mapping needs 'labels'"),
    ({"labels": []}, ("labels",), "a mapping needs 'labels'"),
    ({"labels": "x"}, ("labels",), "must be a mapping of names to expressions"),
    ({"labels": {"a": 5}}, ("labels", "a"), "must be a JMESPath expression, as text"),
    ({"labels": {"a": "b["}}, ("labels", "a"), "is no JMESPath expression"),
    ({"labels": {"a": "(" * 5000}}, ("labels", "a"), "is no JMESPath expression"),
    ({"labels": LABELS, "itmes": "x"}, ("itmes",), "there is no such key in a mapping"),
    ({"labels": LABELS, "items": ["x"]}, ("items",), "must be a JMESPath expression"),
    ({"labels": LABELS, "status": 5}, ("status",), "must be an expression, or {expr, firing, resolved}"),
    ({"labels": LABELS, "status": {"firing": ["x"]}}, ("status",), "needs 'expr'"),
    ({"labels": LABELS, "status": {"expr": "x"}}, ("status",), "needs 'firing' or 'resolved'"),
    ({"labels": LABELS, "status": {"expr": "x", "firing": [{}]}}, ("status", "firing"), "must be a list of values"),
    ({"labels": LABELS, "status": {"expr": "x", "firing": "y", "z": 1}}, ("status", "z"), "no such key in status"),
    ({"labels": LABELS, "refuse": {}}, ("refuse",), "must be a list of {when, reason}"),
    ({"labels": LABELS, "refuse": [{"when": "x"}]}, ("refuse",), "each needs 'when' and 'reason'"),
    ({"labels": LABELS, "refuse": [{"reason": "x"}]}, ("refuse", "when"), "must be a JMESPath expression"),
    ({"labels": LABELS, "signature_header": 5}, ("signature_header",), "must be the name of a header"),
    ("datadogg", (), "there is no shipped mapping 'datadogg'"),
    ("../mappings/datadog", (), "there is no shipped mapping"),
]


@pytest.mark.parametrize(("tree", "path", "message"), BAD)
def test_mapping_mistakes_are_named_with_their_place(tree, path, message):
    """All of them at once."""
    with pytest.raises(BadMapping) as caught:
        compile_mapping(tree)
    found = {each.path: each.message for each in caught.value.problems}
    assert message in found[path]


def test_mapping_all_mistakes_at_once():
    """One run shows everything."""
    with pytest.raises(BadMapping) as caught:
        compile_mapping({"labels": {"a": "b[", "c": "]"}, "status": 5, "x": 1})
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (None, {}, "firing"),
        ("s", {"s": "Firing"}, "firing"),
        ("s", {"s": " resolved "}, "resolved"),
        ("ok && 'resolved' || 'firing'", {"ok": True}, "resolved"),
        ({"expr": "ok", "resolved": [True]}, {"ok": True}, "resolved"),
        ({"expr": "ok", "resolved": [True]}, {"ok": None}, "firing"),
        ({"expr": "n", "firing": [1]}, {"n": 1}, "firing"),
        ({"expr": "n", "firing": [1]}, {"n": 2}, "resolved"),
        ({"expr": "s", "firing": "x", "ignore": "y"}, {"s": "y"}, None),
    ],
)
def test_mapping_status(status, body, expected):
    """An expression that gives the word, or lists of values; a missing list takes everything else."""
    found = mapped({"name": "x"} | body, status=status).incoming
    assert (found[0].alert.status if found else None) == (AlertStatus(expected) if expected else None)


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (5, "5"), (2.5, "2.5"), (True, "true"), (["a", 1], "a,1"), ({"b": [1]}, '{"b":[1]}'), ([{}], "[{}]")],
)
def test_mapping_values_become_text(value, text):
    """Whatever stands there."""
    assert alert_of({"name": value}).labels == {"alertname": text}


@pytest.mark.parametrize("value", [None, "", []])
def test_mapping_nothing_is_no_label(value):
    """An alert without any label is kept aside."""
    found = mapped({"name": value})
    assert (found.incoming, len(found.refused)) == ([], 1)
    assert alert_of({"name": "x", "b": value}, labels=LABELS | {"b": "b"}).labels == {"alertname": "x"}


def test_mapping_items_and_more_labels():
    """A list inside the body, and labels that the payload names."""
    body = {"events": [{"name": "a", "tags": "env:prod,name:z,odd"}, {"name": "b", "tags": [["env", "dev"], 5]}]}
    found = mapped(body, items="events", more_labels="tags(tags)")
    assert [each.alert.labels for each in found.incoming] == [
        {"alertname": "a", "env": "prod", "name": "z"},
        {"alertname": "b", "env": "dev"},
    ]
    assert mapped({"events": None}, items="events").incoming == []


@pytest.mark.parametrize("expression", ["ceil(name)", "join(',', name)", "sum(name)", "max_by(name, &x)", "abs(name)"])
def test_mapping_expression_that_fails_costs_its_alert_alone(expression):
    """The reason names the expression."""
    found = mapped([{"name": {"a": 1}, "k": 1}, {"name": "ok", "k": 2}], labels={"alertname": "k", "x": expression})
    assert len(found.incoming) + len(found.refused) == 2
    assert expression[:20] in found.refused[0].reason


def test_mapping_that_fits_nothing_of_the_body_is_said():
    """The list itself could not be found."""
    with pytest.raises(BadPayload, match="does not fit"):
        mapped({"a": 5}, items="length(a)")
    with pytest.raises(BadPayload, match="more than 10000"):
        mapped([{}] * 10_001)


def test_mapping_id_url_and_times():
    """The id of a delivery, an address, and times in three forms."""
    mapping = {"id": "id", "url": "link", "starts_at": "at", "ends_at": "end"}
    event = mapped({"name": "x", "id": 7, "link": "https://x", "at": "1793588400000", "end": "never"}, **mapping)
    found = event.incoming[0]
    assert (found.ids, found.alert.generator_url, found.alert.ends_at) == (("7",), "https://x", None)
    assert found.alert.starts_at == datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [None, "", "x", "9" * 400, "1." * 9, -5, "-5", "٣", [], {}, True, "99999-01-01", 1e300, "1e5", "NaN"]
)
def test_mapping_unreadable_time_is_none(value):
    """It does not cost the alert."""
    assert instant_of(value) is None


def test_mapping_refuse_keeps_the_body_aside():
    """With the reason, and what is to be shown; credentials in the body are hidden."""
    refuse = [{"when": "kind == 'hello'", "reason": "Say hello:", "show": "where"}]
    found = mapped({"kind": "hello", "where": "there", "password": "hunter2x"}, refuse=refuse)
    assert (found.incoming, found.refused[0].reason) == ([], "Say hello: there")
    assert "hunter2x" not in found.refused[0].text
    assert mapped({"kind": "x", "name": "y"}, refuse=refuse).incoming
