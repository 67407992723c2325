"""The end of maintenance is announced once, where nothing that it holds announces it anyway."""

from datetime import timedelta

import pytest
from builders import CRITICAL, NOW, ONCALL, alert, rule_set
from stage import Stage

from incidents import keys
from incidents.maintenance import Maintenance
from incidents.store import maintenance
from incidents.store.codec import decode_page
from workers.reminding import Reminding

ANNOUNCED = "channels: {hall: console}\nannounce: [hall]\n"


def planned(**changes):
    fields = {"id": "upgrade", "match": 'service="db"', "start": NOW, "until": NOW + timedelta(hours=1)}
    return Maintenance(**(fields | changes))


@pytest.fixture
def stage(store_url, links):
    return Stage(store_url, links, rule_set(CRITICAL, ONCALL + ANNOUNCED))


def told(stage, links, minutes):
    """What is announced so many minutes after the beginning."""
    reminding = Reminding(links=links, rule_set=lambda: stage.rules, now=lambda: NOW + timedelta(minutes=minutes))
    reminding.step()
    reminding.step()
    with links.borrow() as link:
        names = [name.decode() for name in link.one("ZRANGE", keys.pages_due(), 0, -1)]
        pages = [decode_page(link.one("HGET", keys.page(name), "page")) for name in names]
        link.one("DEL", keys.pages_due())
    return [(page.person, page.text) for page in pages if page.incident_id.startswith("NOTICE-")]


def test_reminding_announces_an_end_once(stage, links):
    """A quarter of an hour before it, to the channels of `announce`."""
    maintenance.add(links, planned(), NOW)
    assert told(stage, links, 44) == []
    text = "Maintenance upgrade ends at 2026-01-05 10:00 UTC; it holds no incident"
    assert told(stage, links, 46) == [("channel:hall", text)]
    assert told(stage, links, 50) == []
    assert told(stage, links, 61) == []


def test_reminding_leaves_out_what_is_short_and_what_never_ends(stage, links):
    """Its beginning would be its end."""
    maintenance.add(links, planned(until=NOW + timedelta(minutes=10)), NOW)
    assert told(stage, links, 5) == []


def test_reminding_leaves_what_holds_incidents_to_these(stage, links):
    """Each of them announces the end itself."""
    maintenance.add(links, planned(), NOW)
    stage.post(alert())
    stage.decide()
    assert len(maintenance.held(links)["upgrade"]) == 1
    assert told(stage, links, 46) == []
