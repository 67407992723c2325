"""`POST /webhooks/generic/NAME`: any sender of JSON, by the mapping of the source NAME in the configuration.

Its sender is known by the source's token, by a signature as Standard Webhooks describes it, or by one in the header
that the mapping names.
"""

import structlog
from flask import Blueprint, Response

from receiver.auth import Source, presented_token
from receiver.bodies import Environ
from receiver.payloads import generic
from receiver.payloads.mapping import Mapping
from receiver.problems import Problem
from receiver.senders.posts import Gate, Heard, Post, accepted, body_limit, check_media_type
from receiver.senders.signatures import (
    hex_candidates,
    is_recent,
    is_standard_id,
    signer_of,
    standard_candidates,
    standard_key,
)

log = structlog.get_logger(__name__)


class Generic(Post):
    """The address of all generic sources."""

    kind = "generic"

    def take(self, environ: Environ, heard: Heard, name: str = "", **_: str) -> Response:
        """Return the 202 after the store has what the mapping made of the body."""
        source = next((each for each in self.sources if each.name == name), None)
        holder = self.tokens.holder_of(presented_token(environ.get("HTTP_AUTHORIZATION", "")))
        if source is None or source.mapping is None:
            raise _unauthorized()
        is_proven = holder is not None and holder.name == name
        if not is_proven and not _is_signed(environ, source):
            raise _unauthorized()
        with self.gate.bodies.body(environ, body_limit(proven=is_proven)) as body:
            delivery = "" if is_proven else self._signed_id(environ, source, body)
            self.prove(source, environ, heard)
            # SNS says that its JSON is plain text.
            check_media_type(environ, also=("text/plain",))
            return self._keep(source, source.mapping, body, delivery)

    def _signed_id(self, environ: Environ, source: Source, body: bytes) -> str:
        """Return the id of a delivery whose signature holds; raises `Problem` otherwise."""
        header = source.mapping.signature_header if source.mapping is not None else ""
        if header and signer_of([source], hex_candidates(environ.get(_variable(header), "")), [body]) is not None:
            return ""
        delivery = environ.get("HTTP_WEBHOOK_ID", "")
        stamp = environ.get("HTTP_WEBHOOK_TIMESTAMP", "")
        if not (is_standard_id(delivery) and is_recent(stamp, self.gate.deps.now())):
            raise _unauthorized()
        candidates = standard_candidates(environ.get("HTTP_WEBHOOK_SIGNATURE", ""))
        signed = [f"{delivery}.{stamp}.".encode(), body]
        if signer_of([source], candidates, signed, secret_of=standard_key) is None:
            raise _unauthorized()
        return str(delivery)

    def _keep(self, source: Source, mapping: Mapping, body: bytes, delivery: str) -> Response:
        incoming, refused = generic.parse(body, mapping)
        for each in refused[:1]:
            log.warning("a payload is kept aside", source=source.name, reason=each.reason)
        if delivery:
            # One delivery may hold several alerts: the id and the place name each.
            incoming = [generic.with_id(each, f"{delivery}/{index}") for index, each in enumerate(incoming)]
        return accepted(self.append_incoming(source, incoming, refused))


def _variable(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


def _is_signed(environ: Environ, source: Source) -> bool:
    header = source.mapping.signature_header if source.mapping is not None else ""
    return bool(source.signing_secrets) and (
        bool(header and environ.get(_variable(header))) or bool(environ.get("HTTP_WEBHOOK_SIGNATURE"))
    )


def _unauthorized() -> Problem:
    """Return the one answer to a name that is unknown and to every credential that is missing or wrong.

    It asks for basic authentication: SNS sends the password of its address only then.
    """
    return Problem(
        401,
        "A valid token or signature is needed.",
        hint="Send `Authorization: Bearer TOKEN`, basic authentication with the token as the password, or a signature.",
        headers={"WWW-Authenticate": 'Basic realm="tocsin"'},
    )


def add_routes(routes: Blueprint, gate: Gate) -> None:
    """Add the address of generic sources."""
    routes.add_url_rule("/webhooks/generic/<name>", "generic", Generic(gate).answer, methods=["POST"])
