"""Every error answer of the receiver, as `application/problem+json` (RFC 9457), made in this one place.

Senders act on the status: Alertmanager retries a 5xx and never a 4xx, so what may pass is 503. An answer holds no
traceback, no version, no path of ours, no secret, and nothing long that the caller sent.
"""

import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from incidents.errors import LeaseLost, NotFound, StoreConflict, StoreUnavailable, TocsinError, TransitionNotAllowed
from incidents.store.quarantine import NotRequeueable
from incidents.store.reads import UnknownCursor
from receiver.payloads.parsed import BadPayload
from receiver.unavailable import unavailable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
LOG_EVERY = 10.0  # seconds
_logged_at: dict[str, float] = {}
MAX_DETAIL = 1000  # Alertmanager writes the bodies of error answers to its log

# The first class that fits decides. What is not listed here is a mistake of ours: 500.
STATUS_OF: tuple[tuple[type[TocsinError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (UnknownCursor, HTTPStatus.BAD_REQUEST),
    (NotRequeueable, HTTPStatus.CONFLICT),
    (TransitionNotAllowed, HTTPStatus.CONFLICT),
    (StoreConflict, HTTPStatus.CONFLICT),
    (LeaseLost, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)

POST_HINT = (
    "Send a POST: curl -X POST -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' "
    "--data @body.json URL"
)
UNKNOWN_HINT = "Alertmanager posts to /webhooks/alertmanager; /-/healthy, /-/ready and /metrics need no token."
UNKNOWN_ID_HINT = "Ids are whole, such as INC-2026-0001; the list of incidents shows those that you may see."
UNKNOWN_API_HINT = "GET /api/v1/openapi.json lists every call of the API."


class Problem(Exception):
    """An error answer, raised wherever it becomes known; `detail` says what is wrong, `hint` what to do."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        self.status = status
        self.detail = detail
        self.hint = hint
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        super().__init__(detail)

    def response(self) -> Response:
        """Return the answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail[:MAX_DETAIL],
        }
        if self.hint:
            body["hint"] = self.hint
        body |= self.members
        return Response(msgspec.json.encode(body), self.status, self.headers, content_type=MEDIA_TYPE)


def install(app: Flask) -> None:
    """Let every error that leaves a view of this application become a problem answer."""
    for kind in (HTTPException, Exception):
        app.register_error_handler(kind, answer_to)


def answer_to(error: Exception) -> Response:
    """Return the problem answer to any error; what nobody foresaw is recorded here, once."""
    return problem_of(error).response()


def problem_of(error: Exception) -> Problem:
    """Return any error as a problem; what nobody foresaw is recorded here, once."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BadPayload):
        return of_payload(error)
    if isinstance(error, TocsinError):
        return of_domain(error)
    if isinstance(error, HTTPException):
        return of_http(error)
    return unexpected(error)


def of_payload(error: BadPayload) -> Problem:
    """Return the answer to a body that nothing can be made of, with the JSON pointer to the place."""
    members: dict[str, Any] = {"pointer": error.pointer}
    if error.offset is not None:
        members["offset"] = error.offset
    return Problem(HTTPStatus.BAD_REQUEST, error.message, hint=error.hint, members=members)


def of_domain(error: TocsinError) -> Problem:
    """Return the answer to an error of the domain or its store."""
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), None)
    if status is None:
        return unexpected(error)
    if status != HTTPStatus.SERVICE_UNAVAILABLE:
        return Problem(status, str(error), hint=UNKNOWN_ID_HINT if _is_unknown_incident(error) else "")
    _log_seldom(str(error))
    why = unavailable(error)
    return Problem(
        status, why.detail, hint=why.hint, headers={"Retry-After": str(why.seconds)}, members={"reason": why.reason}
    )


def _is_unknown_incident(error: TocsinError) -> bool:
    return isinstance(error, NotFound) and error.kind == "incident"


def _log_seldom(reason: str) -> None:
    """Log why 503 is answered, once in a while: a storm of retries must not become a storm in the log."""
    now = time.monotonic()
    if now - _logged_at.get("503", -LOG_EVERY) >= LOG_EVERY:
        _logged_at["503"] = now
        log.warning("answering 503", reason=reason, route=_route())


def of_http(error: HTTPException) -> Problem:
    """Return the answer to what the framework refuses before a view is reached."""
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if code == HTTPStatus.NOT_FOUND or code < HTTPStatus.BAD_REQUEST:
        hint = UNKNOWN_API_HINT if request.path.startswith("/api/") else UNKNOWN_HINT
        # A redirect would lose the alert: senders follow it with a GET and take the answer for a success.
        return Problem(HTTPStatus.NOT_FOUND, "There is nothing at this address.", hint=hint)
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        hint = POST_HINT if "POST" in allowed else f"Use {allowed}."
        detail = f"This address takes {allowed}, not {request.method[:20]}."
        return Problem(code, detail, hint=hint, headers={"Allow": allowed})
    return Problem(code, HTTPStatus(code).phrase + ".")


def _route() -> str:
    """Return the address as it is registered: what was asked may be a link that bears a secret."""
    return request.url_rule.rule if request.url_rule else ""


def unexpected(error: BaseException) -> Problem:
    """Record an error that nobody foresaw under an id, and return an answer that tells the id alone."""
    request_id = secrets.token_hex(8)
    log.error("unexpected error", request_id=request_id, method=request.method, route=_route(), exc_info=error)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong that should not have.",
        hint=f"The log of the receiver tells more under the request id {request_id}.",
        members={"request_id": request_id},
    )
