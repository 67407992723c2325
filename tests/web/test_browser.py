"""The pages in a real browser: what fits on a phone, keys, what runs and what must not, barriers for people.

They need Chromium, and are left out where there is none.
"""

import shutil
import threading
from collections.abc import Iterator

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright
from werkzeug.serving import make_server

from incidents.events import Note, PageFailed
from receiver.app import create_app

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE_MS = 60_000  # other tests run beside these
PHONE = {"width": 360, "height": 640}
DESKTOP = {"width": 1280, "height": 800}
expect.set_options(timeout=PATIENCE_MS)
HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"> {{ config }}"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

FURTHER = {  # each once, to spare time
    "light": ("/oncall", "/rules", "/quarantine"),
    "dark": ("/statistics", "/postmortems", "/incidents/INC-2026-0001/postmortem"),
}

FAILED = PageFailed(
    page_id="p",
    person="amira",
    kind="sms",
    channel="amira/1",
    attempt=1,
    error="refused",
    permanent=True,
    again_at=None,
)

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        except Error as error:
            pytest.skip(f"Chromium does not start here: {error.message[:200]}")
        yield browser
        browser.close()


@pytest.fixture
def address(deps) -> Iterator[str]:
    """The pages, served for real."""
    plain = msgspec.structs.replace(deps.api, external_url="http://127.0.0.1")
    server = make_server("127.0.0.1", 0, create_app(msgspec.structs.replace(deps, api=plain)), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def visit(chromium, address):
    """Opens a window in which somebody is signed in; what goes wrong in it is an error of the test."""
    opened: list[BrowserContext] = []
    wrong: list[str] = []

    def visited(path="/incidents", *, who="amira", size=DESKTOP, scheme="light", script=True) -> Page:
        context = chromium.new_context(
            viewport=size, color_scheme=scheme, timezone_id="Europe/Berlin", java_script_enabled=script
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if is_error(said) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}/sign-in?next={path}")
        page.fill("input[name=token]", f"token-of-{who}")
        page.click("main button.go")
        expect(page).to_have_url(f"{address}{path}")
        page.wait_for_load_state()  # the address is there before the script that hears keys
        return page

    yield visited
    for context in opened:
        context.close()
    assert wrong == []


def is_error(said: ConsoleMessage) -> bool:
    """Whether something is wrong with a page; that there is no room for one more live stream is not."""
    return said.type == "error" and "/events" not in said.location.get("url", "")


def bottom_of(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return box["y"] + box["height"]


def test_browser_shows_a_phone_what_is_needed_without_scrolling(visit, declare):
    """At 360 x 640, however long its title: severity, title, who is paged next, and the button, which a thumb hits."""
    incident = declare(severity="SEV1", title="Checkout answers 500 to every third customer; payments are lost. " * 4)
    page = visit(f"/incidents/{incident.id}", size=PHONE)
    for selector in (".lead .sev", ".lead .status", ".lead h1", ".lead .next", "[data-acknowledge]"):
        assert bottom_of(page, selector) <= PHONE["height"], selector
    box = page.locator("[data-acknowledge]").bounding_box()
    assert box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_browser_has_no_barriers(visit, address, declare, incidents, clock):
    """axe-core finds none by WCAG 2.2 AA, light and dark, on the phone and on the desk."""
    incident = declare(title="It is broken")
    incidents.apply(incident.id, Note(actor="bo", text="looking"), now=clock.now)
    incidents.apply(incident.id, FAILED, now=clock.now)
    found, passed = [], 0
    for scheme, size in (("light", PHONE), ("dark", DESKTOP)):
        page = visit(scheme=scheme, size=size)
        for path in ("/incidents", f"/incidents/{incident.id}", "/declare", *FURTHER[scheme]):
            page.goto(address + path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (scheme, path)
            result = Axe().run(page, options=WCAG).response
            passed += len(result["passes"])
            found += [f"{scheme} {path}: {each['id']}: {each['nodes'][0]['html']}" for each in result["violations"]]
    assert found == []
    assert passed > 100


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
