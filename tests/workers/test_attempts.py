"""What follows a failed attempt, and how many messages a provider is sent: plain values."""

from datetime import timedelta

import pytest
from builders import NOW

from incidents.page import Page
from incidents.values import PageReason
from workers.attempts import next_try, not_yet
from workers.buckets import Buckets, Rate
from workers.dispatch import Result

PAGE = Page(
    id="INC-2026-0001.1.1.1.amira", incident_id="INC-2026-0001", person="amira", role=None, step=1, round=1,
    reason=PageReason.DECLARED, ruleset="r", created_at=NOW, received_at=NOW, attempt=1,
)  # fmt: skip


def result(**changes):
    return Result(page_id=PAGE.id, channel_name="a", accepted=False, **changes)


def after(page=PAGE, channels=2, until=None, **changes):
    """Return which channel is next, and in how many seconds."""
    again = next_try(page, channels, result(**changes), NOW, jitter=0.0, until=until)
    return None if again is None else (again[0].channel_index, (again[1] - NOW).total_seconds())


def test_attempt_that_failed_for_good_goes_to_the_next_channel_at_once():
    """And is given up where there is none."""
    assert after(permanent=True) == (1, 0.0)
    assert after(permanent=True, channels=1) is None


def test_attempt_that_failed_for_now_is_made_again_on_its_channel():
    """After its delay, or as long as the provider asks, up to a minute."""
    assert after() == (0, 2.0)
    assert after(retry_after=30.0) == (0, 30.0)
    assert after(retry_after=3600.0) == (0, 60.0)


def test_attempt_does_not_wait_past_the_next_step():
    """A Retry-After that is longer than the step has left goes to the person's next channel at once."""
    until = NOW + timedelta(seconds=20)
    assert after(retry_after=30.0, until=until) == (1, 0.0)
    assert after(retry_after=10.0, until=until) == (0, 10.0)
    assert after(retry_after=30.0, until=until, channels=1) == (0, 30.0)


def test_attempt_without_room_at_its_provider_waits_or_moves_on():
    """What was not tried counts as no attempt."""
    wait = timedelta(seconds=10)
    assert not_yet(PAGE, 2, wait, NOW, until=None) == (PAGE, NOW + wait)
    moved, at = not_yet(PAGE, 2, wait, NOW, until=NOW + timedelta(seconds=5))
    assert (moved.channel_index, moved.channel_attempts, at) == (1, 0, NOW)
    assert not_yet(PAGE, 1, wait, NOW, until=NOW) == (PAGE, NOW + wait)


def test_bucket_gives_its_burst_and_then_its_rate():
    """Each provider has its own, and an idle one fills up to its burst and no more."""
    clock = [0.0]
    buckets = Buckets(lambda: clock[0], {"slack": Rate(2.0, 3.0)})
    assert [buckets.wait("slack", "a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.wait("slack", "b") == 0.0
    clock[0] = 0.5
    assert buckets.wait("slack", "a") == 0.0
    assert buckets.wait("slack", "a") == pytest.approx(0.5)
    clock[0] = 1000.0
    assert [buckets.wait("slack", "a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_bucket_of_a_kind_without_a_rate_never_waits():
    """The console prints whatever comes."""
    buckets = Buckets(lambda: 0.0, {})
    assert {buckets.wait("console", "console") for _ in range(1000)} == {0.0}
