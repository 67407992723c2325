"""`POST /v2/enqueue` and `/v2/change/enqueue`: a stand-in for PagerDuty's Events API v2, with its answers.

A sender of PagerDuty's works against us by changing one address. The routing key in the body is its credential: it is
compared by its digest, and is never stored, logged or answered.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from http import HTTPStatus

import structlog
from flask import Blueprint, Response

from receiver import problems
from receiver.audit import note_refused
from receiver.auth import Source
from receiver.bodies import Environ
from receiver.payloads import pagerduty_events
from receiver.payloads.pagerduty_events import Invalid, Read, Taken
from receiver.payloads.parsed import BadPayload
from receiver.senders.posts import Gate, Heard, Post, body_limit, check_media_type, json_answer

log = structlog.get_logger(__name__)

INVALID = ("invalid event", "Event object is invalid")
UNREADABLE = ("Unrecognized object", "Event object format is unrecognized")


class Enqueue(Post):
    """The address of alert events."""

    kind = "pagerduty_events"

    def take(self, environ: Environ, heard: Heard, **_: str) -> Response:
        """Return PagerDuty's answer after the store has the event."""
        check_media_type(environ)
        with self.gate.bodies.body(environ, body_limit(proven=False)) as body:
            read = pagerduty_events.read(body, environ.get("HTTP_X_ROUTING_KEY", ""))
            key_hash, source = self._owner(read.routing_key)
            if source is None:
                note_refused(400)
                raise Invalid("Invalid routing key")
            self.prove(source, environ, heard)
            taken = self.meaning(read, key_hash, source)
        self.append_incoming(source, taken.incoming, taken.refused)
        return json_answer(self.success(taken), 202)

    def meaning(self, read: Read, key_hash: bytes, source: Source) -> Taken:  # noqa: ARG002 - for the one that needs it
        """Return what the event says."""
        return pagerduty_events.take(read, key_hash, secrets.token_hex(16))

    def success(self, taken: Taken) -> dict[str, str]:
        """Return the body of the 202."""
        return {"status": "success", "message": "Event processed", "dedup_key": taken.dedup_key}

    def refusal(self, error: Exception) -> Response:
        """Return an error as PagerDuty words it."""
        if isinstance(error, Invalid):
            return _refused(400, *INVALID, error.errors)
        if isinstance(error, BadPayload):
            return _refused(400, *UNREADABLE, ["JSON parse error", error.message])
        answer = problems.answer_to(error)
        status = answer.status_code
        phrase = HTTPStatus(status).phrase
        made = _refused(status, phrase.lower(), phrase, [str((answer.get_json() or {}).get("detail", phrase))])
        if "Retry-After" in answer.headers:
            made.headers["Retry-After"] = answer.headers["Retry-After"]
        return made

    def _owner(self, routing_key: str) -> tuple[bytes, Source | None]:
        digest = hashlib.sha256(routing_key.encode("utf-8", "surrogatepass")).digest()
        found: Source | None = None
        for source in self.sources:
            for candidate in source.routing_key_hashes:
                if hmac.compare_digest(candidate, digest):
                    found = source
        return digest, found


class ChangeEnqueue(Enqueue):
    """The address of change events."""

    def meaning(self, read: Read, key_hash: bytes, source: Source) -> Taken:  # noqa: ARG002 - a change has no key
        """Return the action that the event is."""
        return pagerduty_events.take_change(read, source.name)

    def success(self, taken: Taken) -> dict[str, str]:  # noqa: ARG002 - a change has no key
        """Return the body of the 202."""
        return {"status": "success", "message": "Change event processed"}


def _refused(status: int, word: str, message: str, errors: Sequence[str]) -> Response:
    return json_answer({"status": word, "message": message, "errors": list(errors)}, status)


def add_routes(routes: Blueprint, gate: Gate) -> None:
    """Add the addresses of the Events API."""
    routes.add_url_rule("/v2/enqueue", "enqueue", Enqueue(gate).answer, methods=["POST"])
    routes.add_url_rule("/v2/change/enqueue", "change_enqueue", ChangeEnqueue(gate).answer, methods=["POST"])
