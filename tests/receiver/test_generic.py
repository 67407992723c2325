"""Any sender of JSON: three ways to show who it is, and a mapping."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from incidents.errors import StoreUnavailable

URL = "/webhooks/generic/ci"
BEARER = {"Authorization": "Bearer generic-token"}
NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
WHSEC = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()
BODY = {"name": "Build broken", "project": "orders", "state": "bad", "key": "orders/main", "since": 1793588400}


def post(client, body=None, url=URL, **headers):
    return client.post(url, data=json.dumps(BODY if body is None else body), headers=BEARER | headers)


def test_generic_object_is_an_alert(client, intake, record):
    """By the expressions of the source."""
    answer = post(client)
    assert (answer.status_code, answer.json["accepted"], record.seen) == (202, 1, [("ci", 202)])
    alert = intake.incoming[0].alert
    assert alert.labels == {"alertname": "Build broken", "service": "orders"}
    assert alert.starts_at == datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


def test_generic_list_is_many(client, intake):
    """An ignored one says nothing, and a bad one is kept aside."""
    others = [{"state": "good"}, {"state": "same"}, {"state": "odd"}, {"key": None}, {"key": 12}, {"name": ["a", 1]}]
    answer = post(client, [BODY, *(BODY | other for other in others)])
    assert (answer.json["accepted"], answer.json["quarantined"]) == (4, 2)
    fingerprints = [each.alert.fingerprint for each in intake.incoming]
    assert [each.alert.status for each in intake.incoming] == ["firing", "resolved", "firing", "firing"]
    assert fingerprints[0] == fingerprints[1] == fingerprints[3] != fingerprints[2]
    assert intake.incoming[3].alert.labels["alertname"] == "a,1"
    assert [each.reason for each in intake.refused] == [
        "/3/status: 'odd' is listed under neither firing, resolved nor ignore",
        "/4/identity: the expression 'key' finds nothing",
    ]


@pytest.mark.parametrize(
    "body", [b"", b"null", b'"x"', b"7", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000, b"1" * 5000]
)
def test_generic_other_bodies_are_400(client, intake, body):
    """With the place of the mistake."""
    answer = client.post(URL, data=body, headers=BEARER)
    assert (answer.status_code, "pointer" in answer.json) == (400, True)
    assert intake.sources == []


@pytest.mark.parametrize(("media_type", "code"), [("text/plain; charset=UTF-8", 202), (None, 202), ("text/html", 415)])
def test_generic_media_types(client, media_type, code):
    """SNS says that its JSON is plain text."""
    assert client.post(URL, data=json.dumps(BODY), headers=BEARER, content_type=media_type).status_code == code


def test_generic_store_away_is_503(client, intake):
    """So that the sender tries again."""
    intake.error = StoreUnavailable("gone")
    assert post(client).status_code == 503


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        (URL, {"Authorization": ""}),
        (URL, {"Authorization": "Bearer source-token"}),
        (URL, {"Authorization": "Bearer sentry-token"}),
        ("/webhooks/generic/sentry", {}),
        ("/webhooks/generic/nobody", {}),
        ("/webhooks/generic/prod", {"Authorization": "Bearer source-token"}),
        (URL, {"Authorization": "", "Sentry-Hook-Signature": "0" * 64}),
    ],
)
def test_generic_token_opens_its_own_name_only(client, intake, url, headers):
    """An unknown name is answered like a wrong token, and SNS is asked for its password."""
    answer = post(client, url=url, **headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="tocsin"'
    assert answer.data == client.post("/webhooks/generic/nobody").data
    assert intake.sources == []


def standard(body, *, at=NOW, delivery="msg_1", secret=WHSEC):
    signature = Webhook(secret).sign(delivery, at, body)
    stamp = str(int(at.timestamp()))
    return {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": signature}


def test_generic_standard_webhook_is_known_by_its_signature(client, intake):
    """Signed by an independent implementation; its id tells a delivery that comes again."""
    body = json.dumps([BODY, BODY])
    answer = client.post(URL, data=body, headers=standard(body))
    assert answer.status_code == 202
    assert [each.ids for each in intake.incoming] == [("msg_1/0",), ("msg_1/1",)]


def test_generic_standard_webhook_of_a_rotated_secret(client):
    """One of several signatures is enough."""
    body = json.dumps(BODY)
    headers = standard(body)
    other = standard(body, secret="whsec_" + base64.b64encode(b"x" * 24).decode())["webhook-signature"]
    headers["webhook-signature"] = f"v2,x {other} {headers['webhook-signature']}"
    assert client.post(URL, data=body, headers=headers).status_code == 202


TEXT = json.dumps(BODY)


@pytest.mark.parametrize(
    "headers",
    [
        standard(TEXT, at=NOW - timedelta(minutes=6)),
        standard(TEXT, at=NOW + timedelta(minutes=6)),
        standard(TEXT) | {"webhook-timestamp": "soon"},
        standard(TEXT) | {"webhook-timestamp": "1e9"},
        standard(TEXT) | {"webhook-timestamp": ""},
        standard(TEXT, delivery="msg.1"),
        standard(TEXT) | {"webhook-id": "msg_2"},
        standard(TEXT) | {"webhook-id": ""},
        standard(TEXT) | {"webhook-signature": ""},
        standard(TEXT) | {"webhook-signature": "v1,"},
        standard(TEXT) | {"webhook-signature": "v1,!!!"},
        standard(TEXT) | {"webhook-signature": standard(TEXT)["webhook-signature"].replace("v1,", "v2,")},
        standard(TEXT) | {"webhook-signature": "v1,AAAA " * 20 + standard(TEXT)["webhook-signature"]},
        standard(TEXT + " "),
        standard(TEXT, secret="whsec_" + base64.b64encode(b"x" * 24).decode()),
    ],
)
def test_generic_standard_webhook_that_does_not_hold_is_401(client, intake, headers):
    """Old, from the future, of another body, id or secret, or of another version."""
    assert client.post(URL, data=TEXT, headers=headers).status_code == 401
    assert intake.sources == []


def test_generic_signature_in_the_header_of_the_mapping(client, intake):
    """Sentry signs so, and can send no token."""
    body = json.dumps({"action": "triggered", "data": {"event": {"issue_id": "7", "title": "x"}}}).encode()
    good = hmac.new(b"client-secret", body, hashlib.sha256).hexdigest()
    for signature, code in ((good, 202), (good[::-1], 401), ("", 401)):
        answer = client.post("/webhooks/generic/sentry", data=body, headers={"Sentry-Hook-Signature": signature})
        assert answer.status_code == code
    assert intake.sources == ["sentry"]
