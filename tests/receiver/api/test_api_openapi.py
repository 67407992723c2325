"""The OpenAPI document says what there is, and the answers are as it says."""

import re

import msgspec
import pytest

from receiver.api import ROUTES, answers, state_answers
from receiver.api.openapi import document


def routes_of(app):
    """Every method and path that the application serves below /api/v1, written as OpenAPI writes them."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def test_openapi_lists_every_route_and_no_other(app, api):
    """What is served is described, and what is described is served."""
    answer = api.get("openapi.json")
    assert answer.json["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in answer.json["paths"].items() for method in item}
    assert described == routes_of(app)
    assert len(described) == len(ROUTES)


def test_openapi_holds_together():
    """Every reference leads somewhere, every id is used once, and every part of a path is a parameter."""
    described = document(ROUTES, "0")
    schemas = described["components"]["schemas"]
    text = msgspec.json.encode(described).decode()
    assert {name for name in re.findall(r'"#/components/schemas/([^"]+)"', text) if name not in schemas} == set()
    operations = [(path, item[method]) for path, item in described["paths"].items() for method in item]
    ids = [operation["operationId"] for _, operation in operations]
    assert len(set(ids)) == len(ids)
    for path, operation in operations:
        named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))


def test_openapi_says_what_has_to_be_asked_for():
    """A parameter without which a call is refused is required there, so that programs send it."""
    found = document(ROUTES, "0")["paths"]["/incidents/{incident_id}/document/history"]["get"]["parameters"]
    assert [each["name"] for each in found if each.get("required")] == ["incident_id", "part"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("incidents", answers.IncidentsAnswer),
        ("incidents/INC-2026-0001", answers.IncidentAnswer),
        ("incidents/INC-2026-0001/timeline", answers.EntriesAnswer),
        ("alerts", answers.AlertsAnswer),
        ("quarantine", answers.QuarantineAnswer),
        ("rules", state_answers.RulesAnswer),
        ("oncall", answers.OnCallAnswer),
        ("status?probe=x", state_answers.StatusAnswer),
    ],
)
def test_openapi_describes_what_is_answered(api, held_incident, path, kind):
    """An answer read as its type and written again is the answer: no field is missing in the one or the other."""
    answer = api.get(path)
    assert held_incident.id == "INC-2026-0001"
    assert msgspec.to_builtins(msgspec.json.decode(answer.data, type=kind)) == answer.json


def test_openapi_describes_what_commands_answer(api, declare):
    """The answer to a command is the incident and what the command came to."""
    name = declare().id
    api.post(f"incidents/{name}/acknowledge")
    answer = api.post(f"incidents/{name}/acknowledge", who="bo")
    decoded = msgspec.json.decode(answer.data, type=answers.CommandAnswer)
    assert msgspec.to_builtins(decoded) == answer.json


def test_openapi_describes_problems(api):
    """A problem fits its type, with what it has beyond."""
    answer = api.post("incidents", {"title": "x"})
    problem = msgspec.json.decode(answer.data, type=answers.ProblemAnswer)
    assert (problem.status, problem.pointer) == (422, "/severity")
