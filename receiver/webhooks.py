"""Alerts come in here: authenticate on the headers, bound the body, parse it, make it durable, answer 202.

The hot path of the receiver. Nothing is answered 2xx before the store has it, and no alert makes a 5xx.
"""

import time

import msgspec
import structlog
from flask import Blueprint, Response, request

from receiver import problems
from receiver.auth import Keyring, Source, presented_token, unauthorized
from receiver.bodies import Bodies
from receiver.deps import AlertSink, Deps
from receiver.failfast import FailFast
from receiver.metrics import UNKNOWN
from receiver.payloads import alertmanager
from receiver.payloads.parsed import Parsed
from receiver.problems import Problem

log = structlog.get_logger(__name__)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a 202."""

    accepted: int
    quarantined: int
    event_id: str


class Webhook:
    """One kind of sender: who may post, how its body is read."""

    def __init__(self, deps: Deps, intake: AlertSink, bodies: Bodies, kind: str) -> None:
        self._deps = deps
        self._bodies = bodies
        self._intake = intake
        self._sources: Keyring[Source] = Keyring(source for source in deps.sources if source.kind == kind)

    def answer(self) -> Response:
        """Take the request, count it and answer it."""
        started = time.perf_counter()
        environ = request.environ
        source = self._sources.holder_of(presented_token(environ.get("HTTP_AUTHORIZATION", "")))
        name = UNKNOWN if source is None else source.name
        try:
            response = self.take(source)
        except Exception as error:  # noqa: BLE001 - the request boundary: every answer is counted, also the unforeseen
            response = problems.answer_to(error)
        if response.status_code == 413:
            log.warning("answered 413: alerts were refused for their size", source=name)
        self._deps.record.observe(name, response.status_code, time.perf_counter() - started)
        return response

    def take(self, source: Source | None) -> Response:
        """Return the 202 after the store has the alerts; raises `Problem`, `BadPayload` or a `StoreError`."""
        if source is None:
            raise unauthorized()
        environ = request.environ
        check_media_type(environ.get("CONTENT_TYPE") or "", environ.get("HTTP_CONTENT_ENCODING") or "")
        with self._bodies.body(environ) as body:
            parsed = alertmanager.parse(body)
            answer = self._append(source, parsed)
        return Response(msgspec.json.encode(answer), 202, content_type="application/json")

    def _append(self, source: Source, parsed: Parsed) -> Answer:
        appended = self._intake.append_alerts(
            source=source.name,
            alerts=parsed.alerts,
            refused=parsed.refused,
            received_at=self._deps.now(),
            truncated=parsed.truncated,
        )
        return Answer(accepted=appended.accepted, quarantined=appended.quarantined, event_id=appended.event_id)


def blueprint(deps: Deps) -> Blueprint:
    """Return the routes below `/webhooks/`."""
    routes = Blueprint("webhooks", __name__)
    bodies = Bodies(readers=deps.body_readers, timeout=deps.body_timeout)
    from_alertmanager = Webhook(deps, FailFast(deps.intake), bodies, "alertmanager")
    routes.add_url_rule("/webhooks/alertmanager", "alertmanager", from_alertmanager.answer, methods=["POST"])

    @routes.app_errorhandler(405)
    def wrong_method(error: Exception) -> Response:
        if request.path.startswith("/webhooks/"):
            deps.record.observe(UNKNOWN, 405, 0.0)
        return problems.answer_to(error)

    return routes


def check_media_type(content_type: str, encoding: str) -> None:
    """Raise `Problem` 415 unless the body can be JSON that is not compressed; a missing type is taken for JSON."""
    if encoding.strip().lower() not in ("", "identity"):
        raise Problem(
            415,
            "Compressed bodies are not taken.",
            hint="Send the body as it is, without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in ("", "application/json") or media_type.endswith("+json"):
        return
    raise Problem(
        415,
        "The body must be JSON.",
        hint="Send `Content-Type: application/json`.",
        headers={"Accept": "application/json"},
    )
