"""The page of statistics: figures, pictures, and a stretch that stands in the address."""

import html
import re

from incidents import events


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
    for each in pictures:
        picture = amira.get(each)
        assert picture.content_type.startswith("image/svg+xml")
        assert "sandbox" in picture.headers["Content-Security-Policy"]


def test_statistics_page_of_nothing_is_whole(amira):
    """A stretch without any incident, and one that is none."""
    assert "none yet" in plain(amira.get("/statistics?until=1d").text)
    assert amira.get("/statistics?since=yesterday").status_code == 400
    assert amira.get("/statistics?by=colour").status_code == 400
    assert amira.get("/statistics/picture.svg?of=colour").status_code == 400
