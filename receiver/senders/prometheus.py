"""`POST /api/v2/alerts` and `GET /api/v2/status`: what Prometheus and amtool speak to an Alertmanager.

Prometheus never tries again but sends every alert anew each minute, so a bad alert costs the good ones of its post
nothing: they are stored first, and then 400 tells of the bad one.
"""

from datetime import datetime

import msgspec
from flask import Blueprint, Response, request

from receiver import problems
from receiver.auth import ApiToken, Keyring, presented_token, unauthorized
from receiver.bodies import Environ
from receiver.payloads import prometheus
from receiver.payloads.parsed import BadPayload
from receiver.problems import Problem
from receiver.senders.posts import Gate, Heard, Post, check_media_type, json_answer

MAX_TOLD = 20  # refused alerts that an answer names


class Prometheus(Post):
    """The address of alerts."""

    kind = "prometheus"

    def take(self, environ: Environ, heard: Heard, **_: str) -> Response:
        """Return 200 after the store has the alerts, 400 when it has all but some bad ones."""
        source = self.by_token(environ, heard)
        if source is None:
            raise unauthorized()
        check_media_type(environ)
        with self.gate.bodies.body(environ) as body:
            parsed = prometheus.parse(body, self.gate.deps.now())
            self.append(source, parsed)
        if parsed.refused:
            reasons = [refused.reason for refused in parsed.refused[:MAX_TOLD]]
            return json_answer("; ".join(reasons)[: problems.MAX_DETAIL], 400)
        return Response(b"", 200, content_type="application/json")

    def refusal(self, error: Exception) -> Response:
        """Return what an Alertmanager says to a body that it cannot use."""
        if isinstance(error, BadPayload):
            return json_answer({"code": 400, "message": error.message}, 400)
        if isinstance(error, Problem) and error.status == 415:
            return json_answer({"code": 415, "message": error.detail}, 415)
        return problems.answer_to(error)


class Status:
    """What amtool asks for before it does anything."""

    def __init__(self, gate: Gate) -> None:
        self._sources = Keyring(gate.sources(Prometheus.kind))
        self._api_tokens: Keyring[ApiToken] = Keyring(gate.deps.api_tokens)
        self._build = gate.deps.build
        self._since: datetime = gate.deps.now()

    def answer(self) -> Response:
        """Return the status of an Alertmanager without a cluster."""
        token = presented_token(request.environ.get("HTTP_AUTHORIZATION", ""))
        is_source, is_api = self._sources.holder_of(token) is not None, self._api_tokens.holder_of(token) is not None
        if not (is_source or is_api):
            raise unauthorized()
        version = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
        body = {
            "cluster": {"status": "disabled", "peers": []},
            "versionInfo": {"version": self._build, **version},
            "config": {"original": ""},
            "uptime": self._since,
        }
        return Response(msgspec.json.encode(body), 200, content_type="application/json")


def add_routes(routes: Blueprint, gate: Gate) -> None:
    """Add the addresses of an Alertmanager's API."""
    routes.add_url_rule("/api/v2/alerts", "prometheus", Prometheus(gate).answer, methods=["POST"])
    routes.add_url_rule("/api/v2/status", "alertmanager_status", Status(gate).answer, methods=["GET"])
