"""Alerts come in here: authenticate, bound the body, parse it, make it durable, answer as the sender expects.

The hot path of the receiver. Nothing is answered 2xx before the store has it, and no alert makes a 5xx.
"""

from flask import Blueprint, Response, request

from receiver import generic, grafana, pagerduty, pagerduty_events, problems, prometheus
from receiver.auth import unauthorized
from receiver.bodies import Bodies, Environ
from receiver.deps import Deps
from receiver.failfast import FailFast
from receiver.limits import Limiter
from receiver.metrics import UNKNOWN
from receiver.payloads import alertmanager
from receiver.posts import Gate, Heard, Post, accepted, check_media_type

PREFIXES = ("/webhooks/", "/v2/", "/api/v2/")


class Alertmanager(Post):
    """`POST /webhooks/alertmanager`."""

    kind = "alertmanager"

    def take(self, environ: Environ, heard: Heard, **_: str) -> Response:
        """Return the 202 after the store has the alerts."""
        source = self.by_token(environ, heard)
        if source is None:
            raise unauthorized()
        check_media_type(environ)
        with self.gate.bodies.body(environ) as body:
            return accepted(self.append(source, alertmanager.parse(body)))


def blueprint(deps: Deps) -> Blueprint:
    """Return every route that senders post to."""
    routes = Blueprint("webhooks", __name__)
    gate = Gate(
        deps=deps,
        intake=FailFast(deps.intake),
        bodies=Bodies(readers=deps.body_readers, timeout=deps.body_timeout),
        limiter=Limiter(deps.limits.senders),
    )
    routes.add_url_rule("/webhooks/alertmanager", "alertmanager", Alertmanager(gate).answer, methods=["POST"])
    for sender in (pagerduty, pagerduty_events, prometheus, grafana, generic):
        sender.add_routes(routes, gate)

    @routes.app_errorhandler(405)
    def wrong_method(error: Exception) -> Response:
        if request.path.startswith(PREFIXES):
            deps.record.observe(UNKNOWN, 405, 0.0)
        return problems.answer_to(error)

    return routes
