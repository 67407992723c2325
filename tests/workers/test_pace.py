"""How much the decider takes at a time."""

from workers.pace import BATCH_SECONDS, ENTRIES_AT_FIRST, ENTRIES_AT_MOST, EVENTS_AT_LEAST, EVENTS_AT_MOST, Pace


def after(pace: Pace, *, per_entry: int, reads: int = 20) -> int:
    """Read full batches until the number of entries has settled."""
    for _ in range(reads):
        pace.read(pace.entries * per_entry, pace.entries)
    return pace.entries


def test_pace_asks_for_as_many_entries_as_hold_a_batch():
    """Entries of fifty are asked for by the dozen, entries of one by the thousand."""
    assert after(Pace(), per_entry=50) == EVENTS_AT_MOST // 50
    assert after(Pace(), per_entry=1) == ENTRIES_AT_MOST
    assert after(Pace(), per_entry=100_000) == 1


def test_pace_keeps_its_number_while_nothing_comes():
    """An empty read says nothing of what entries hold."""
    pace = Pace()
    pace.read(0, 0)
    assert pace.entries == ENTRIES_AT_FIRST


def test_pace_takes_less_on_a_slow_host_and_more_again_on_a_fast_one():
    """A batch that takes twice the time is halved; a single slow event says nothing."""
    pace = Pace()
    pace.took(1, 10 * BATCH_SECONDS)
    assert after(pace, per_entry=50) == EVENTS_AT_MOST // 50
    pace.took(EVENTS_AT_MOST, 2 * BATCH_SECONDS)
    assert after(pace, per_entry=50) == EVENTS_AT_MOST // 100
    pace.took(EVENTS_AT_MOST // 2, BATCH_SECONDS / 4)
    assert after(pace, per_entry=50) == EVENTS_AT_MOST // 50


def test_pace_comes_down_to_a_few_events_where_batches_outlast_the_lease():
    """However slow the host, some batch is small enough."""
    pace = Pace()
    for _ in range(5):
        pace.too_slow()
    assert pace.entries == 1
    assert after(pace, per_entry=1) == EVENTS_AT_LEAST
