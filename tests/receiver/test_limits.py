"""How much one credential may ask for: what is above it is told to come again, and others are not touched."""

import pytest

from receiver.limits import Limit, Limiter, Limits, cost_of

TIGHT = Limits(senders=Limit(1, 3), callers=Limit(1, 3))


class Clock:
    """Seconds as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_limiter_lets_a_burst_through_and_then_the_rate():
    """After a quiet time the whole burst passes, then as much as the rate gives, to each holder by itself."""
    clock = Clock()
    limiter = Limiter(Limit(8, 64), clock)
    assert [limiter.wait("a") for _ in range(64)] == [0.0] * 64
    assert limiter.wait("a") == 0.125
    assert limiter.wait("b") == 0.0
    clock.now += 1
    assert sum(limiter.wait("a") == 0.0 for _ in range(20)) == 8
    clock.now += 3600
    assert sum(limiter.wait("a") == 0.0 for _ in range(100)) == 64


def test_limiter_lets_what_is_dearer_than_a_full_bucket_through():
    """One body never waits for ever: with a full bucket it passes, and the next has to wait."""
    clock = Clock()
    limiter = Limiter(Limit(10, 50), clock)
    assert limiter.wait("a", 80) == 0.0
    assert limiter.wait("a") > 0
    clock.now += 8.01
    assert limiter.wait("a", 80) == 0.0


@pytest.mark.parametrize(
    ("length", "cost"), [(0, 1), (4096, 1), (8192, 2), (64 * 1024 * 1024, 16384), (-1, 64), (10**10, 1)]
)
def test_limiter_cost_is_by_length(length: int, cost: float):
    """A post costs one, a longer body one for each 4 KiB, one of unknown length as much as a large one."""
    assert cost_of(length) == cost


def test_limits_are_above_any_storm():
    """What was measured at the most, all of it through one process, and 10,000 groups at once, are let through."""
    clock = Clock()
    limiter = Limiter(Limits().senders, clock)
    for _ in range(3000 * 30):
        clock.now += 1 / 3000
        assert limiter.wait("prod", cost_of(3000)) == 0.0
    assert all(limiter.wait("prod", cost_of(20_000)) == 0.0 for _ in range(10_000))


def test_sender_over_its_limit_is_told_to_come_again(make_client, webhook, alert, intake, record):
    """503 with Retry-After, which Alertmanager tries again; nothing is taken, and another source still is."""
    client = make_client(limits=TIGHT)

    def post(token: str):
        headers = {"Authorization": f"Bearer {token}"}
        return client.post("/webhooks/alertmanager", data=webhook(alert()), headers=headers)

    codes = [post(token).status_code for token in ("source-token", "next-token") * 2]
    assert codes == [202, 202, 202, 503]
    answer = post("source-token")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert len(intake.alerts) == 3
    assert post("other-token").status_code == 202
    assert record.seen[3] == ("prod", 503)


def test_caller_over_its_limit_is_told_to_come_again(make_client):
    """429 with Retry-After; another token still passes."""
    client = make_client(limits=TIGHT)
    reload = [client.post("/-/reload", headers={"Authorization": "Bearer admin-token"}) for _ in range(4)]
    assert [answer.status_code for answer in reload] == [200, 200, 200, 429]
    assert reload[-1].headers["Retry-After"] == "1"
    assert client.post("/-/reload", headers={"Authorization": "Bearer viewer-token"}).status_code == 403
