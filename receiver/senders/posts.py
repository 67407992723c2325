"""What every address that senders post to has in common: it counts each answer, and an error never leaves it.

A sender of each kind is a subclass that says who may post and what its body means; it decides nothing.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import structlog
from flask import Response, request

from incidents.incoming import Incoming
from incidents.store.intake import Appended, Refused
from receiver import problems
from receiver.auth import Keyring, Source, presented_token
from receiver.bodies import MAX_BODY, Bodies, Environ, declared_length
from receiver.deps import AlertSink, Deps
from receiver.limits import Limiter, cost_of, too_fast
from receiver.metrics import UNKNOWN
from receiver.payloads.parsed import Parsed
from receiver.problems import Problem

log = structlog.get_logger(__name__)

ENCODER = msgspec.json.Encoder()
BEGUN = "tocsin.begun"  # in the environment of a request
UNPROVEN_BODY = 1024 * 1024  # the most that is read of a body before its sender has proven itself by it


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What the addresses of one process share."""

    deps: Deps
    intake: AlertSink
    bodies: Bodies
    limiter: Limiter

    def sources(self, kind: str) -> tuple[Source, ...]:
        """Return the configured senders of one kind."""
        return tuple(source for source in self.deps.sources if source.kind == kind)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a 202."""

    accepted: int
    quarantined: int
    event_id: str


class Heard:
    """Who posted, as far as that is proven; answers are counted by it."""

    def __init__(self) -> None:
        self.name = UNKNOWN


class Begun(NamedTuple):
    """A request that was begun past the framework, and the error that it came to."""

    started: float
    heard: Heard
    error: Exception


class Post:
    """One address that senders of one kind post to."""

    kind: str

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.sources = gate.sources(self.kind)
        self.tokens: Keyring[Source] = Keyring(self.sources)

    def answer(self, **arguments: str) -> Response:
        """Take the request, count it and answer it."""
        begun: Begun | None = request.environ.pop(BEGUN, None)
        started = time.perf_counter() if begun is None else begun.started
        heard = Heard() if begun is None else begun.heard
        try:
            response = self.refusal(begun.error) if begun else self.take(request.environ, heard, **arguments)
        except Exception as error:  # noqa: BLE001 - the request boundary: every answer is counted, also the unforeseen
            response = self.refusal(error)
        if response.status_code == 413:
            log.warning("answered 413: alerts were refused for their size", source=heard.name)
        self.gate.deps.record.observe(heard.name, response.status_code, time.perf_counter() - started)
        return response

    def quickly(self, environ: dict[str, Any]) -> bytes | None:
        """Take the request and count it; return the body of the 202, None where `answer` has to go on."""
        started, heard = time.perf_counter(), Heard()
        try:
            body = self.taken(environ, heard)
        except Exception as error:  # noqa: BLE001 - the request boundary: `answer` records it, and answers it
            environ[BEGUN] = Begun(started, heard, error)
            return None
        self.gate.deps.record.observe(heard.name, 202, time.perf_counter() - started)
        return body

    def taken(self, environ: Environ, heard: Heard) -> bytes:
        """Return the body of the 202 after the store has what came; for addresses that need nothing of the framework.

        Raises as `take` does.
        """
        raise NotImplementedError

    def take(self, environ: Environ, heard: Heard, **arguments: str) -> Response:
        """Return the answer after the store has what came; raises `Problem`, `BadPayload` or a `StoreError`."""
        raise NotImplementedError

    def refusal(self, error: Exception) -> Response:
        """Return the answer to an error; a sender that expects another form gets it here."""
        return problems.answer_to(error)

    def by_token(self, environ: Environ, heard: Heard) -> Source | None:
        """Return the source whose token the headers present."""
        source = self.tokens.holder_of(presented_token(environ.get("HTTP_AUTHORIZATION", "")))
        if source is not None:
            self.prove(source, environ, heard)
        return source

    def prove(self, source: Source, environ: Environ, heard: Heard) -> None:
        """Note whose post it is, now that it is proven; raises `Problem` 503 for a source that posts far too much."""
        heard.name = source.name
        seconds = self.gate.limiter.wait(source.name, cost_of(declared_length(environ)))
        if seconds:
            raise too_fast(503, source.name, seconds)

    def append(self, source: Source, parsed: Parsed) -> Appended:
        """Make alerts durable."""
        return self.gate.intake.append_alerts(
            source=source.name,
            alerts=parsed.alerts,
            refused=parsed.refused,
            received_at=self.gate.deps.now(),
            truncated=parsed.truncated,
            receiver=parsed.receiver,
        )

    def append_incoming(
        self, source: Source, incoming: Sequence[Incoming], refused: Sequence[Refused] = ()
    ) -> Appended:
        """Make events durable."""
        return self.gate.intake.append_incoming(
            source=source.name, incoming=incoming, refused=refused, received_at=self.gate.deps.now()
        )


def accepted(appended: Appended) -> Response:
    """Return the 202 that says what became of a delivery."""
    return Response(told(appended), 202, content_type="application/json")


def told(appended: Appended) -> bytes:
    """Return the body of that 202."""
    answer = Answer(accepted=appended.accepted, quarantined=appended.quarantined, event_id=appended.event_id)
    return ENCODER.encode(answer)


def json_answer(value: Any, status: int) -> Response:  # noqa: ANN401 - anything that is JSON
    """Return an answer of JSON."""
    return Response(ENCODER.encode(value), status, content_type="application/json")


def body_limit(*, proven: bool) -> int:
    """Return how much of a body may be read, by whether the headers have shown who sends it."""
    return MAX_BODY if proven else UNPROVEN_BODY


def check_media_type(environ: Environ, *, also: Sequence[str] = ()) -> None:
    """Raise `Problem` 415 unless the body can be JSON that is not compressed; a missing type is taken for JSON."""
    if (environ.get("HTTP_CONTENT_ENCODING") or "").strip().lower() not in ("", "identity"):
        raise Problem(
            415,
            "Compressed bodies are not taken.",
            hint="Send the body as it is, without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )
    media_type = (environ.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()
    if media_type in ("", "application/json", *also) or media_type.endswith("+json"):
        return
    raise Problem(
        415,
        "The body must be JSON.",
        hint="Send `Content-Type: application/json`.",
        headers={"Accept": "application/json"},
    )
