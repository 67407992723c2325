"""Headers that claim what is not so: another address, another host, another method, another source."""

import pytest

from receiver.audit import TRAIL

BEARER = {"Authorization": "Bearer source-token"}
CLAIMS = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=6.6.6.6;host=evil.example;proto=https",
    "X-Real-IP": "6.6.6.6",
    "X-Original-URL": "/-/healthy",
    "X-Rewrite-URL": "/-/healthy",
    "X-HTTP-Method-Override": "GET",
    "X-Source": "other",
    "Host": "evil.example",
}


def test_forged_headers_change_no_answer(client, webhook, alert, intake):
    """The source is that of the token, and the answer is the one without them."""
    answer = client.post("/webhooks/alertmanager", data=webhook(alert()), headers=BEARER | CLAIMS)
    assert answer.status_code == 202
    assert intake.sources == ["prod"]
    assert "evil" not in answer.text + str(answer.headers)


def test_source_comes_from_the_token_and_never_from_the_body(client, webhook, alert, intake):
    """A body that claims to be of another source is one of the token's."""
    body = webhook(
        alert(source="other", labels={"alertname": "x", "source": "other"}), source="other", receiver="other"
    )
    assert client.post("/webhooks/alertmanager?source=other", data=body, headers=BEARER).status_code == 202
    assert intake.sources == ["prod"]


def test_two_tokens_of_a_source_are_the_same_source(client, webhook, alert, intake):
    """While a token is rotated the old and the new one are valid at once."""
    for token in ("source-token", "next-token"):
        headers = {"Authorization": f"Bearer {token}"}
        assert client.post("/webhooks/alertmanager", data=webhook(alert()), headers=headers).status_code == 202
    assert intake.sources == ["prod", "prod"]


@pytest.mark.parametrize("path", ["/-/reload", "/api/v1/status"])
def test_forged_headers_open_nothing(client, path):
    """No claimed method, address or path stands for a credential."""
    answer = client.post(path, headers=CLAIMS)
    assert answer.status_code in (401, 404, 405)


def test_routing_key_that_is_nobodys_is_a_refused_credential(client):
    """PagerDuty's protocol answers it with 400; it is counted like every other one."""
    body = {"routing_key": "0" * 32, "event_action": "trigger", "payload": {"summary": "x"}}
    assert client.post("/v2/enqueue", json=body).status_code == 400
    refusals = client.application.extensions[TRAIL].refusals
    assert counted(refusals) == {"127.0.0.1"}


def counted(refusals) -> set[str]:
    """The addresses that were counted, whether written by now or not."""
    return {*refusals._counted, *refusals._written}
