"""What is decided about an archived incident happens to the whole of it."""

from datetime import timedelta

import pytest
from builders import alert, rule_set
from msgspec.structs import replace
from stage import Stage

from incidents import keys
from incidents.archive import is_archive
from incidents.incoming import Incoming, Touch, TouchKind
from incidents.store.archive import Kept, sweep
from incidents.store.connection import Links

KEPT = Kept(plain=timedelta(days=7), whole=timedelta(days=400))


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    return Stage(store_url, links, rule_set())


def test_archived_incident_takes_what_a_provider_tells_of_it_later(stage: Stage):
    """A note that is written in PagerDuty two weeks later stands on the timeline, after all that was there."""
    stage.post(alert())
    stage.decide()
    (incident,) = stage.incidents()
    back = alert("Page", service="pagerduty")
    touched = Touch(fingerprint=back.fingerprint, kind=TouchKind.NOTE, actor="Bo", text="on it")
    stage.take(Incoming(ids=("1",), incident_key=incident.dedup_key, alert=back), Incoming(ids=("2",), touch=touched))
    stage.post(alert(status="resolved", ends_at=stage.now))
    stage.decide()
    stage.now += timedelta(minutes=16)
    stage.decide()
    assert stage.incidents()[0].status == "resolved"
    before = stage.kinds(incident.id)
    stage.link.one("DEL", keys.identity(incident.identity_key))  # half an hour has passed
    stage.now += timedelta(days=14)
    assert sweep(stage.link, 0, KEPT, stage.now).archived == (incident.id,)
    stage.take(Incoming(ids=("3",), touch=replace(touched, text="the disk was replaced")))
    stage.decide()
    assert not is_archive(stage.link.one("GET", keys.incident(incident.id)))
    assert stage.kinds(incident.id) == [*before, "note"]
    assert stage.balance()[0] == stage.balance()[1]
