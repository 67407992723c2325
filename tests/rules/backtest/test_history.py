"""History: samples of `ALERTS` become alerts that fired and ended."""

from datetime import UTC, datetime, timedelta

from incidents.values import AlertStatus
from rules.backtest.history import Episodes, Samples, arrivals_of

START = datetime(2026, 11, 2, tzinfo=UTC)
STEP = timedelta(minutes=1)


def samples(*minutes: int, **labels: str) -> Samples:
    """Return samples of an alert at these minutes."""
    named = {"__name__": "ALERTS", "alertstate": "firing", **labels}
    return Samples(named, [(START + STEP * minute).timestamp() for minute in minutes])


def minute(number: int) -> datetime:
    """Return the instant of a minute."""
    return START + STEP * number


def test_history_ends_an_alert_a_step_after_its_last_sample():
    """One stretch of samples is one alert, without the labels of the series itself."""
    found = Episodes(STEP).take([samples(0, 1, 2, alertname="Down")], minute(60))
    assert [(each.labels, each.starts_at, each.ends_at) for each in found] == [
        ({"alertname": "Down"}, minute(0), minute(3))
    ]


def test_history_tells_two_firings_apart():
    """A gap ends an alert, and what comes after it is another firing."""
    found = Episodes(STEP).take([samples(0, 1, 5, 6, alertname="Down")], minute(60))
    assert [(each.starts_at, each.ends_at) for each in found] == [(minute(0), minute(2)), (minute(5), minute(7))]


def test_history_follows_an_alert_over_the_border_of_slices():
    """An alert that fires in two slices is one alert."""
    episodes = Episodes(STEP)
    assert not episodes.take([samples(58, 59, 60, alertname="Down")], minute(60))
    found = episodes.take([samples(61, 62, alertname="Down")], minute(120))
    assert [(each.starts_at, each.ends_at) for each in found] == [(minute(58), minute(63))]


def test_history_knows_what_still_fires():
    """What fired at the end of the last slice has no end."""
    episodes = Episodes(STEP)
    episodes.take([samples(59, 60, alertname="Down")], minute(60))
    assert [(each.starts_at, each.ends_at) for each in episodes.still_firing()] == [(minute(59), None)]


def test_history_tells_of_ends_before_beginnings():
    """What ended at an instant is told before what began at it."""
    found = Episodes(STEP).take([samples(0, 1, alertname="A"), samples(2, 3, alertname="B")], minute(60))
    told = [
        (arrival.received_at, arrival.alert.labels["alertname"], arrival.alert.status) for arrival in arrivals_of(found)
    ]
    assert told == [
        (minute(0), "A", AlertStatus.FIRING),
        (minute(2), "A", AlertStatus.RESOLVED),
        (minute(2), "B", AlertStatus.FIRING),
        (minute(4), "B", AlertStatus.RESOLVED),
    ]
