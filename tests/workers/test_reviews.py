"""Reminders of the status report over the real store: their instant is kept there, whoever decides."""

from datetime import timedelta

from builders import alert, rule_set
from stage import Stage

from incidents import keys
from incidents.page import News
from incidents.store.codec import decode_page
from incidents.store.connection import Links

HOUR = timedelta(hours=1)


def test_review_is_reminded_of_once_by_whoever_decides_then(store_url: str, links: Links):
    """A decider that died in between neither loses nor repeats a reminder, and a late one reminds once."""
    stage = Stage(store_url, links, rule_set())
    stage.post(alert())
    stage.decide()
    (incident,) = stage.incidents()
    begun = stage.now
    stage.now = begun + HOUR - timedelta(seconds=1)
    stage.decide(stage.decider("host|2|b"))
    assert "reminder" not in stage.kinds(incident.id)
    stage.now = begun + HOUR
    stage.decide(stage.decider("host|3|c"))
    stage.decide(stage.decider("host|4|d"))
    assert stage.kinds(incident.id).count("reminder") == 1
    stage.now = begun + 5.5 * HOUR  # nobody decided for long
    stage.decide(stage.decider("host|5|e"))
    stage.decide(stage.decider("host|6|f"))
    reminders = [entry for entry in stage.timeline(incident.id) if entry.kind == "reminder"]
    assert [entry.at for entry in reminders] == [begun + HOUR, begun + 5.5 * HOUR]
    due = [name.decode() for name in stage.link.one("ZRANGE", keys.pages_due(), 0, -1)]
    pages = [decode_page(stage.link.one("HGET", keys.page(name), "page")) for name in due]
    assert [page.person for page in pages if page.news is News.TOLD] == ["amira", "amira"]
