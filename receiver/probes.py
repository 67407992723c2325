"""What machines ask: is it alive, is it ready, its metrics; and the order to reload the rules."""

import msgspec
from flask import Blueprint, Response

from incidents.store.rulesets import Reloaded
from receiver.audit import trail
from receiver.auth import ApiRole, caller, require
from receiver.deps import Deps
from receiver.problems import Problem

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def blueprint(deps: Deps) -> Blueprint:
    """Return the routes below `/-/`, and `/metrics`."""
    routes = Blueprint("probes", __name__)

    @routes.get("/-/healthy")
    def healthy() -> Response:
        return _json({"status": "healthy"})

    @routes.get("/-/ready")
    def ready() -> Response:
        reasons = deps.ready()
        if reasons:
            raise Problem(503, "Not ready: " + "; ".join(reasons), members={"reasons": reasons})
        return _json({"status": "ready"})

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(deps.metrics(), content_type=EXPOSITION)

    @routes.post("/-/reload")
    @require(ApiRole.ADMIN)
    def reload() -> Response:
        with trail().change(caller().name, "POST /-/reload") as change:
            result = deps.reload()
            change.target = result.hash
            _refuse_errors(result)
        return _json({"hash": result.hash})

    return routes


def _refuse_errors(result: Reloaded) -> None:
    if result.errors:
        raise Problem(
            400,
            f"The rules have {len(result.errors)} error(s); the old ones stay in force.",
            hint="`tocsin rules check` says the same without a server.",
            members={"errors": list(result.errors), "hash": result.hash},
        )


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), content_type="application/json")
