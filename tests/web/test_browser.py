"""The pages in a real browser: what fits on a phone, keys, what runs and what must not.

They need Chromium, and are left out where there is none.
"""

import re

import pytest
from msgspec.structs import replace
from openid_look_alike import OpenIdLookAlike, openid_for
from playwright.sync_api import ConsoleMessage, Page, expect
from receiver_over_store import token_of
from window import DESKTOP, PATIENCE_MS, PHONE, chromium, serving

from incidents import keys
from incidents.alert import AlertState
from incidents.clock import to_ms
from incidents.document.versions import ANY
from incidents.events import DocumentEdited
from incidents.links import link_for, seal
from incidents.store.codec import encode
from incidents.store.links import signing_key
from incidents.values import AlertStatus
from receiver.openid.model import CALLBACK
from receiver.openid.provider import Provider

HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"> {{ config }}"
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def address(deps, make_app):
    """The pages, served for real; without https, for the cookies of a browser."""
    with serving(make_app(replace(deps, api=replace(deps.api, external_url="http://127.0.0.1")))) as address:
        yield address


@pytest.fixture
def visit(browser, address):
    """Opens a window in which somebody is signed in; what goes wrong in it is an error of the test."""
    opened, wrong = [], []

    def visited(path="/incidents", *, who="amira", size=DESKTOP, scheme="light", script=True) -> Page:
        context = browser.new_context(
            viewport=size, color_scheme=scheme, timezone_id="Europe/Berlin", java_script_enabled=script
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if is_error(said) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}/sign-in?next={path}")
        page.fill("input[name=token]", token_of(who))
        page.click("main button.go")
        expect(page).to_have_url(f"{address}{path}")
        page.wait_for_load_state()  # the address is there before the script that hears keys
        return page

    yield visited
    for context in opened:
        context.close()
    assert wrong == []


@pytest.fixture
def fire(links, clock):
    """Gives an incident an alert that fires, with everything that links lead to."""

    def fires(incident):
        state = AlertState(
            source="prod",
            fingerprint="f",
            status=AlertStatus.FIRING,
            labels={"alertname": "NodeDown", "service": "db"},
            annotations={"runbook_url": "https://runbooks.example", "dashboard_url": "https://grafana.example"},
            generator_url="https://prometheus.example",
            starts_at=clock.now,
            received_at=clock.now,
            incidents=(incident.id,),
        )
        with links.borrow() as link:
            link.one("HSET", keys.alerts(), "prod/f", encode(state))
            link.one("ZADD", keys.alerts_seen(), to_ms(clock.now), "prod/f")
            link.one("SADD", keys.incident_alerts(incident.id), "prod/f")

    return fires


def is_error(said: ConsoleMessage) -> bool:
    """Whether something is wrong with a page; that there is no room for one more live stream is not."""
    return said.type == "error" and "/events" not in said.location.get("url", "")


def bottom_of(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return box["y"] + box["height"]


@pytest.mark.parametrize("script", [True, False])
def test_browser_shows_a_phone_what_is_needed_without_scrolling(visit, declare, fire, incidents, clock, script):
    """At 360 x 640, however long its texts: all that one needs at night, and a button which a thumb hits."""
    incident = declare(severity="SEV1", title="Checkout answers 500 to every third customer; payments are lost. " * 4)
    fire(incident)
    written = DocumentEdited(actor="bo", seen=ANY, summary="Customers see an error page after they paid. " * 6)
    incidents.apply(incident.id, written, now=clock.now)
    page = visit(f"/incidents/{incident.id}", size=PHONE, script=script)
    needed = [".lead .sev", ".lead .status", ".lead h1", ".lead .impact", ".lead .facts", ".lead .next"]
    needed += ["[data-acknowledge]", ".lead .links a:text('Runbook')", ".lead .links a:text('Graph')"]
    below = [each for each in needed if bottom_of(page, each) > PHONE["height"]]
    assert below == []
    box = page.locator("[data-acknowledge]").bounding_box()
    assert box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_browser_acknowledges_by_the_link_of_a_page(browser, address, declare, incidents, links, clock):
    """On a phone, signed out and without the script: looking changes nothing, one tap acknowledges."""
    incident = declare(severity="SEV1", title="Checkout answers 500 to every third customer; payments are lost. " * 4)
    with links.borrow() as link:
        token = seal(link_for("amira", "page-1", [incident.id], clock.now), signing_key(link))
    page = browser.new_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"{address}/ack/{token}")
    button = page.get_by_role("button", name="Acknowledge", exact=True)
    assert button.bounding_box()["height"] >= 44
    assert bottom_of(page, "form button") <= PHONE["height"]
    assert incidents.get(incident.id)[0].acknowledged_at is None
    button.click()
    expect(page.locator("[role=status]")).to_have_text("Acknowledged by amira.")
    assert incidents.get(incident.id)[0].acknowledged_by == "amira"
    page.get_by_role("link", name="Open the incident").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    page.close()


def test_browser_runs_nothing_of_what_came_with_alerts(visit, declare):
    """Hostile text is text; the policy has nothing to complain of on our own pages."""
    incident = declare(title=HOSTILE)
    for path in ("/incidents", f"/incidents/{incident.id}"):
        page = visit(path)
        expect(page.locator("h1, h2").filter(has_text="{{ config }}").first).to_be_visible()
        assert page.title() != "run"


def test_browser_is_worked_by_keys(visit, declare, incidents):
    """Rows by j, opened by Enter; `a` asks first; keys are letters while somebody types."""
    declare("other", severity="SEV3", title="Another")
    incident = declare(severity="SEV1", title="The grave one")
    page = visit()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("The grave one")
    page.wait_for_load_state()  # what is seen may be there before the script that hears keys
    page.keyboard.press("n")
    page.keyboard.type("a jar")
    expect(page.locator("#note")).to_have_value("a jar")
    expect(page.locator("#ask")).not_to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator("#ask")).to_be_visible()
    assert incidents.get(incident.id)[0].acknowledged_at is None
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_contain_text("Acknowledged")
    assert incidents.get(incident.id)[0].acknowledged_by == "amira"
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_browser_goes_and_opens_by_keys(visit, declare):
    """Forms are opened and not sent; `g` and a letter go to a page, and a letter alone afterwards is itself again."""
    incident = declare()
    page = visit(f"/incidents/{incident.id}")
    for key in ("e", "s"):
        page.keyboard.press(key)
        expect(page.locator("[data-escalate] select").first).to_be_focused()
        page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.locator("[data-announcer]")).to_have_text(re.compile("Copied|Select and copy"))
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.locator("h1")).to_have_text("On call")
    page.wait_for_load_state()
    page.keyboard.press("u")
    expect(page.locator("h1")).to_have_text("Open incidents")
    page.wait_for_load_state()
    page.keyboard.press("/")
    expect(page.locator("input[type=search]")).to_be_focused()


def test_browser_works_without_its_script(visit, declare, incidents):
    """Signing in, reading, acknowledging and writing are plain forms."""
    incident = declare(title="It is broken")
    page = visit(f"/incidents/{incident.id}", script=False)
    page.click("[data-acknowledge]")
    expect(page.locator(".notice.good")).to_contain_text("Acknowledged")
    page.fill("#note", "rolling back")
    page.click(".note button")
    expect(page.locator(".timeline")).to_contain_text("rolling back")
    assert incidents.get(incident.id)[0].acknowledged_by == "amira"


def test_browser_tells_local_time_and_counts_down(visit, declare):
    """UTC first, the viewer's own beside it; the countdown is of the server's clock."""
    incident = declare()
    page = visit(f"/incidents/{incident.id}")
    expect(page.locator(".timeline time").first).to_contain_text("09:00:00 (10:00 local)")
    expect(page.locator(".next time[data-until]")).to_contain_text("in 4 min")
    page.click(".account summary")
    page.click("[data-exact]")
    expect(page.locator(".timeline time").first).to_contain_text("2026-01-05 09:00:00.000 UTC")


def test_browser_signs_in_at_a_provider_and_out_of_both(browser, deps, make_app, clock):
    """There and back over another site, with the policy of contents and the cookies of a real browser."""
    provider, apps = OpenIdLookAlike(clock), []

    def behind(environ, start):  # its address is known before it is made
        return apps[0](environ, start)

    context = browser.new_context(viewport=PHONE)
    context.set_default_timeout(PATIENCE_MS)
    try:
        with serving(behind) as address:
            redirect = f"{address}{CALLBACK}"
            provider.redirects.add(redirect)
            api = replace(deps.api, external_url=address)
            apps.append(make_app(replace(deps, api=api, sign_in=Provider(openid_for(provider.issuer, redirect)))))
            page = context.new_page()
            page.goto(f"{address}/rules")
            page.click("text=Single sign-on")
            expect(page).to_have_url(f"{address}/rules")
            page.click(".account summary")
            expect(page.locator(".account")).to_contain_text("Signed in as cleo, responder")
            page.click("text=Sign out >> nth=0")
            page.click("text=Sign out of your sign-in provider as well")
            expect(page.locator("h1")).to_have_text("Signed out of everything")
            page.goto(f"{address}/rules")
            expect(page.locator("h1")).to_have_text("Sign in")
    finally:
        context.close()
        provider.close()
