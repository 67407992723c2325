"""What Alertmanager, its forgeries and its accidents send, and what becomes of it."""

import json
from datetime import UTC, datetime

import pytest

from incidents.alert import fingerprint_of
from incidents.values import AlertStatus
from receiver.payloads.alertmanager import parse
from receiver.payloads.clamps import MARK
from receiver.payloads.parsed import BadPayload


def test_payload_well_formed_gives_alerts(alert, webhook):
    """Each alert arrives with its own status, labels, instants and address."""
    parsed = parse(webhook(alert(), alert(status="resolved", endsAt="2026-11-02T03:00:00+01:00"), status="firing"))
    first, second = parsed.alerts
    assert (first.status, first.ends_at) == (AlertStatus.FIRING, None)
    assert first.starts_at == datetime(2026, 11, 2, 2, 58, 11, 123457, tzinfo=UTC)
    assert first.labels["service"] == "checkout"
    assert first.generator_url.startswith("http://prometheus.example")
    assert (second.status, second.ends_at) == (AlertStatus.RESOLVED, datetime(2026, 11, 2, 2, 0, tzinfo=UTC))
    assert parsed.refused == []


def test_payload_group_status_is_not_trusted(alert, webhook):
    """After truncation the group may call itself resolved while an alert in it fires."""
    parsed = parse(webhook(alert(), status="resolved", truncatedAlerts=2))
    assert parsed.alerts[0].status is AlertStatus.FIRING
    assert parsed.truncated == 2


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("", None),
        (None, None),
        (..., None),
        ("2026-11-02T03:00:00.123456789Z", datetime(2026, 11, 2, 3, 0, 0, 123457, tzinfo=UTC)),
        ("2026-11-02T03:00:00", datetime(2026, 11, 2, 3, tzinfo=UTC)),
        ("2026-11-02T03:00:00-05:30", datetime(2026, 11, 2, 8, 30, tzinfo=UTC)),
        ("2026-12-31T23:59:60Z", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-12-31T23:59:60.5Z", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59-10:00", datetime.max.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_payload_instants_are_read(alert, webhook, given, meant):
    """Odd instants become what they mean, in UTC, or are taken as absent."""
    parsed = parse(webhook(alert(startsAt=given)))
    assert [each.starts_at for each in parsed.alerts] == [meant]


@pytest.mark.parametrize("fingerprint", [..., None, "", "xyz", "c5a1f1d2e3b4a5961", "c5a1f1d2e3b4a59\n", 7])
def test_payload_fingerprint_is_computed_when_unusable(alert, webhook, fingerprint):
    """A fingerprint that is no 16 hex digits is computed anew, as Alertmanager does."""
    (parsed,) = parse(webhook(alert(fingerprint=fingerprint))).alerts
    assert parsed.fingerprint == fingerprint_of(alert()["labels"])


def test_payload_fingerprint_in_capitals_is_the_same(alert, webhook):
    """Hex digits are the same in either case."""
    (parsed,) = parse(webhook(alert(fingerprint="C5A1F1D2E3B4A596"))).alerts
    assert parsed.fingerprint == "c5a1f1d2e3b4a596"


def test_payload_fingerprint_of_huge_labels_is_stable(alert, webhook):
    """Labels of many megabytes are hashed the same each time, and differently when they differ."""
    bodies = [webhook(alert(fingerprint=..., labels={"a": "x" * 5_000_000, "b": end})) for end in "yyz"]
    prints = [parse(body).alerts[0].fingerprint for body in bodies]
    assert prints[0] == prints[1] != prints[2]


def test_payload_empty_labels_are_absent(alert, webhook):
    """A label with an empty value equals a missing one, also for the fingerprint."""
    (parsed,) = parse(webhook(alert(labels={"a": "1", "b": ""}, fingerprint=...))).alerts
    assert parsed.labels == {"a": "1"}
    assert parsed.fingerprint == fingerprint_of({"a": "1"})


@pytest.mark.parametrize(
    ("bad", "pointer"),
    [
        ({"status": "bogus"}, "/alerts/1/status"),
        ({"status": ...}, "/alerts/1/status"),
        ({"status": 1}, "/alerts/1/status"),
        ({"status": ["firing"]}, "/alerts/1/status"),
        ({"labels": ...}, "/alerts/1/labels"),
        ({"labels": None}, "/alerts/1/labels"),
        ({"labels": []}, "/alerts/1/labels"),
        ({"labels": {}}, "/alerts/1/labels"),
        ({"labels": {"a": ""}}, "/alerts/1/labels"),
        ({"labels": {"a": 1}}, "/alerts/1/labels/a"),
        ({"labels": {"a/b~": {"c": "d"}}}, "/alerts/1/labels/a~1b~0"),
        ({"annotations": "x"}, "/alerts/1/annotations"),
        ({"startsAt": "yesterday"}, "/alerts/1/startsAt"),
        ({"startsAt": "2026-02-30T00:00:00Z"}, "/alerts/1/startsAt"),
        ({"endsAt": 12}, "/alerts/1/endsAt"),
    ],
)
def test_payload_one_bad_alert_does_not_spoil_its_batch(alert, webhook, bad, pointer):
    """The good alerts go on; the bad one is refused with the place and what arrived."""
    parsed = parse(webhook(alert(), alert(**bad), alert()))
    assert len(parsed.alerts) == 2
    (refused,) = parsed.refused
    assert refused.reason.startswith(f"{pointer}: ")
    assert "checkout" in refused.text or "labels" in bad


@pytest.mark.parametrize("element", ["null", "1", '"x"', "[]", "1e999", "true"])
def test_payload_element_that_is_no_alert_is_refused(alert, element):
    """Whatever stands among the alerts is refused alone."""
    parsed = parse(f'{{"alerts":[{json.dumps(alert())},{element}]}}'.encode())
    assert (len(parsed.alerts), len(parsed.refused)) == (1, 1)


def test_payload_refused_text_holds_no_credentials(alert, webhook):
    """What is kept of a refused alert is redacted."""
    annotations = {
        "db_password": "hunter2",
        "note": "Authorization: Bearer abcdef123456, see https://joe:s3cret@wiki.example/?token=tok3n",
    }
    (refused,) = parse(webhook(alert(status="x", annotations=annotations))).refused
    for secret in ("hunter2", "abcdef123456", "s3cret", "tok3n"):
        assert secret not in refused.text
    assert "wiki.example" in refused.text


def test_payload_odd_annotations_are_taken_as_text(alert, webhook):
    """Annotations judge nothing, so they never cost an alert."""
    (parsed,) = parse(webhook(alert(annotations={"a": 1, "b": None, "c": {"d": [True]}}))).alerts
    assert parsed.annotations == {"a": "1", "b": "null", "c": '{"d":[true]}'}
    (parsed,) = parse(webhook(alert(annotations=None, generatorURL=None))).alerts
    assert (parsed.annotations, parsed.generator_url) == ({}, "")


@pytest.mark.parametrize(
    "replaced",
    [
        {"version": 3, "groupKey": 12345},
        {"version": "5", "routeLabels": {"a": "b"}, "notification_reason": "none"},
        {"truncatedAlerts": ...},
        {"truncatedAlerts": None},
        {"truncatedAlerts": -1},
        {"truncatedAlerts": 10**5000},
        {"groupLabels": None, "commonLabels": [], "extra": {"deep": [[[]]]}},
    ],
)
def test_payload_other_versions_and_fields_are_accepted(alert, webhook, replaced, monkeypatch):
    """Nothing beside the alerts can cost an alert."""
    if isinstance(replaced.get("truncatedAlerts"), int) and replaced["truncatedAlerts"] > 1:
        body = webhook(alert()).replace(b'"truncatedAlerts": 0', b'"truncatedAlerts": ' + b"9" * 5000)
    else:
        body = webhook(alert(), **replaced)
    parsed = parse(body)
    assert (len(parsed.alerts), parsed.truncated) == (1, 0)


def test_payload_empty_list_is_no_error(webhook):
    """No alerts are no mistake."""
    assert parse(webhook()).alerts == []


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        (b"", "", "empty"),
        (b"\xef\xbb\xbf", "", "empty"),
        (b"null", "", "object"),
        (b"[]", "", "object"),
        (b'"x"', "", "object"),
        (b"7", "", "object"),
        (b"{}", "/alerts", "list"),
        (b'{"alerts":null}', "/alerts", "list"),
        (b'{"alerts":{}}', "/alerts", "list"),
        (b'{"alerts":[', "", "too early"),
        (b'{"alerts":[]} x', "", "byte 15"),
        (b'{"alerts":[],"x":NaN}', "", "byte 17"),
        (b'{"alerts":[],"x":Infinity}', "", "byte 17"),
        (b'\xef\xbb\xbf{"alerts":[],"x":NaN}', "", "byte 20"),
        (b'{"alerts":[],"x":"\xff"}', "", "byte 18"),
        (b'{"alerts":[],"x":"\xed\xa0\x80"}', "", "byte 18"),
        ('{"alerts":[]}'.encode("utf-16"), "", "UTF-8"),
        (b'{"alerts":[],"x":"a\x00b"}', "", "JSON"),
        (b"alert=1&b=2", "", "JSON"),
        (b"[" * 100_000, "", "object"),
        (b'{"alerts":' + b"[" * 100_000, "", "deep"),
        (b'{"alerts":[{"labels":' + b'{"a":' * 100_000, "", "deep"),
    ],
)
def test_payload_that_is_none_names_the_place(body, pointer, says):
    """A body that nothing can be made of is refused as a whole, with the pointer or the offset."""
    with pytest.raises(BadPayload) as caught:
        parse(body)
    assert caught.value.pointer == pointer
    assert says in caught.value.message


def test_payload_surrogates_are_made_safe(alert, webhook):
    """Escaped halves of a character become the replacement character; whole ones and escaped backslashes stay."""
    marked = webhook(alert(annotations={"summary": "MARK"}))
    body = marked.replace(b"MARK", rb"a\ud800b \ud83d\ude00 \\ud800 \udc00\ud800")
    (parsed,) = parse(body).alerts
    assert parsed.annotations["summary"] == "a\ufffdb \U0001f600 \\ud800 \ufffd\ufffd"
    parsed.annotations["summary"].encode()


def test_payload_nul_and_duplicate_keys_are_taken(alert, webhook):
    """An escaped NUL is a character like others; of two equal keys the last one counts."""
    body = webhook(alert(labels={"a": "x\0y"})).replace(
        b'"status": "firing", "labels"', b'"status":"x","status":"firing","labels"'
    )
    (parsed,) = parse(body).alerts
    assert parsed.labels == {"a": "x\0y"}


def test_payload_byte_order_mark_is_dropped(alert, webhook):
    """A UTF-8 byte order mark does no harm."""
    assert len(parse(b"\xef\xbb\xbf" + webhook(alert())).alerts) == 1


def test_payload_too_many_labels_are_cut_with_a_mark(alert, webhook):
    """Of ten thousand labels 64 stay, those that rules look at first, the same in every order of delivery."""
    many = {f"l{index:05}": "x" for index in range(10_000)} | {"alertname": "A", "service": "s", "severity": "page"}
    (parsed,) = parse(webhook(alert(labels=many))).alerts
    (turned,) = parse(webhook(alert(labels=dict(reversed(many.items()))))).alerts
    assert len(parsed.labels) == 64
    assert parsed.labels == turned.labels
    assert {"alertname", "service", "severity"} <= parsed.labels.keys()
    assert "10003 labels, 64 kept" in parsed.annotations[MARK]


def test_payload_long_texts_are_cut_with_a_mark(alert, webhook):
    """Long values, names, annotations and addresses are cut, and the alert says so."""
    (parsed,) = parse(
        webhook(
            alert(
                labels={"alertname": "A", "long": "v" * 1_000_000, "n" * 5000: "x", "": "no name", "a\nb": "c"},
                annotations={"summary": "s" * 20_000} | {f"a{index}": "x" for index in range(100)},
                generatorURL="http://x/" + "u" * 9000,
            )
        )
    ).alerts
    assert len(parsed.labels["long"]) == 4096
    assert parsed.labels["n" * 256] == "x"
    assert (parsed.labels[""], parsed.labels["a\nb"]) == ("no name", "c")
    assert len(parsed.annotations["summary"]) == 16384
    assert len(parsed.annotations) == 65
    assert len(parsed.generator_url) == 4096
    for cut in ("'long': 1000000", "label name 'nnn", "101 annotations", "'summary': 20000", "generatorURL"):
        assert cut in parsed.annotations[MARK]


def test_payload_within_bounds_has_no_mark(alert, webhook):
    """An ordinary alert is left alone."""
    (parsed,) = parse(webhook(alert())).alerts
    assert MARK not in parsed.annotations


@pytest.mark.parametrize(
    "body",
    [
        b'{"alerts":[' + b'{"status":"firing","labels":{"a":"b"}},' * 100_001 + b"1]}",
        b'{"alerts":[' + b"1," * 100_001 + b"1]}",
    ],
    ids=["alerts", "commas"],
)
def test_payload_flood_of_small_parts_is_refused(body):
    """A body of a few megabytes cannot make us hold gigabytes."""
    with pytest.raises(BadPayload, match="more than"):
        parse(body)


def test_payload_names_the_receiver_as_it_is_configured(alert, webhook):
    """Alertmanager sends the name of the receiver quoted for a regular expression."""
    assert parse(webhook(alert(), receiver=r"team-x\.web\+hook")).receiver == "team-x.web+hook"
    assert parse(webhook(alert(), receiver=5)).receiver == ""
