"""A store that hangs, and the senders behind the first."""

import threading
import time
from datetime import UTC, datetime

import pytest

from incidents.errors import StoreUnavailable
from incidents.store.intake import Appended
from receiver.failfast import LONG, REST, FailFast

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


class Store:
    """Answers at once, or fails, or hangs until it is released and then fails."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.fails = False
        self.takes = 0.0
        self.released: threading.Event | None = None

    def clock(self) -> float:
        return self.now

    def append_alerts(self, **given: object) -> Appended:
        self.asked += 1
        if self.released is not None:
            self.released.wait(60)
        self.now += self.takes
        if self.fails:
            raise StoreUnavailable("away")
        return Appended("1-0", 0, 0)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def append(store):
    sink = FailFast(store, clock=store.clock)
    return lambda: sink.append_alerts(source="prod", alerts=(), received_at=NOW)


def test_failfast_passes_answers_through(store, append):
    """While the store answers it is not felt."""
    assert append() == Appended("1-0", 0, 0)
    assert store.asked == 1


def test_failfast_quick_refusal_is_asked_again(store, append):
    """A store that refuses at once costs nobody time, so everybody may ask."""
    store.fails = True
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            append()
    assert store.asked == 3
    store.fails = False
    assert append().event_id == "1-0"


def test_failfast_rests_after_a_long_wait_in_vain(store, append):
    """After a long wait nobody asks for a moment; then one does, and all is well again."""
    store.fails, store.takes = True, LONG + 1
    with pytest.raises(StoreUnavailable):
        append()
    with pytest.raises(StoreUnavailable, match="a moment ago"):
        append()
    assert store.asked == 1
    store.fails, store.takes = False, 0.0
    store.now += REST
    assert append().event_id == "1-0"


def test_failfast_refuses_at_once_while_another_waits_long(store, append):
    """Senders behind one that waits are told to try again instead of waiting as well."""
    store.released = threading.Event()
    waiting = threading.Thread(target=append)
    waiting.start()
    while store.asked == 0:
        time.sleep(0.001)
    store.now += LONG + 0.1
    with pytest.raises(StoreUnavailable, match="others waiting"):
        append()
    store.released.set()
    waiting.join()
    assert append().event_id == "1-0"
