"""The pages in a real browser over real programs: an alert fires, people see it, take it, write, and it is over.

One Alertmanager and one `tocsin serve` serve all tests; each has an incident of its own.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from installation import SOURCE_TOKEN, Installation
from monitoring import Alertmanager
from page_sink import PageSink
from playwright.sync_api import Browser, Locator, Page, expect
from programs import Programs, eventually
from window import PATIENCE_MS, PHONE, Windows, chromium

pytestmark = pytest.mark.acceptance

TOKENS = {name: f"token-of-{name}-in-the-browser-tests" for name in ("amira", "bo", "val")}
ROLES = {"amira": "responder", "bo": "responder", "val": "viewer"}
RULES = """
defaults: {identity: [service]}
rules:
- id: slo-fast-burn
  match: 'severity="critical"'
  criterion: slo_breach
  declare: SEV1
  summary: "{{ annotations.summary }}"
  runbook: "https://runbooks.example.com/{{ labels.service }}"
  objectives: [{id: clear, text: No alert of it has fired for three seconds, alerts_clear_for: 3s}]
- id: customer-visible
  criterion: customer_visible
  match: 'severity="warning"'
  declare: SEV2
  objectives: [{id: clear, text: No alert of it has fired for an hour, alerts_clear_for: 1h}]
"""
SUMMARY = "Checkout answers 500 to every third customer; payments are lost"
JOINED = "Every third payment fails: cards are refused"
HOSTILE = {
    "summary": "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"> {{ config }}",
    "description": "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "runbook_url": "javascript:document.title='run'",
    "dashboard_url": "data:text/html,<script>alert(1)</script>",
}
expect.set_options(timeout=PATIENCE_MS)


class Site:
    """What all tests of this module share."""

    def __init__(self, tocsin: Installation, alertmanager: Alertmanager, windows: Windows) -> None:
        self.tocsin = tocsin
        self.alertmanager = alertmanager
        self.windows = windows

    def fire(
        self,
        service: str,
        *,
        ends: bool = False,
        severity: str = "critical",
        summary: str = SUMMARY,
        annotations: Mapping[str, str] = {},
    ) -> None:
        """Tell the Alertmanager of an alert of a service, or that it is over."""
        labels = {"alertname": "ErrorBudgetBurn", "service": service, "severity": severity}
        alert: dict[str, Any] = {"labels": labels, "annotations": {"summary": summary, **annotations}}
        alert |= {"generatorURL": "https://prometheus.example.com/graph?g0.expr=errors"}
        if ends:
            alert |= {"endsAt": datetime.now(UTC).isoformat()}
        requests.post(f"{self.alertmanager.url}/api/v2/alerts", json=[alert], timeout=60).raise_for_status()

    def incident_of(self, service: str) -> str:
        """Wait for the incident of a service and return its id."""

        def found() -> str:
            every = self.tocsin.incidents("?limit=100")
            return next((one["id"] for one in every if one["identity"] == {"service": service}), "")

        return eventually(found, what=f"an incident of {service}", poll=0.1)

    def open(self, who: str, path: str = "/incidents", **options: Any) -> Page:
        return self.windows.open(TOKENS[who], path, **options)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def running(browser: Browser) -> Iterator[tuple[Installation, Alertmanager]]:
    """A real Alertmanager that posts to `tocsin serve`."""
    with tempfile.TemporaryDirectory(prefix="tocsin-") as directory:
        programs, sink = Programs(Path(directory)), PageSink()
        try:
            tocsin = Installation(programs, sink.url)
            people = "\n".join(f"- {{name: {who}, token: {TOKENS[who]}, role: {ROLES[who]}}}" for who in TOKENS)
            tocsin.configure(extra=f"{people}\nexternal_url: {tocsin.url}")
            tocsin.write_rules(RULES)
            tocsin.serve()
            yield tocsin, Alertmanager(programs, tocsin.webhook, SOURCE_TOKEN)
        finally:
            programs.end()
            sink.close()


@pytest.fixture
def site(running: tuple[Installation, Alertmanager], browser: Browser) -> Iterator[Site]:
    """The installation, with windows of this test alone; what scripts complain of fails it."""
    windows = Windows(browser, running[0].url)
    try:
        yield Site(*running, windows)
    finally:
        windows.close()
    assert windows.wrong == []


def stays(page: Page) -> None:
    """Mark a page, so that loading it anew would be seen."""
    page.evaluate("window.stayed = true")


def stayed(page: Page) -> bool:
    return bool(page.evaluate("window.stayed === true"))


def bring(page: Page) -> None:
    """Have what is new shown, if the page has not done so by itself because nobody seemed to be there."""
    page.evaluate("document.querySelector('[data-news]').click()")


def test_web_from_the_alert_to_the_post_mortem(site: Site) -> None:
    """It appears live; two people acknowledge, write at once, hand over; it resolves by its objective."""
    desk = site.open("amira")
    row = _appears(site, desk)
    incident = site.incident_of("checkout")
    row.locator("a").click()
    expect(desk.locator("h1")).to_have_text(SUMMARY)
    stays(desk)
    phone = site.open("bo", f"/incidents/{incident}", viewport=PHONE, color_scheme="dark")
    _acknowledge_while_somebody_writes(desk, phone)
    _edit_at_once(desk, phone)
    _hand_over(desk, phone)
    _list_what_nobody_took_first(site)
    desk.mouse.move(1, 1)
    site.fire("checkout", ends=True)
    expect(desk.locator(".lead .status")).to_have_text("resolved")
    _read_the_post_mortem(desk, f"{site.tocsin.url}/incidents/{incident}/postmortem")


def _appears(site: Site, desk: Page) -> Locator:
    """Two incidents appear on an open list; return the row of the first."""
    stays(desk)
    expect(desk.locator(".standing .well")).to_be_visible()
    site.fire("checkout")
    expect(desk.locator("[data-announcer]")).to_contain_text("1 new incident")
    bring(desk)
    row = desk.locator("[data-row]").filter(has_text=SUMMARY)
    expect(row).to_contain_text("not acknowledged")
    site.fire("search", severity="warning", summary="Search answers in four seconds")
    site.incident_of("search")
    expect(desk.locator("[data-announcer]")).to_contain_text("Search answers")
    bring(desk)
    expect(desk.locator("[data-row]")).to_have_count(2)
    assert stayed(desk)
    return row


def _acknowledge_while_somebody_writes(desk: Page, phone: Page) -> None:
    """What is being written, and where, stays; what is new comes by a button."""
    desk.mouse.move(1, 1)
    desk.locator("#note").fill("Looks like the deploy")
    where = desk.locator("#note").bounding_box()
    shown = desk.locator("[data-timeline] > [data-row]").count()
    phone.click("[data-acknowledge]")
    expect(phone.locator(".notice.good")).to_contain_text("Acknowledged")
    expect(desk.locator(".lead .status")).to_have_text("acknowledged")
    expect(desk.locator("[data-news]")).to_be_visible()
    expect(desk.locator("#note")).to_be_focused()
    assert desk.locator("#note").bounding_box() == where
    assert desk.locator("[data-timeline] > [data-row]").count() == shown
    desk.click("[data-news]")
    expect(desk.locator("[data-timeline]")).to_contain_text("Acknowledged by bo")
    expect(desk.locator("#note")).to_have_value("Looks like the deploy")
    assert stayed(desk)
    desk.click(".note button")
    expect(desk.locator("[data-timeline]")).to_contain_text("Looks like the deploy")


def _edit_at_once(desk: Page, phone: Page) -> None:
    """The second of two who edit the summary gets both texts."""
    for window, text in ((desk, "Every third payment fails"), (phone, "Cards are refused")):
        window.click("section[aria-labelledby=summary] summary")
        window.fill("textarea[name=summary]", text)
    desk.click("section[aria-labelledby=summary] form button")
    expect(desk.locator(".notice.good")).to_contain_text("Saved")
    phone.click("section[aria-labelledby=summary] form button")
    clash = phone.locator("section[aria-labelledby=summary]")
    expect(clash.locator(".notice.bad")).to_contain_text("Every third payment fails")
    expect(clash.locator("textarea")).to_have_value("Cards are refused")
    clash.locator("textarea").fill(JOINED)
    clash.locator("form button").click()
    expect(phone.locator(".lead .impact")).to_have_text(JOINED)


def _hand_over(desk: Page, phone: Page) -> None:
    """The commander stays until the successor acknowledges."""
    desk.locator(".deeds summary", has_text="Give a role").click()
    desk.locator("select[name=person]").first.select_option("bo")
    desk.get_by_role("button", name="Give it", exact=True).first.click()
    expect(desk.locator(".lead .facts")).to_contain_text("bo was asked to take over")
    phone.goto(desk.url)
    phone.click("[data-acknowledge]")
    for window in (phone, desk):
        expect(window.locator(".lead .facts")).to_contain_text(re.compile(r"Commander\s*bo"))
    bring(desk)


def _list_what_nobody_took_first(site: Site) -> None:
    """One that somebody is on comes after one that nobody took, be it graver."""
    page = site.open("amira", viewport={"width": 1280, "height": 420})
    expect(page.locator("[data-row] h2")).to_have_text(["Search answers in four seconds", SUMMARY])
    expect(page.locator("[data-row]").nth(1)).to_contain_text(re.compile(r"acknowledged[\s\S]*Commander\s*bo"))


def _read_the_post_mortem(desk: Page, address: str) -> None:
    desk.goto(address)
    expect(desk.locator("h1")).to_contain_text(SUMMARY)
    expect(desk.locator("main")).to_contain_text(JOINED)
    expect(desk.locator("main")).to_contain_text("Acknowledged by bo")


def test_web_works_without_script_and_for_viewers_without_buttons(site: Site) -> None:
    """Plain forms alone do it all; a viewer reads."""
    site.fire("mail", severity="warning")
    incident = site.incident_of("mail")
    page = site.open("bo", java_script_enabled=False, viewport=PHONE)
    page.locator(f"#{incident} a").click()
    page.click("[data-acknowledge]")
    expect(page.locator(".notice.good")).to_contain_text("Acknowledged")
    page.fill("#note", "rolling back")
    page.click(".note button")
    expect(page.locator("[data-timeline]")).to_contain_text("rolling back")
    viewer = site.open("val", f"/incidents/{incident}")
    expect(viewer.locator("[data-timeline]")).to_contain_text("rolling back")
    expect(viewer.locator("main form")).to_have_count(0)


def test_web_runs_nothing_of_a_hostile_alert(site: Site) -> None:
    """Tags, templates and addresses of an alert are text, on the page and in what is announced live."""
    desk = site.open("amira")
    site.fire("hostile", severity="warning", annotations=HOSTILE)
    incident = site.incident_of("hostile")
    expect(desk.locator("[data-announcer]")).to_contain_text("{{ config }}")
    bring(desk)
    desk.locator(f"#{incident} a").click()
    expect(desk.locator("h1")).to_contain_text("<script>document.title='run'</script>")
    expect(desk.locator("main")).to_contain_text("__subclasses__")
    assert desk.locator("a[href^='javascript' i], a[href^='data' i]").count() == 0
    assert "run" not in desk.title().split()


def test_web_says_that_the_connection_is_lost_and_comes_back(site: Site) -> None:
    """After ten seconds without a word the page says of when its data are; it goes on by itself."""
    desk = site.open("amira")
    stays(desk)
    desk.context.set_offline(True)
    desk.evaluate("dispatchEvent(new Event('pagehide'))")  # a stream outlives the network of the browser's settings
    desk.evaluate("() => { const now = Date.now; Date.now = () => now() + 11000; }")  # nobody waits for ten seconds
    expect(desk.locator("[data-lost]")).to_have_text(re.compile(r"Connection lost, data from \d\d:\d\d:\d\d UTC"))
    desk.context.set_offline(False)
    desk.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.locator("[data-lost]")).to_be_hidden()
    assert stayed(desk)


def test_web_asks_where_it_finds_no_seat_for_a_stream(site: Site) -> None:
    """A stream that is refused is no silence: the page asks, and shows what is new all the same."""
    desk = site.open("amira")
    desk.route("**/events*", lambda route: route.fulfill(status=503) if _is_stream(route) else route.continue_())
    desk.reload()
    stays(desk)
    site.fire("ledger", severity="warning", summary="The ledger lags")
    expect(desk.locator("[data-announcer]")).to_contain_text("The ledger lags")
    assert stayed(desk)


def _is_stream(route: Any) -> bool:
    return "text/event-stream" in (route.request.headers.get("accept") or "")
