"""The page of statistics: figures, pictures, and a stretch that stands in the address."""

import html
import re

import pytest
from builders import CRITICAL, ONCALL, rule_set

from incidents import events, keys
from incidents.facts import Fact
from incidents.store.codec import encode
from rules.slo_status import fact_ids

SLO = """
slos:
- {id: pay, service: checkout, objective: 99.9, window: 30d, error_ratio: 'avg_over_time(errors[$window])'}
"""


@pytest.fixture
def rules():
    return rule_set(CRITICAL + SLO, ONCALL)


def plain(page):
    main = page[page.index("<main") : page.index("</main>")]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def test_statistics_page_shows_figures_and_pictures(amira, declare, incidents, clock):
    """Of the stretch in the address, grouped by what it says; the pictures are of the same."""
    done = declare("db")
    clock.advance(minutes=4)
    incidents.apply(done.id, events.Acknowledge(actor="bo", note=""), now=clock.now)
    incidents.apply(done.id, events.Resolve(actor="bo", note="", override="over"), now=clock.now)
    declare("mail", severity="SEV3")
    page = amira.get("/statistics?since=30d&by=severity").text
    said = plain(page)
    assert "Incidents 2 1 open, 1 resolved, 0 dismissed" in said
    assert "To acknowledge 4m 1s median, 4m 1s p90, of 1" in said
    assert "By severity" in said
    assert 'value="30d"' in page
    pictures = [html.unescape(each) for each in re.findall(r'<img src="([^"]+)"', page)]
    assert pictures[0] == "/statistics/picture.svg?of=times&since=30d&by=severity"
    narrow = [html.unescape(each) for each in re.findall(r'<source media="[^"]+" srcset="([^"]+)"', page)]
    assert narrow == [f"{each}&width=narrow" for each in pictures]
    for each in (*pictures, *narrow):
        picture = amira.get(each)
        assert picture.content_type.startswith("image/svg+xml")
        assert ('viewBox="0 0 320 ' in picture.text) is (each in narrow)
        assert "sandbox" in picture.headers["Content-Security-Policy"]


def test_statistics_page_shows_error_budgets(amira, rules, links, clock):
    """How much is left, as a figure and as a bar; a budget that is gone is no bar of less than nothing."""
    slo = rules.slos["pay"]
    for ratio, told in ((0.0005, 'value="0.500"'), (0.002, 'value="0.000"')):
        with links.borrow() as link:
            for name in fact_ids([slo]):
                link.one("HSET", keys.facts(), name, encode(Fact(id=name, at=clock.now, value=ratio)))
        page = amira.get("/statistics").text
        assert told in page
    said = plain(page)
    assert "pay checkout, 99.9 % over 30d overspent by 100.0 % burning 2 times as fast as it may budget gone" in said


def test_statistics_page_of_nothing_is_whole(amira):
    """A stretch without any incident, and one that is none."""
    assert "none yet" in plain(amira.get("/statistics?until=1d").text)
    assert amira.get("/statistics?since=yesterday").status_code == 400
    assert amira.get("/statistics?by=colour").status_code == 400
    assert amira.get("/statistics/picture.svg?of=colour").status_code == 400
