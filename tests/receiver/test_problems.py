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
