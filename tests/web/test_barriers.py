"""Every page against barriers for people, by axe-core in a real browser: WCAG 2.2 AA, light and dark, phone and desk.

It needs Chromium, and is left out where there is none. A page is looked at twice: small and light, large and dark, the
next one the other way round.
"""

from datetime import timedelta

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from receiver_over_store import token_of
from showcase import Showcase, further, quarantined, resolved, told, tonight
from window import DESKTOP, PHONE, Windows, chromium, serving

from incidents.links import link_for, seal
from incidents.status_page import StatusLink
from incidents.status_page import seal as seal_status
from incidents.store.links import signing_key
from incidents.store.sessions import Sessions

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SIZES = ((PHONE, DESKTOP), (DESKTOP, PHONE))
NOT_THERE = ["/incidents/INC-2026-9999", "/ack/x", "/status/x"]
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true })"


@pytest.fixture
def show(store_url, links):
    """A night with much to show, and something in quarantine."""
    show = Showcase(store_url, links)
    further(show)
    quarantined(show)
    return show


@pytest.fixture
def deps(deps_of_show):
    """A receiver over it."""
    return deps_of_show


@pytest.fixture
def paths(show):
    """Every page: those of the menu, of incidents, and those without a session."""
    over, name = resolved(show), tonight(show)
    told(show, name)
    now = show.clock.now
    with show.links.borrow() as link:
        key = signing_key(link)
    status = StatusLink(incident=name, by="amira", audience="", made_at=now, expires_at=now + timedelta(days=1))
    of_incident = ("", "/alerts", "/history?part=status_report", "/why", "/share")
    of_postmortem = ("", "/versions")
    return [
        *("/incidents", "/incidents?q=nothing+fits", "/incidents/INC-2026-9999", "/declare"),
        *("/oncall", "/rules", "/statistics", "/postmortems", "/quarantine", "/quarantine/q1762133005000-0-1"),
        *(f"/incidents/{name}{part}" for part in of_incident),
        *(f"/incidents/{over}/postmortem{part}" for part in of_postmortem),
        *("/sign-in", f"/sign-in/{Sessions(show.links).make_link('ada')}"),
        *(f"/ack/{seal(link_for('bo', 'p', [each], now), key)}" for each in (over, name)),
        *("/ack/x", "/status/x", f"/status/{seal_status(status, key)}"),
    ]


def barriers(page):
    """Return the rules that a page breaks, each with the first place, and how many it keeps."""
    found = page.evaluate(
        "(options) => axe.run(document, options).then((told) => ({"
        "kept: told.passes.length, broken: told.violations.map((one) => `${one.id}: ${one.nodes[0].html}`)}))",
        WCAG,
    )
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found["broken"].append("it is wider than its window")
    return found


def test_barriers_are_nowhere(app, paths):
    """axe-core finds none, and no page is wider than its window."""
    found, statuses, kept = [], [], 0
    with chromium() as browser, serving(app) as address:
        windows = Windows(browser, address)
        page = windows.open(token_of("amira"))
        for place, path in enumerate(paths):
            statuses.append(page.goto(address + path).status)
            page.evaluate(AXE_SCRIPT)
            page.evaluate(OPEN_ALL)
            for scheme, size in zip(("light", "dark"), SIZES[place % 2], strict=True):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size(size)
                told = barriers(page)
                found += [f"{scheme} {size['width']} {path}: {each}" for each in told["broken"]]
                kept += told["kept"]
        windows.close()
    assert found == []
    assert [path for path, status in zip(paths, statuses, strict=True) if status != 200] == NOT_THERE
    assert kept > 20 * len(paths)
