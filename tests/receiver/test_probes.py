"""The probes, and the order to reload."""

import pytest

from incidents.errors import StoreUnavailable
from receiver.deps import Reloaded


def test_healthy_needs_nothing(client):
    """Being alive needs neither token nor store; HEAD works as well."""
    assert client.get("/-/healthy").json == {"status": "healthy"}
    head = client.head("/-/healthy")
    assert (head.status_code, head.data) == (200, b"")


def test_ready_gives_the_reasons(make_client):
    """503 with each reason, 200 without one."""
    assert make_client().get("/-/ready").status_code == 200
    answer = make_client(ready=lambda: ["the store does not answer", "no rules"]).get("/-/ready")
    assert answer.status_code == 503
    assert answer.json["reasons"] == ["the store does not answer", "no rules"]
    assert "no rules" in answer.json["detail"]


def test_metrics_are_plain_text(client):
    """Prometheus takes the content type at its word."""
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.data.startswith(b"# HELP")


@pytest.mark.parametrize(
    ("token", "status"),
    [("", 401), ("wrong", 401), ("source-token", 401), ("viewer-token", 403), ("responder-token", 403)],
)
def test_reload_needs_an_admin(client, token, status):
    """Any other token is turned away, and a good one of too low a role is told so."""
    answer = client.post("/-/reload", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_reload_answers_the_hash(client):
    """Done means done: the hash that is in force now."""
    answer = client.post("/-/reload", headers={"Authorization": "Bearer admin-token"})
    assert (answer.status_code, answer.json) == (200, {"hash": "abc"})
    assert client.get("/-/reload").status_code == 405


def test_reload_of_broken_rules_gives_every_error(make_client):
    """400 with all errors; the hash tells that the old rules stay."""
    errors = ("a.yml:1:1: error[R001] x", "b.yml:2:2: error[R002] y")
    client = make_client(reload=lambda: Reloaded(hash="old", errors=errors))
    answer = client.post("/-/reload", headers={"Authorization": "Bearer admin-token"})
    assert answer.status_code == 400
    assert answer.json["errors"] == list(errors)
    assert answer.json["hash"] == "old"


def test_reload_with_the_store_away_is_503(make_client):
    """The rule set lives in the store."""

    def reload():
        raise StoreUnavailable("away")

    client = make_client(reload=reload)
    assert client.post("/-/reload", headers={"Authorization": "Bearer admin-token"}).status_code == 503
