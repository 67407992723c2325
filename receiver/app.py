"""The receiver as a WSGI application: the list of its parts, its error answers, its headers.

It authenticates, parses, hands over and renders; whatever decides lives elsewhere.
"""

from collections.abc import Callable

from flask import Blueprint, Flask, Response, request

from incidents.store.audit import Audit
from receiver import acknowledging, api, audit, auth, probes, problems, web
from receiver.api import calendars
from receiver.deps import Deps
from receiver.limits import Limiter
from receiver.senders import webhooks
from receiver.shortcut import HEADERS
from receiver.web.live import HUB, Hub

__all__ = ["BLUEPRINTS", "Deps", "create_app"]

BLUEPRINTS: tuple[Callable[[Deps], Blueprint], ...] = (
    webhooks.blueprint,
    probes.blueprint,
    api.blueprint,
    acknowledging.blueprint,
    calendars.blueprint,
    web.blueprint,
)

# With these a request may be refused before its body is read; the server then closes the connection after the answer.
UNREAD = frozenset({401, 403, 404, 405, 413, 415, 429})


def create_app(deps: Deps) -> Flask:
    """Return the application; it answers problems for every error and never a redirect for a spelling of an address."""
    app = Flask("receiver", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # A sender follows a redirect with a GET and takes the answer for a success: the alert is lost.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    auth.keep_callers(app.extensions, deps.api_tokens, Limiter(deps.limits.callers))
    audit.install(app, audit.Trail(Audit(deps.api.links) if deps.api is not None else None, deps.now))
    if deps.api is not None:
        app.extensions[HUB] = Hub(deps.api.links, told=deps.streams)
    problems.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint(deps))
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    headers = response.headers
    kept = headers.get("Cache-Control")
    headers.update(HEADERS)
    if kept is not None:
        headers["Cache-Control"] = kept
    if response.status_code in UNREAD and _has_body():
        headers["Connection"] = "close"  # or a sender that keeps it would lose what it sends next
    return response


def _has_body() -> bool:
    environ = request.environ
    return environ.get("CONTENT_LENGTH", "") not in {"", "0"} or "HTTP_TRANSFER_ENCODING" in environ
