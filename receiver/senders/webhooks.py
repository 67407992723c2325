"""Alerts come in here: authenticate, bound the body, parse it, make it durable, answer as the sender expects.

The hot path of the receiver. Nothing is answered 2xx before the store has it, and no alert makes a 5xx.
"""

from typing import cast

from flask import Blueprint, Flask, Response, request
from flask.sansio.blueprints import BlueprintSetupState

from receiver import problems
from receiver.auth import unauthorized
from receiver.bodies import Bodies, Environ
from receiver.deps import Deps
from receiver.failfast import FailFast
from receiver.limits import Limiter
from receiver.metrics import UNKNOWN
from receiver.payloads import alertmanager
from receiver.senders import generic, grafana, pagerduty, pagerduty_events, prometheus
from receiver.senders.posts import Gate, Heard, Post, check_media_type, told
from receiver.shortcut import Shortcut

ADDRESS = "/webhooks/alertmanager"
PREFIXES = ("/webhooks/", "/v2/", "/api/v2/")


class Alertmanager(Post):
    """`POST /webhooks/alertmanager`."""

    kind = "alertmanager"

    def take(self, environ: Environ, heard: Heard, **_: str) -> Response:
        """Return the 202 after the store has the alerts."""
        return Response(self.taken(environ, heard), 202, content_type="application/json")

    def taken(self, environ: Environ, heard: Heard) -> bytes:
        """Return the body of the 202, likewise."""
        source = self.by_token(environ, heard)
        if source is None:
            raise unauthorized()
        check_media_type(environ)
        with self.gate.bodies.body(environ) as body:
            return told(self.append(source, alertmanager.parse(body)))


def blueprint(deps: Deps) -> Blueprint:
    """Return every route that senders post to."""
    routes = Blueprint("webhooks", __name__)
    gate = Gate(
        deps=deps,
        intake=FailFast(deps.intake),
        bodies=Bodies(readers=deps.body_readers, timeout=deps.body_timeout),
        limiter=Limiter(deps.limits.senders),
    )
    posts = Alertmanager(gate)
    routes.add_url_rule(ADDRESS, "alertmanager", posts.answer, methods=["POST"])
    for sender in (pagerduty, pagerduty_events, prometheus, grafana, generic):
        sender.add_routes(routes, gate)

    @routes.record_once
    def take_the_shortcut(state: BlueprintSetupState) -> None:
        app = cast("Flask", state.app)
        app.wsgi_app = Shortcut(app.wsgi_app, {ADDRESS: posts})  # type: ignore[method-assign] # as Flask would have it

    @routes.app_errorhandler(405)
    def wrong_method(error: Exception) -> Response:
        if request.path.startswith(PREFIXES):
            deps.record.observe(UNKNOWN, 405, 0.0)
        return problems.answer_to(error)

    return routes
