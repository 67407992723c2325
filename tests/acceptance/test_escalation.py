"""Nobody acknowledges: the next in turn is paged, never early; somebody does: nobody is paged any more."""

from datetime import datetime, timedelta
from itertools import cycle

import pytest
from installation import firing
from programs import eventually

from incidents.clock import utc_now
from incidents.values import IncidentStatus

pytestmark = pytest.mark.acceptance

STEP = 2
LONG_STEP = 15  # seconds for a stop, on whatever machine


def test_escalation_pages_the_next_in_turn_until_somebody_acknowledges(tocsin, page_sink):
    """No step comes before its time, and none after the acknowledgement through the API."""
    tocsin.write_oncall(step=f"{STEP}s")
    tocsin.serve()
    tocsin.post(firing())

    first = page_sink.expect_page(person="amira", reason="declared", round=1, step=1)
    second = page_sink.expect_page(person="bo", reason="unacknowledged", round=1, step=2)
    third = page_sink.expect_page(person="amira", reason="unacknowledged", round=2, step=1)
    assert {page["dedup_key"] for page in (first, second, third)} == {first["dedup_key"]}
    assert len({page["page_id"] for page in (first, second, third)}) == 3

    incident = first["incident"]["id"]
    assert tocsin.act(incident, "acknowledge")["status"] == IncidentStatus.ACKNOWLEDGED
    escalated = tocsin.timeline(incident, "page_escalated")
    people = [entry["data"]["people"][0] for entry in escalated]
    assert people == [person for person, _ in zip(cycle(["bo", "amira"]), escalated, strict=False)]
    for person in people[2:]:  # what fell due before the acknowledgement, on a machine that stood still
        page_sink.expect_page(person=person)
    page_sink.assert_all_claimed(settle=STEP + 1)
    assert tocsin.timeline(incident, "page_escalated") == escalated
    declared = datetime.fromisoformat(first["incident"]["declared_at"])
    for number, entry in enumerate(escalated, start=1):
        assert datetime.fromisoformat(entry["at"]) >= declared + timedelta(seconds=number * STEP)
    assert tocsin.metric("tocsin_timer_lateness_seconds_count") >= 2


def test_escalation_goes_on_over_a_restart(tocsin, page_sink):
    """A step that falls due while nothing runs pages when `tocsin serve` is back."""
    tocsin.write_oncall(step=f"{LONG_STEP}s")
    serving = tocsin.serve()
    tocsin.post(firing())
    page = page_sink.expect_page(person="amira", step=1)
    serving.stop()

    due = datetime.fromisoformat(page["incident"]["declared_at"]) + timedelta(seconds=LONG_STEP)
    eventually(lambda: utc_now() > due)
    page_sink.assert_all_claimed()
    tocsin.serve()
    page = page_sink.expect_page(person="bo", reason="unacknowledged", step=2)
    tocsin.act(page["incident"]["id"], "acknowledge")
