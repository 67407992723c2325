from datetime import timedelta

import pytest

from workers.retries import TRIES, Verdict, delay_before, verdict


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Verdict.ACCEPTED),
        (202, Verdict.ACCEPTED),
        (204, Verdict.ACCEPTED),
        (301, Verdict.PERMANENT),
        (307, Verdict.PERMANENT),
        (400, Verdict.PERMANENT),
        (401, Verdict.PERMANENT),
        (404, Verdict.PERMANENT),
        (408, Verdict.RETRY),
        (410, Verdict.PERMANENT),
        (425, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
        (599, Verdict.RETRY),
        (600, Verdict.PERMANENT),
        (101, Verdict.PERMANENT),
    ],
)
def test_verdict_follows_the_status(status, expected):
    """A row per status that means something of its own."""
    assert verdict(status) is expected


def test_delays_put_three_tries_into_ten_seconds():
    """The first is at once, and the third begins before ten seconds are over."""
    first, second, third = (delay_before(attempt, 0.0, None) for attempt in (1, 2, 3))
    assert first == timedelta(0)
    assert second + third <= timedelta(seconds=10)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_delays_grow_to_a_minute_and_then_give_up(jitter):
    """Jitter only shortens; the try after the last is none."""
    delays = [delay_before(attempt, jitter, None) for attempt in range(1, TRIES + 1)]
    assert delays == sorted(delays)
    assert delays[-1] <= timedelta(seconds=60)
    assert delay_before(TRIES + 1, jitter, None) is None


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, 2), (0, 2), (1, 2), (30, 30), (3600, 60), (float("inf"), 60), (float("nan"), 2), (-5, 2)],
)
def test_delays_heed_retry_after_up_to_a_minute(asked, seconds):
    """A provider may ask for more time than we would leave it, but not for an hour."""
    assert delay_before(2, 0.0, asked) == timedelta(seconds=seconds)
