"""The OpenAPI 3.1 document, made from the routes and from the types of their bodies and answers. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from receiver.api import answers
from receiver.api.idempotency import HEADER, MAX_KEY
from receiver.api.route import BASE, Parameter, Route
from receiver.problems import MEDIA_TYPE

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_IN_PATH = re.compile(r"\{(\w+)\}")

_EVERY_CALL = {
    400: "The query or the body cannot be read; `pointer` or `parameter` names the place.",
    401: "No valid token.",
    403: "The role of the token is too low.",
    429: "The token is used too often; `Retry-After` says for how long to wait.",
    503: "The store did not answer in time.",
}
_KEY_IN_USE = "The call of the Idempotency-Key is under way."
_KEY = {
    "name": HEADER,
    "in": "header",
    "description": "The same call under the same key happens once; the first answer is given again for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
}


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Return the document for these routes."""
    listed = tuple(routes)
    types = {route.answer: None for route in listed if issubclass(route.answer, msgspec.Struct)}
    types |= {route.body: None for route in listed if route.body is not None}
    _, schemas = msgspec.json.schema_components((*types, answers.ProblemAnswer), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tocsin", "version": version, "description": "Incidents, alerts, rules and on-call."},
        "servers": [{"url": BASE}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `api_tokens`: viewers read, responders act, admins requeue.",
                }
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    names = _IN_PATH.findall(route.path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    parameters += [_parameter(parameter) for parameter in route.query]
    problems = _EVERY_CALL | ({404: "There is no such thing."} if names else {})
    if route.body is not None:
        problems |= {413: "The body is too large.", 415: "The body is no JSON.", 422: "A field does not fit."}
        if names and "incident_id" in names:
            parameters.append({"name": "If-Match", "in": "header", "schema": {"type": "string"}})
    if route.method == "POST":
        parameters.append(_KEY)
        problems |= {409: _KEY_IN_USE}
    described = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": f"Needs the role {route.role}.",
        "parameters": parameters,
        "responses": {
            str(route.status): {
                "description": "Done.",
                "content": {route.media_type.partition(";")[0]: {"schema": _schema(route.answer)}},
            },
            **{str(code): _problem(text) for code, text in sorted(_joined(problems, route.problems).items())},
        },
    }
    if route.body is not None:
        required = any(field.required for field in msgspec.structs.fields(route.body))
        described["requestBody"] = {"required": required, "content": {_JSON: {"schema": _schema(route.body)}}}
    return described


def _joined(problems: Mapping[int, str], own: Mapping[int, str]) -> dict[int, str]:
    """Return what each problem means, where a route has its own words beside those of every call."""
    both = {409: f"{own[409]} {_KEY_IN_USE}"} if 409 in own and 409 in problems else {}
    return {**problems, **own, **both}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "array", "items": parameter.schema} if parameter.many else parameter.schema
    described = {"name": parameter.name, "in": "query", "description": parameter.description, "schema": schema}
    return described | ({"required": True} if parameter.is_required else {})


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {MEDIA_TYPE: {"schema": _schema(answers.ProblemAnswer)}}}


def _schema(kind: type) -> dict[str, Any]:
    if issubclass(kind, msgspec.Struct):
        return {"$ref": _REF.format(name=kind.__name__)}
    return {"type": "string"} if kind is bytes else {"type": "object"}


def _operation_id(route: Route) -> str:
    words = [word for word in re.split(r"[/{}.]+", route.path) if word and not word.endswith("_id")]
    return "_".join([route.method.lower(), *words, *(["one"] if route.path.endswith("_id}") else [])])
