"""`POST /webhooks/pagerduty`: PagerDuty's V3 webhooks, known by their signature over the raw bytes.

Nothing is parsed before the signature holds. After that no answer is a 4xx: PagerDuty drops such a webhook, and three
in a row switch the subscription off for a day. A body that makes no sense is kept in quarantine instead.
"""

import structlog
from flask import Blueprint, Response

from incidents.redaction import redact
from incidents.store.intake import Refused
from receiver.auth import Source
from receiver.bodies import Environ
from receiver.payloads import pagerduty
from receiver.payloads.parsed import BadPayload
from receiver.payloads.wire import MAX_REFUSED_TEXT
from receiver.problems import Problem
from receiver.senders.posts import Gate, Heard, Post, accepted, body_limit
from receiver.senders.signatures import pagerduty_candidates, signer_of

log = structlog.get_logger(__name__)


class PagerDuty(Post):
    """The address of PagerDuty's webhook subscriptions."""

    kind = "pagerduty"

    def take(self, environ: Environ, heard: Heard, **_: str) -> Response:
        """Return the 202 after the store has the event, or keeps the body aside."""
        candidates = pagerduty_candidates(environ.get("HTTP_X_PAGERDUTY_SIGNATURE", ""))
        if not candidates:
            raise unsigned()
        with self.gate.bodies.body(environ, body_limit(proven=False)) as body:
            source = signer_of(self.sources, candidates, [body])
            if source is None:
                raise unsigned()
            self.prove(source, environ, heard)
            return self._keep(source, body, environ.get("HTTP_X_WEBHOOK_ID", ""))

    def _keep(self, source: Source, body: bytes, webhook_id: str) -> Response:
        try:
            incoming = pagerduty.parse(body, webhook_id)
        except BadPayload as error:
            log.warning("a signed webhook makes no sense", source=source.name, reason=error.message, hint=error.hint)
            return accepted(self.append_incoming(source, (), [_aside(body, error)]))
        return accepted(self.append_incoming(source, [incoming]))


def _aside(body: bytes, error: BadPayload) -> Refused:
    text = body[:MAX_REFUSED_TEXT].decode("utf-8", "replace")
    reason = f"{error.pointer}: {error.message}" if error.pointer else error.message
    return Refused(reason=f"{reason} {error.hint}".strip(), text=redact(text))


def unsigned() -> Problem:
    """Return the one answer to a signature that is missing, malformed or wrong."""
    return Problem(
        401,
        "A valid signature is needed.",
        hint="Put the secret of the webhook subscription into signing_secrets of the source.",
        headers={"WWW-Authenticate": "Signature"},
    )


def add_routes(routes: Blueprint, gate: Gate) -> None:
    """Add the address of PagerDuty's webhooks."""
    routes.add_url_rule("/webhooks/pagerduty", "pagerduty", PagerDuty(gate).answer, methods=["POST"])
