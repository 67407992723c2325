"""What holds for every page beside list and incident: who is let in, what they may press, and that nothing runs."""

import re

import pytest
from builders import CRITICAL, ONCALL, rule_set

from incidents import keys
from incidents.events import Note
from incidents.quarantined import Quarantined
from incidents.store.codec import encode
from receiver import web

HOSTILE = "<script>alert(1)</script> {{ config }} <img src=x onerror=alert(2)>"
BASE = "https://tocsin.example"
PAGES = (
    "/oncall",
    "/rules",
    "/statistics",
    "/quarantine",
    "/quarantine/q1-x",
    "/postmortems",
    "/incidents/{id}/postmortem",
    "/incidents/{id}/postmortem/versions",
    "/incidents/{id}/postmortem/print",
    "/incidents/{id}/postmortem.md",
    "/oncall/picture.svg",
    "/statistics/picture.svg?of=load",
)
FORMS = (
    "/oncall/overrides",
    "/oncall/overrides/ov-1",
    "/oncall/maintenance",
    "/oncall/maintenance/m-1",
    "/quarantine/q1-x/requeue",
    "/incidents/{id}/postmortem",
    "/incidents/{id}/postmortem/state",
    "/incidents/{id}/share",
    "/incidents/{id}/share/end",
)


def field(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]


@pytest.fixture
def rules():
    return rule_set(CRITICAL, ONCALL.replace("amira: {", "amira: {name: '<script>alert(1)</script>', ", 1))


@pytest.fixture
def hostile(declare, incidents, links, clock, amira):
    """An incident, and everything around it, with texts that want to run."""
    incident = declare(HOSTILE, title=HOSTILE)
    incidents.apply(incident.id, Note(actor="bo", text=HOSTILE), now=clock.now)
    item = Quarantined(id="q1-x", at=clock.now, source="prod", reason=HOSTILE, text=f"{HOSTILE}\x00\x1b[2J\u202eevil")
    with links.borrow() as link:
        link.one("HSET", keys.quarantine(), item.id, encode(item))
    path = f"/incidents/{incident.id}/postmortem"
    assert amira.post(path, path, impact=HOSTILE, etag='"0"').status_code == 303
    until = (clock.now.replace(microsecond=0)).isoformat()[:11] + "23:59"
    made = amira.post("/oncall/overrides", "/oncall", rotation="commanders", person="bo", until=until, note=HOSTILE)
    assert made.status_code == 303
    planned = amira.post("/oncall/maintenance", "/oncall", match='service="x"', until=until, comment=HOSTILE)
    assert planned.status_code == 303
    return incident


def test_further_pages_run_nothing(browser_of, hostile):
    """A hostile text is text wherever it stands, no page holds style or script of its own, and no cache keeps one."""
    ada = browser_of("ada")
    for path in PAGES:
        _check_that_nothing_runs(path, ada.get(path.format(id=hostile.id)))


def _check_that_nothing_runs(path, answer):
    assert answer.status_code == 200, path
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    if path.endswith(".md"):
        assert answer.content_type.startswith("text/plain")
        return
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    if not path.endswith("/print") and ".svg" not in path:
        assert "script-src 'self'; style-src 'self'" in policy
        assert re.search(r"<style|style=\"|\son[a-z]+=", re.sub(r"&lt;.*?&gt;", "", answer.text)) is None
    else:
        assert "sandbox" in policy


def test_further_pages_are_for_those_who_signed_in(stranger):
    """Anybody else is asked in first."""
    for path in PAGES:
        answer = stranger.get(path.format(id="INC-2026-0001"))
        assert answer.status_code == 303, path
        assert answer.headers["Location"].startswith("/sign-in?next="), path


def test_further_pages_take_no_form_from_elsewhere(browser_of, stranger, declare):
    """Neither without a session, nor without its token, nor from a viewer."""
    name, ada, val = declare().id, browser_of("ada"), browser_of("val")
    token = field(val.get("/rules").text, "csrf")
    for form in FORMS:
        path = form.format(id=name)
        assert stranger.client.post(path, base_url=BASE, data={}).status_code == 401, path
        assert ada.client.post(path, base_url=BASE, data={}).status_code == 403, path
        refused = val.client.post(path, base_url=BASE, data={"csrf": token})
        assert refused.status_code == 403, path
        assert "has the role viewer" in refused.text


def test_further_pages_change_nothing_without_the_token_of_a_form(browser_of, declare):
    """Every form of every page, whoever is signed in, and also where a browser says that another site sent it."""
    name, ada = declare().id, browser_of("ada")
    own = {"csrf": field(ada.get("/incidents").text, "csrf")}
    for route in (each for table in web.PAGES for each in table if each.method == "POST"):
        path = re.sub(r"{\w+}", "acknowledge", route.path.replace("{incident_id}", name))
        assert ada.client.post(path, base_url=BASE, data={"csrf": "0" * 128}).status_code == 403, path
        foreign = ada.client.post(path, base_url=BASE, data=own, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403, path
    assert ada.get("/incidents").status_code == 200


def test_further_pages_offer_a_viewer_nothing_to_press(browser_of, hostile):
    """Beside the menu there is only what explains."""
    val = browser_of("val")
    for path in (
        "/oncall",
        "/rules",
        "/statistics",
        "/quarantine",
        "/quarantine/q1-x",
        f"/incidents/{hostile.id}/postmortem",
    ):
        page = val.get(path).text
        posts = re.findall(r'<form method="post" action="([^"]+)"', page[page.index("<main") :])
        assert posts == (["/rules#try"] if path == "/rules" else []), path


def test_further_pages_are_in_the_menu(amira):
    """One marks where somebody is."""
    page = amira.get("/statistics").text
    for path in ("/oncall", "/rules", "/statistics", "/postmortems", "/quarantine"):
        assert f'href="{path}"' in page
    assert '<a href="/statistics" aria-current="page">' in page
