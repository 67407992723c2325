"""Nobody acknowledges: the next in turn is paged on time; somebody does: nobody is paged any more."""

from itertools import pairwise

import pytest
from installation import firing

from incidents.values import IncidentStatus

pytestmark = [pytest.mark.acceptance, pytest.mark.alone]

STEP = 2.0
PROMISED = 5.0


def test_escalation_pages_the_next_in_turn_on_time_until_somebody_acknowledges(tocsin, page_sink):
    """Each step comes within five seconds of its time, and none after the acknowledgement through the API."""
    tocsin.write_oncall(step="2s")
    tocsin.serve()
    tocsin.post(firing())

    first = page_sink.expect_page(person="amira", reason="declared", round=1, step=1)
    second = page_sink.expect_page(timeout=STEP + PROMISED, person="bo", reason="unacknowledged", round=1, step=2)
    third = page_sink.expect_page(timeout=STEP + PROMISED, person="amira", reason="unacknowledged", round=2, step=1)
    times = [one.at for one in page_sink.received]
    for before, after in pairwise(times):
        assert STEP - 0.2 <= after - before <= STEP + PROMISED
    assert {page["dedup_key"] for page in (first, second, third)} == {first["dedup_key"]}
    assert len({page["page_id"] for page in (first, second, third)}) == 3

    incident = first["incident"]["id"]
    assert tocsin.act(incident, "acknowledge")["status"] == IncidentStatus.ACKNOWLEDGED
    page_sink.assert_all_claimed(settle=STEP + 1)
    escalated = tocsin.timeline(incident, "page_escalated")
    assert [entry["data"]["people"] for entry in escalated] == [["bo"], ["amira"]]
    assert tocsin.metric("tocsin_timer_lateness_seconds_count") >= 2


def test_escalation_goes_on_over_a_restart(tocsin, page_sink):
    """A step that falls due while nothing runs pages as soon as `tocsin serve` is back."""
    tocsin.write_oncall(step="8s")
    serving = tocsin.serve()
    tocsin.post(firing())
    page_sink.expect_page(person="amira", step=1)
    serving.stop()

    page_sink.assert_all_claimed(settle=8)
    tocsin.serve()
    page = page_sink.expect_page(timeout=PROMISED, person="bo", reason="unacknowledged", step=2)
    tocsin.act(page["incident"]["id"], "acknowledge")
