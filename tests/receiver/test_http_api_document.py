"""docs/http-api.md and the receiver agree: every call of the API with its role, parameters and fields, both ways."""

import re
from pathlib import Path

import msgspec
import pytest

from receiver.api import ROUTES
from receiver.api.route import BASE

DOCUMENT = (Path(__file__).parents[2] / "docs" / "http-api.md").read_text(encoding="utf-8")
ROWS = {
    (method, path): (role, text)
    for method, path, role, text in re.findall(r"^\| `(\w+) (/api/v1\S+)` \| (\w+) \| (.*) \|$", DOCUMENT, re.MULTILINE)
}


def test_http_document_lists_every_call():
    """Method, path and role of each route, and no other."""
    real = {(route.method, BASE + route.path): route.role.value for route in ROUTES}
    assert {call: role for call, (role, _) in ROWS.items()} == real


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_http_document_names_parameters_and_fields(route):
    """Each parameter of the query, and each field of the body with a `?` where it can be left out."""
    _, text = ROWS[route.method, BASE + route.path]
    assert {parameter.name for parameter in route.query} == set(re.findall(r"`(\w+)`", text)) - {"open"} - {
        "tocsin doctor"
    }
    fields = msgspec.structs.fields(route.body) if route.body is not None else ()
    assert [(name, bool(mark)) for name, mark in re.findall(r'"(\w+)"(\?)?', text)] == [
        (field.encode_name, not field.required) for field in fields
    ]
