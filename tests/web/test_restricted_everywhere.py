"""One restricted incident, and everything that Tocsin answers to those who may not see it: nothing names it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from incidents import keys
from incidents.post_incident_actions import Overdue
from incidents.store.codec import encode
from receiver.api import ROUTES
from receiver.web import PAGES

SECRET = "zq17"  # in everything that is written about the restricted incident
ACTED = [
    ("acknowledge", {"note": f"{SECRET} note"}),
    ("notes", {"text": f"{SECRET} text"}),
    ("tasks", {"text": f"{SECRET} task", "person": "bo"}),
    ("stakeholders", {"name": f"{SECRET} person", "kind": "management", "external": False}),
    ("communications", {"audience": f"{SECRET} audience", "text": f"{SECRET} told"}),
    ("actions", {"kind": "reboot", "text": f"{SECRET} rebooted"}),
    ("post_incident_actions", {"text": f"{SECRET} action", "due": "2026-01-01", "owner": "bo"}),
]
QUERIES = {
    "/incidents": ("status=open", "status=open&severity=SEV1", "limit=1", f"q={SECRET}", "status=all"),
    "/post_incident_actions": ("overdue=true", "state=open"),
    "/statistics": ("since=30d&by=person", "since=30d&by=rule", "since=30d&by=service", "since=30d&by=severity"),
    "/statistics/picture.svg": tuple(f"since=30d&of={of}" for of in ("times", "load", "nights", "precision")),
    "/incidents/{incident_id}/document/history": ("part=timeline", "part=post_incident_actions"),
    "/incidents/{incident_id}/document/communication": ("audience=customers",),
    "/explain": ("incident=INC-2026-0002", "alert=prod/none"),
    "/postmortems": ("wanted=required", "state=draft"),
}


@pytest.fixture
def secret(app, declare, incidents, links, clock):
    """A restricted incident of which amira is the commander, full of everything, and one beside it that knows of it."""
    plain = declare("web")
    made = declare(f"{SECRET}-vault", title=f"{SECRET} payslips", severity="SEV1")
    with links.borrow() as link:
        link.one("SET", keys.incident(made.id), encode(replace(made, restricted=True)))
    client = app.test_client()
    for name, body in ACTED:
        headers = {"Authorization": "Bearer token-of-amira"}
        assert client.post(f"/api/v1/incidents/{made.id}/{name}", json=body, headers=headers).status_code == 200, name
    overdue = (Overdue(incident=made.id, count=1),)
    with links.borrow() as link:
        link.one("SET", keys.incident(plain.id), encode(replace(plain, overdue_actions=overdue)))
    clock.advance(seconds=60)
    return plain.id, made.id


def asked(path, names):
    """Yield the addresses of a route: with every incident, and with everything else that its path may name."""
    for name in names if "{incident_id}" in path else ("",):
        filled = path.replace("{incident_id}", name).replace("{person}", "amira").replace("{rotation}", "commanders")
        yield filled
        yield from (f"{filled}?{query}" for query in QUERIES.get(path, ()))


@pytest.mark.parametrize("who", ["val", "bo"])
def test_restricted_incident_is_named_by_no_answer_of_the_api(app, secret, who):
    """Viewers and responders without a role: neither its id nor a word of it, whatever they ask."""
    client, (plain, made) = app.test_client(), secret
    seen = 0
    for route in ROUTES:
        for path in asked(route.path, (plain, made)) if route.method == "GET" else ():
            answer = client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer token-of-{who}"})
            seen += answer.status_code == 200
            assert SECRET not in answer.text.replace(f"q={SECRET}", ""), path
            assert made not in answer.text or made in path, path
    assert seen > 30


def test_restricted_incident_is_in_what_admins_are_answered(app, secret):
    """So that the two tests beside this one look where it would be."""
    client, told = app.test_client(), 0
    for route in ROUTES:
        for path in asked(route.path, secret) if route.method == "GET" else ():
            told += SECRET in client.get(f"/api/v1{path}", headers={"Authorization": "Bearer token-of-ada"}).text
    assert told > 15


@pytest.mark.parametrize("who", ["val", "bo"])
def test_restricted_incident_is_named_by_no_page(browser_of, secret, who):
    """The pages neither, nor the mark of what is new."""
    browser, (plain, made) = browser_of(who), secret
    seen = 0
    for route in (each for table in PAGES for each in table):
        for path in asked(route.path, (plain, made)) if route.method == "GET" else ():
            answer = browser.get(path)
            seen += answer.status_code == 200
            page = answer.text.replace(f"q={SECRET}", "").replace(f'value="{SECRET}"', "")
            assert SECRET not in page, path
            assert made not in page or made in path, path
    assert seen > 12


def test_restricted_incident_is_not_named_by_refusals(app, secret):
    """Who merges into it, or does something to it, is answered as if it did not exist."""
    client, (_, made) = app.test_client(), secret
    headers = {"Authorization": "Bearer token-of-bo"}
    answer = client.post("/api/v1/incidents/INC-2026-0001/merge", json={"into": made}, headers=headers)
    assert answer.status_code == 422
    for name, _ in ACTED:
        answer = client.post(f"/api/v1/incidents/{made}/{name}", json={}, headers=headers)
        assert answer.status_code in (404, 422), name
        assert SECRET not in answer.text


def test_restricted_later_is_not_named_where_an_earlier_one_is_reopened(app, declare, links, clock):
    """The 409 says that another incident of the identity is open, without its id."""
    client, first = app.test_client(), declare("vault")
    amira, bo = ({"Authorization": f"Bearer token-of-{who}"} for who in ("amira", "bo"))
    client.post(f"/api/v1/incidents/{first.id}/dismiss", json={"reason": "no"}, headers=amira)
    clock.advance(seconds=timedelta(hours=1).total_seconds())
    second = declare("vault")
    with links.borrow() as link:
        link.one("SET", keys.incident(second.id), encode(replace(second, restricted=True)))
    answers = [client.post(f"/api/v1/incidents/{first.id}/reopen", json={}, headers=who) for who in (amira, bo)]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert [second.id in answer.text for answer in answers] == [True, False]
