"""The way in, held against the table of bad requests."""

import base64
from datetime import UTC, datetime

import pytest

from incidents.errors import StoreUnavailable
from receiver.bodies import MAX_BODY

URL = "/webhooks/alertmanager"
BEARER = {"Authorization": "Bearer source-token"}
NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)  # what the clock of the fixture says


def test_webhook_answers_202_after_the_store_has_it(client, intake, record, alert, webhook):
    """A good delivery goes to the stream under the name of its token's source, and is counted."""
    answer = client.post(URL, data=webhook(alert(), alert(status="x"), truncatedAlerts=3), headers=BEARER)
    assert (answer.status_code, answer.json) == (
        202,
        {"accepted": 1, "quarantined": 1, "event_id": "1762052400000-0"},
    )
    assert (intake.sources, len(intake.alerts), len(intake.refused), intake.truncated) == (["prod"], 1, 1, 3)
    assert record.seen == [("prod", 202)]


def test_webhook_empty_list_is_accepted(client, webhook):
    """No alerts are a good delivery of none."""
    answer = client.post(URL, data=webhook(), headers=BEARER)
    assert (answer.status_code, answer.json["accepted"]) == (202, 0)


def basic(credentials: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(credentials).decode()}


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        (BEARER, "prod"),
        ({"Authorization": "bearer   source-token "}, "prod"),
        ({"Authorization": "Bearer next-token"}, "prod"),
        ({"Authorization": "Bearer other-token"}, "other"),
        (basic(b"anybody:source-token"), "prod"),
        (basic(b":source-token"), "prod"),
    ],
)
def test_webhook_source_is_known_by_its_token(client, intake, alert, webhook, headers, source):
    """Bearer, or basic with the token as the password; either of two tokens while they rotate."""
    assert client.post(URL, data=webhook(alert()), headers=headers).status_code == 202
    assert intake.sources == [source]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer source-token-and-more"},
        {"Authorization": "Bearer söürce"},
        {"Authorization": "Token source-token"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic w6k"},
        basic(b"source-token"),
        basic(b"source-token:wrong"),
        {"Authorization": "Bearer prometheus-token"},
        {"Authorization": "Bearer admin-token"},
        {"Authorization": "Bearer " + "x" * 100_000},
    ],
)
def test_webhook_without_its_token_is_401(client, record, headers):
    """Whatever is wrong with the credential, the answer is one and the same, and the body is not looked at."""
    answer = client.post(URL, data=b"not JSON", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.data == client.post(URL).data
    assert record.seen[0] == ("unknown", 401)


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "application/json; charset=utf-8", "application/x+json"]
)
def test_webhook_content_type_may_be_json_or_missing(client, webhook, content_type):
    """A missing type is taken for JSON."""
    assert client.post(URL, data=webhook(), headers=BEARER, content_type=content_type).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "text/plain"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "br, gzip"},
    ],
)
def test_webhook_other_bodies_are_415(client, record, webhook, headers):
    """Forms and compressed bodies are refused before they are read."""
    answer = client.post(URL, data=webhook(), headers=BEARER | headers)
    assert answer.status_code == 415
    assert answer.json["hint"]
    assert record.seen == [("prod", 415)]


def test_webhook_bad_body_is_400_with_the_pointer(client, record):
    """A body that nothing can be made of is answered with the place."""
    answer = client.post(URL, data=b'{"alerts": 7}', headers=BEARER)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json["pointer"] == "/alerts"
    assert answer.json["status"] == 400
    assert client.post(URL, data=b'{"alerts": [', headers=BEARER).json["offset"] == 12
    assert record.seen == [("prod", 400)] * 2


def test_webhook_declared_length_over_the_cap_is_413_at_once(client, record):
    """Nothing of it is read, and the answer says what to do."""
    answer = client.post(URL, data=b"{}", headers=BEARER, environ_overrides={"CONTENT_LENGTH": str(MAX_BODY + 1)})
    assert answer.status_code == 413
    assert "max_alerts" in answer.json["hint"]
    assert record.seen == [("prod", 413)]


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 30, "\u0661"])
def test_webhook_nonsense_length_is_refused(client, length):
    """A length that is none is 400."""
    answer = client.post(URL, data=b"{}", headers=BEARER, environ_overrides={"CONTENT_LENGTH": length})
    assert answer.status_code == 400


def test_webhook_truncated_body_is_400(client, intake):
    """A body that ends before its length, even where JSON would be complete, was not delivered."""
    answer = client.post(URL, data=b'{"alerts":[]}', headers=BEARER, environ_overrides={"CONTENT_LENGTH": "20"})
    assert answer.status_code == 400
    assert intake.sources == []


def test_webhook_store_away_is_503(client, intake, record, alert, webhook):
    """What may pass is a 5xx, so that the sender tries again; the reason stays inside."""
    intake.error = StoreUnavailable("unix:///var/lib/secret.sock refused")
    answer = client.post(URL, data=webhook(alert()), headers=BEARER)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert b"secret.sock" not in answer.data
    assert record.seen == [("prod", 503)]


def test_webhook_unforeseen_error_tells_an_id_alone(client, intake, record, alert, webhook):
    """Only a mistake of ours is 500; it is logged under an id, and nothing of it is shown."""
    intake.error = ZeroDivisionError("inner detail")
    answer = client.post(URL, data=webhook(alert()), headers=BEARER)
    assert answer.status_code == 500
    assert answer.json["request_id"] in answer.json["hint"]
    assert b"inner detail" not in answer.data
    assert b"Traceback" not in answer.data
    assert record.seen == [("prod", 500)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_webhook_other_method_is_405_with_a_hint(client, record, method):
    """The answer names the method, and shows an example."""
    answer = client.open(URL, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert method == "HEAD" or "curl -X POST" in answer.json["hint"]
    assert record.seen == [("unknown", 405)]


@pytest.mark.parametrize("spelling", [URL + "/", "/webhooks/alertmanager?x=1"])
def test_webhook_spelling_of_the_address_never_redirects(client, webhook, spelling):
    """A redirect would lose the alert."""
    assert client.post(spelling, data=webhook(), headers=BEARER).status_code == 202


@pytest.mark.parametrize(
    "address", ["//webhooks/alertmanager", "/webhooks//alertmanager", "/webhooks", "/x" * 5000, "/%00"]
)
def test_unknown_address_is_404_with_a_hint(client, address):
    """The answer says where things are, and does not repeat what was asked for."""
    answer = client.post(address, headers=BEARER)
    assert answer.status_code == 404
    assert "/webhooks/alertmanager" in answer.json["hint"]
    assert len(answer.data) < 1000


def test_webhook_received_at_is_the_clock_it_was_given(make_client, intake, alert, webhook):
    """Time is an argument."""
    given = []

    def append(**kwargs):
        given.append(kwargs["received_at"])
        return type(intake).append_alerts(intake, **kwargs)

    sink = type("Sink", (), {"append_alerts": staticmethod(append)})()
    make_client(intake=sink).post(URL, data=webhook(alert()), headers=BEARER)
    assert given == [NOW]


def test_answers_carry_security_headers(client, webhook):
    """Good and bad answers alike: no sniffing, no storing, no versions."""
    for answer in (client.post(URL, data=webhook(), headers=BEARER), client.post(URL), client.get("/nowhere")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "tocsin"
        assert "Set-Cookie" not in answer.headers
