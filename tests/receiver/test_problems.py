"""Error answers: what of a request goes into the log."""

import pytest
from flask import Flask
from structlog.testing import capture_logs

from incidents.errors import StoreUnavailable
from receiver import problems


@pytest.mark.parametrize(
    ("error", "event"), [(ZeroDivisionError(), "unexpected error"), (StoreUnavailable("away"), "answering 503")]
)
def test_problems_log_the_route_and_never_a_secret_of_the_address(monkeypatch, error, event):
    """Links to acknowledge, to a status page and to sign in are credentials."""
    monkeypatch.setattr(problems, "_logged_at", {})
    app = Flask("problems")
    problems.install(app)

    @app.get("/status/<token>")
    def status(token: str) -> str:
        raise error

    with capture_logs() as logs:
        app.test_client().get("/status/a-secret")
    (line,) = logs
    assert (line["event"], line["route"]) == (event, "/status/<token>")
    assert "a-secret" not in str({name: value for name, value in line.items() if name != "exc_info"})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("the store refuses: OOM command not allowed when used memory > 'maxmemory'.", "full"),
        ("the store refuses: MISCONF Redis is configured to save RDB snapshots", "disk"),
        ("the store refuses: READONLY You can't write against a read only replica.", "read-only"),
        ("the store refuses: LOADING Redis is loading the dataset in memory", "loading"),
        ("the store does not answer: Redis is loading the dataset in memory", "loading"),
        ("the store does not answer: invalid username-password pair or user is disabled.", "denied"),
        ("the store does not answer: Timeout connecting to server", "slow"),
        ("the store does not answer: Error 111 connecting to 10.0.0.7:6379. Connection refused.", "away"),
    ],
)
def test_problems_say_why_the_store_takes_nothing_and_never_where_it_is(monkeypatch, said, reason):
    """A 503 says what is wrong, what to do, and for how long to wait; what the store said stays in the log."""
    monkeypatch.setattr(problems, "_logged_at", {})
    app = Flask("problems")
    with app.test_request_context("/"):
        answer = problems.answer_to(StoreUnavailable(said))
    body = answer.get_json()
    assert (answer.status_code, body["reason"]) == (503, reason)
    assert body["detail"].startswith("The store ")
    assert body["hint"]
    assert int(answer.headers["Retry-After"]) > 0
    told = answer.get_data(as_text=True)
    assert "10.0.0.7" not in told
    assert said.partition(": ")[2] not in told
