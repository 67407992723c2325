"""The pictures of the documentation, of a night that is always the same: `make screenshots`.

They are looked at by people, and prove nothing: without TOCSIN_SCREENSHOTS they are not collected.
"""

import json

import pytest
from playwright.sync_api import expect
from receiver_over_store import token_of
from showcase import Showcase, further, last_weeks, resolved, told, tonight
from window import PATIENCE_MS, PHONE, Windows, chromium, picture, serving

WRITTEN = {
    "impact": "Mails of about 12,000 customers came up to 40 minutes late. Nobody lost one; 31 asked.",
    "causes": "A worker was stopped for a migration, and nothing counted the queue before it was long.",
    "went_well": "The alert named the queue, and its runbook was right.",
    "went_badly": "The migration had been announced to another team, and nobody on call knew of it.",
}
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def show(store_url, links):
    """The store, with twelve weeks behind it."""
    show = Showcase(store_url, links)
    last_weeks(show)
    return show


@pytest.fixture
def deps(deps_of_show):
    """A receiver over it."""
    return deps_of_show


@pytest.fixture
def call(app):
    """Calls the API."""

    def called(method, path, body, **headers):
        headers |= {"Authorization": f"Bearer {token_of('amira')}"}
        answer = app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        return json.loads(answer.data)

    return called


def test_pictures_are_taken(show, app, call):
    """Each page at its best."""
    past = resolved(show)
    call("PATCH", f"/incidents/{past}/postmortem", WRITTEN, **{"If-Match": "*"})
    name = tonight(show)
    further(show)
    with chromium() as browser, serving(app) as address:
        windows = Windows(browser, address, show.clock.now)

        def look(path, *, height=800, **more):
            size = {"viewport": {"width": 1280, "height": height}} | more
            return windows.open(token_of("amira"), path, **size)

        incident = look(f"/incidents/{name}", height=1180)
        picture(incident, "web-incident.png")
        picture(look(f"/incidents/{name}", height=1180, color_scheme="dark"), "web-incident-dark.png")
        picture(look(f"/incidents/{name}", viewport=PHONE, color_scheme="dark"), "web-phone.png")
        picture(look("/incidents", height=500), "web-list.png")
        picture(look("/oncall"), "web-oncall.png", is_whole=True)
        picture(look("/rules", height=1000), "web-rules.png")
        picture(look("/statistics", height=1000, color_scheme="dark"), "web-statistics.png")
        picture(look(f"/incidents/{past}/postmortem", height=1120), "web-postmortem.png")
        incident.set_viewport_size({"width": 1280, "height": 800})
        incident.locator("#note").fill("Looks like the deploy")
        told(show, name)
        expect(incident.locator("[data-news]")).to_be_visible()
        picture(incident, "web-news.png")
        link = call("POST", f"/incidents/{name}/status_links", {"audience": "customers"})
        status = browser.new_page(viewport=PHONE, color_scheme="dark")
        status.goto(address + link["address"].removeprefix("http://127.0.0.1"))
        picture(status, "web-status.png")
        door = browser.new_page(viewport={"width": 900, "height": 460})
        door.goto(f"{address}/sign-in")
        picture(door, "web-sign-in.png")
        windows.close()
