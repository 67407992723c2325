"""What people do over the API: each command, who may, and what two at once come to."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents import keys
from incidents.store.connection import Links
from incidents.store.incidents import Incidents
from receiver.api import ROUTES
from receiver.auth import ApiRole

COMMANDS = {
    "acknowledge": {},
    "mitigate": {"note": "traffic moved"},
    "resolve": {"note": "disk replaced"},
    "dismiss": {"reason": "a drill"},
    "escalate": {"severity": "SEV1"},
    "notes": {"text": "looked at it"},
    "actions": {"kind": "rollback", "text": "checkout to 1.4.2"},
}


def timeline(api, incident) -> list[dict[str, Any]]:
    return api.get(f"incidents/{incident.id}/timeline").json["entries"]


@pytest.mark.parametrize("command", [*COMMANDS])
def test_api_command_answers_the_incident_after_it(api, declare, command):
    """Each command answers 200 with the incident at the top level, a word for the outcome, and the new version."""
    incident = declare()
    answer = api.post(f"incidents/{incident.id}/{command}", COMMANDS[command], who="bo")
    assert answer.status_code == 200
    assert answer.json["version"] == incident.version + 1
    assert answer.headers["ETag"] == f'"{incident.version + 1}"'
    assert answer.json["outcome"]
    shown = api.get(f"incidents/{incident.id}").json
    assert {name: value for name, value in answer.json.items() if name in shown} == shown
    assert any(entry["actor"] == "bo" for entry in timeline(api, incident))


def test_api_commands_move_an_incident_through_its_life(api, declare):
    """Acknowledged, mitigated, resolved, reopened, dismissed: the status follows, and the times with it."""
    name = declare().id
    statuses = []
    for command, body in (
        ("acknowledge", None),
        ("mitigate", {}),
        ("resolve", {"note": None}),
        ("reopen", {"note": "again"}),
        ("dismiss", {"reason": "a test"}),
    ):
        answer = api.post(f"incidents/{name}/{command}", body)
        assert answer.status_code == 200, answer.json
        statuses.append(answer.json["status"])
    assert statuses == ["acknowledged", "mitigated", "resolved", "declared", "dismissed"]


def test_api_acknowledge_twice_tells_who_was_first(api, declare):
    """The second one is answered 200 with the incident and the name of the first; nothing is written."""
    incident = declare()
    first = api.post(f"incidents/{incident.id}/acknowledge")
    before = timeline(api, incident)
    second = api.post(f"incidents/{incident.id}/acknowledge", who="bo")
    assert (first.status_code, second.status_code) == (200, 200)
    assert "note" not in first.json
    assert "already acknowledged by amira" in second.json["outcome"]
    assert second.json["note"].startswith("amira acknowledged it at 2026-01-05T09:00:01")
    assert second.json["version"] == first.json["version"]
    assert timeline(api, incident) == before


def test_api_acknowledge_at_once_counts_the_first(app, api, declare):
    """Of many who acknowledge at the same instant one is first, every one is answered 200, and one entry is written."""
    incident = declare()

    def acknowledge(who):
        headers = {"Authorization": f"Bearer token-of-{who}"}
        return app.test_client().post(f"/api/v1/incidents/{incident.id}/acknowledge", headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answered = list(pool.map(acknowledge, ["amira", "bo"] * 8))
    assert {answer.status_code for answer in answered} == {200}
    kinds = [entry["kind"] for entry in timeline(api, incident)]
    assert kinds.count("acknowledged") == 1
    firsts = [answer for answer in answered if answer.json["outcome"] == "acknowledged"]
    assert len(firsts) == 1


def test_api_notes_at_once_are_all_kept(app, api, declare):
    """Commands that change the same incident at once are tried again until each has taken effect."""
    incident = declare()

    def note(number):
        headers = {"Authorization": "Bearer token-of-bo"}
        path = f"/api/v1/incidents/{incident.id}/notes"
        return app.test_client().post(path, headers=headers, json={"text": f"note {number}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(note, range(40)))
    assert set(codes) == {200}
    texts = [entry["text"] for entry in timeline(api, incident) if entry["kind"] == "note"]
    assert sorted(texts) == sorted(f"note {number}" for number in range(40))
    assert api.get(f"incidents/{incident.id}").json["version"] == incident.version + 40


def test_api_acknowledge_survives_a_change_in_between(links: Links, api, declare, rules, monkeypatch):
    """An incident that changes between load and commit is loaded again: the acknowledgement rests on what is true."""
    incident = declare()
    other = Incidents(links, lambda _: rules.oncall)
    execute = Incidents._execute
    meddled = []

    def meddle(link, commit, also):
        if not meddled:
            meddled.append(True)
            assert api.post(f"incidents/{incident.id}/escalate", {"severity": "SEV1"}).status_code == 200
        return execute(link, commit, also)

    monkeypatch.setattr(Incidents, "_execute", staticmethod(meddle))
    answer = api.post(f"incidents/{incident.id}/acknowledge", who="bo")
    assert (answer.json["severity"], answer.json["status"]) == ("SEV1", "acknowledged")
    assert other.get(incident.id)[0].version == incident.version + 2


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ([], "reopen"),
        (["resolve"], "acknowledge"),
        (["resolve"], "resolve"),
        (["resolve"], "escalate"),
        (["dismiss"], "mitigate"),
        (["dismiss"], "dismiss"),
    ],
)
def test_api_command_not_allowed_is_409_with_what_is(api, declare, before, command):
    """A command that the status does not take names the status and the commands that it takes."""
    name = declare().id
    bodies = COMMANDS | {"reopen": {}}
    for each in before:
        api.post(f"incidents/{name}/{each}", bodies[each])
    answer = api.post(f"incidents/{name}/{command}", bodies[command])
    status = {"resolve": "resolved", "dismiss": "dismissed"}.get("".join(before), "declared")
    assert answer.status_code == 409
    assert answer.json["incident_status"] == status
    assert command not in answer.json["takes"]
    assert "notes" in answer.json["takes"]
    assert status in answer.json["detail"]


def test_api_notes_are_taken_in_every_status(api, declare):
    """What was learned later belongs to the record too."""
    name = declare().id
    api.post(f"incidents/{name}/dismiss", {"reason": "x"})
    assert api.post(f"incidents/{name}/notes", {"text": "it was a drill"}).status_code == 200


def test_api_reopen_is_refused_while_another_is_open(api, declare):
    """An identity has at most one open incident: the older one stays closed, and the newer is named."""
    older = declare("db").id
    api.post(f"incidents/{older}/resolve")
    newer = declare("db").id
    answer = api.post(f"incidents/{older}/reopen")
    assert answer.status_code == 409
    assert newer in answer.json["detail"]
    assert len(api.get("incidents?status=open").json["incidents"]) == 1


def test_api_declare_at_once_opens_one(app, api):
    """Of many who declare the same identity at the same instant one does, and the others are told which."""

    def declare(who):
        headers = {"Authorization": f"Bearer token-of-{who}"}
        body = {"title": f"by {who}", "severity": "SEV2", "identity": {"service": "db"}}
        return app.test_client().post("/api/v1/incidents", headers=headers, json=body)

    with ThreadPoolExecutor(8) as pool:
        answered = list(pool.map(declare, ["amira", "bo"] * 8))
    assert sorted(answer.status_code for answer in answered) == [201] + [409] * 15
    [opened] = api.get("incidents").json["incidents"]
    assert {answer.json["incident"] for answer in answered if answer.status_code == 409} == {opened["id"]}


def test_api_resolve_names_unmet_objectives(api, held_incident):
    """Unmet objectives are 409 and named; a reason resolves all the same, and stands on the timeline."""
    refused = api.post(f"incidents/{held_incident.id}/resolve", {"note": "done"})
    assert refused.status_code == 409
    assert [each["id"] for each in refused.json["objectives"]] == ["verified"]
    assert "override" in refused.json["hint"]
    done = api.post(f"incidents/{held_incident.id}/resolve", {"override": "checked by hand"})
    assert done.json["status"] == "resolved"
    assert timeline(api, held_incident)[-1]["data"]["override"] == "checked by hand"


def test_api_escalate_pages_a_policy_that_exists(api, declare):
    """A policy pages again; one that does not exist is 422 with those that do."""
    name = declare().id
    assert api.post(f"incidents/{name}/escalate", {"page": "default"}).status_code == 200
    wrong = api.post(f"incidents/{name}/escalate", {"page": "defualt"})
    assert wrong.status_code == 422
    assert wrong.json["pointer"] == "/page"
    assert "default" in wrong.json["hint"]


def test_api_if_match_refuses_a_stale_version(api, declare):
    """A command that rests on an older version is 412 with the present one; the right one passes."""
    incident = declare()
    path = f"incidents/{incident.id}/mitigate"
    stale = api.post(path, headers={"If-Match": f'"{incident.version + 1}"'})
    assert (stale.status_code, stale.json["version"]) == (412, incident.version)
    assert api.post(path, headers={"If-Match": "latest"}).status_code == 400
    assert api.post(path, headers={"If-Match": f'"{incident.version}"'}).status_code == 200


@pytest.mark.parametrize(
    ("command", "body", "pointer"),
    [
        ("dismiss", None, "/reason"),
        ("dismiss", {"reason": " \n"}, "/reason"),
        ("notes", {"text": "\u202e\x00"}, "/text"),
        ("notes", {"text": "x" * (64 * 1024 + 1)}, "/text"),
        ("notes", {"text": None}, "/text"),
        ("notes", {"txt": "x"}, "/txt"),
        ("resolve", {"overide": "x"}, "/overide"),
        ("escalate", {"severity": "SEV0"}, "/severity"),
        ("escalate", {"page": ""}, "/page"),
        ("acknowledge", {"actor": "root"}, "/actor"),
        ("acknowledge", "hello", ""),
        ("mitigate", {"note": ["x"]}, "/note"),
    ],
)
def test_api_command_names_what_does_not_fit(api, declare, command, body, pointer):
    """A field that does not fit is 422 with its place, and nothing is written."""
    incident = declare()
    answer = api.post(f"incidents/{incident.id}/{command}", body)
    assert answer.status_code == 422
    assert answer.json["pointer"] == pointer
    assert api.get(f"incidents/{incident.id}").json["version"] == incident.version


def test_api_bodies_are_bounded(api, declare):
    """A note of 64 KiB is kept, a megabyte is 413 before it is decoded."""
    path = f"incidents/{declare().id}/notes"
    assert api.post(path, {"text": "\N{PILE OF POO}" * 65536}).status_code == 200
    assert api.post(path, {"text": "x" * 1024 * 1024}).status_code == 413


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {"Content-Type": "text/html"}])
def test_api_takes_json_alone(api, declare, headers):
    """Compressed and foreign bodies are 415."""
    path = f"incidents/{declare().id}/notes"
    answer = api.call("POST", path, who="amira", data=b"{}", headers={"Content-Type": "application/json"} | headers)
    assert answer.status_code == 415


def _filled(path: str) -> str:
    return path.replace("{incident_id}", "INC-2026-0001").replace("{item_id}", "q1-x")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_api_roles_hold_for_every_route(api, declare, route):
    """No token is 401; a role below the route's is 403 and names both; the role itself passes the door."""
    declare()
    below = {ApiRole.VIEWER: None, ApiRole.RESPONDER: "val", ApiRole.ADMIN: "amira"}[route.role]
    enough = {ApiRole.VIEWER: "val", ApiRole.RESPONDER: "amira", ApiRole.ADMIN: "ada"}[route.role]
    path = _filled(route.path).lstrip("/")
    nobody = api.call(route.method, path, who="nobody")
    assert nobody.status_code == 401
    assert nobody.headers["WWW-Authenticate"] == "Bearer"
    if below is not None:
        refused = api.call(route.method, path, who=below)
        assert refused.status_code == 403
        assert route.role.value in refused.json["detail"]
    assert api.call(route.method, path, who=enough).status_code not in {401, 403, 500, 503}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_api_other_methods_are_405_with_allow(api, route):
    """A method that an address does not take is 405 with those that it does."""
    answer = api.call("PUT", _filled(route.path).lstrip("/"))
    assert answer.status_code == 405
    assert route.method in answer.headers["Allow"]


def test_api_unknown_address_is_404(api):
    """What is not there is a problem with a hint, never a redirect."""
    for path in ("", "incident", "incidents/INC-2026-0001/x/y", "../metrics", "x%2e%2e"):
        answer = api.get(path)
        assert answer.status_code == 404
        assert answer.content_type == "application/problem+json"
    assert "openapi.json" in answer.json["hint"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["title", "severity", "identity", "summary", "note", "override", "reason", "text", "page", "x"]
)
VALUES = JSON | st.sampled_from(["SEV1", "SEV4", "default"]) | st.dictionaries(st.text(), st.text(), max_size=3)
BODIES = st.binary(max_size=60) | st.dictionaries(FIELDS, VALUES, max_size=4).map(
    lambda body: json.dumps(body).encode()
)
PATHS = st.sampled_from(["", *(f"/INC-2026-0001/{name}" for name in (*COMMANDS, "reopen"))])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(path=PATHS, body=BODIES)
def test_api_bodies_never_make_a_5xx(api, path, body):
    """Whatever is sent, the answer is 2xx or a problem of the caller's with its detail."""
    answer = api.post(f"incidents{path}", body)
    assert answer.status_code < 500
    assert answer.status_code < 300 or answer.json["detail"]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    path=st.sampled_from(["incidents", "incidents/INC-2026-0001/timeline", "alerts", "quarantine", "status"]),
    query=st.dictionaries(
        st.sampled_from(["after", "limit", "status", "severity", "kind", "incident", "probe", "x"]),
        st.text(max_size=30) | st.sampled_from(["open", "INC-2026-0001", "1-1", "SEV1", "note", "MTox"]),
        max_size=3,
    ),
)
def test_api_queries_never_make_a_5xx(api, path, query):
    """Whatever is asked, the answer is 2xx or a problem of the caller's."""
    assert api.get(path, query_string=query).status_code < 500


def test_api_incident_keys_are_the_domains(links, api, declare):
    """A command over the API leaves what the domain's own commits leave: no timer of a page that is acknowledged."""
    incident = declare()
    api.post(f"incidents/{incident.id}/acknowledge")
    with links.borrow() as link:
        assert link.one("ZSCORE", keys.escalations(), incident.id) is None
