"""Whatever arrives, the parser answers with alerts, refusals or one kind of error."""

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from receiver.payloads.alertmanager import parse
from receiver.payloads.clamps import MAX_LABEL_VALUE, MAX_LABELS
from receiver.payloads.parsed import BadPayload

GOOD = {"status": "firing", "labels": {"alertname": "Good", "service": "checkout"}}

texts = st.text(st.characters(exclude_categories=()), max_size=20)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint", "x"])
instants = st.datetimes().map(lambda value: value.isoformat()) | texts
alerts = st.dictionaries(fields, anything | instants | st.sampled_from(["firing", "resolved"]), max_size=8)


def as_json(value: object) -> bytes:
    """Standard JSON, but for lone surrogates, which stay as escapes."""
    return json.dumps(value).replace("NaN", "0").replace("-Infinity", "0").replace("Infinity", "0").encode()


@given(st.binary(max_size=200))
def test_parser_bytes_raise_nothing_else(body):
    """Any bytes at all."""
    with suppress(BadPayload):
        parse(body)


@given(anything)
def test_parser_values_raise_nothing_else(value):
    """Any JSON value as the list of alerts, and as the body."""
    for body in (as_json(value), as_json({"alerts": value})):
        with suppress(BadPayload):
            parse(body)


@given(st.lists(alerts | anything, max_size=6), st.integers(0, 6))
def test_parser_good_alert_survives_any_company(others, place):
    """A good alert among anything comes through, and nothing is lost without a word."""
    mixed = [*others[:place], GOOD, *others[place:]]
    parsed = parse(as_json({"alerts": mixed}))
    assert any(alert.labels == GOOD["labels"] for alert in parsed.alerts)
    assert len(parsed.alerts) + len(parsed.refused) == len(mixed)


@given(
    st.dictionaries(texts, texts, min_size=1, max_size=90),
    st.integers(0, 6000),
    st.one_of(instants, st.none()),
)
def test_parser_alerts_are_within_bounds(labels, length, starts_at):
    """Whatever is accepted can be stored, and is within the bounds."""
    body = as_json({"alerts": [{"status": "firing", "labels": labels | {"long": "x" * length}, "startsAt": starts_at}]})
    for alert in parse(body).alerts:
        assert len(alert.fingerprint) == 16
        assert len(alert.labels) <= MAX_LABELS
        assert all(0 < len(value) <= MAX_LABEL_VALUE for value in alert.labels.values())
        assert alert.starts_at is None or alert.starts_at.utcoffset() is not None
        json.dumps(alert.labels, ensure_ascii=False).encode()
