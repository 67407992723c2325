"""`POST` and `PUT /webhooks/grafana`: Grafana's webhook contact point, known by a token or by its signature.

A signature over a time and the body holds for five minutes; one over the body alone holds for ever, so a delivery could
be played again: set the header of the timestamp in Grafana.
"""

from flask import Blueprint, Response

from receiver.auth import Source, unauthorized
from receiver.bodies import Environ
from receiver.payloads import grafana
from receiver.senders.posts import Gate, Heard, Post, accepted, body_limit, check_media_type
from receiver.senders.signatures import hex_candidates, is_recent, signer_of

# Grafana lets its user choose both names; this is its default, and what its documentation writes for the other.
SIGNATURE = "HTTP_X_GRAFANA_ALERTING_SIGNATURE"
TIMESTAMP = "HTTP_X_GRAFANA_ALERTING_TIMESTAMP"


class Grafana(Post):
    """The address of webhook contact points."""

    kind = "grafana"

    def take(self, environ: Environ, heard: Heard, **_: str) -> Response:
        """Return the 202 after the store has the alerts."""
        source = self.by_token(environ, heard)
        candidates = hex_candidates(environ.get(SIGNATURE, "")) if source is None else []
        if source is None and not candidates:
            raise unauthorized()
        if source is not None:
            check_media_type(environ)
        with self.gate.bodies.body(environ, body_limit(proven=source is not None)) as body:
            if source is None:
                source = self._signer(environ, candidates, body)
                self.prove(source, environ, heard)
                check_media_type(environ)
            return accepted(self.append(source, grafana.parse(body)))

    def _signer(self, environ: Environ, candidates: list[bytes], body: bytes) -> Source:
        signed = [body]
        stamp = environ.get(TIMESTAMP)
        if stamp is not None:
            if not is_recent(stamp, self.gate.deps.now()):
                raise unauthorized()
            signed = [stamp.encode("ascii"), b":", body]
        source = signer_of(self.sources, candidates, signed)
        if source is None:
            raise unauthorized()
        return source


def add_routes(routes: Blueprint, gate: Gate) -> None:
    """Add the address of Grafana's contact points."""
    routes.add_url_rule("/webhooks/grafana", "grafana", Grafana(gate).answer, methods=["POST", "PUT"])
