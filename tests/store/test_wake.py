"""Wake-ups: one that waits is enough, whoever asks."""

from incidents import keys
from incidents.queues import DECIDE_QUEUE, PAGES_QUEUE
from incidents.store.connection import Link, client_for
from incidents.store.wake import Waker


def test_waker_keeps_one_job_waiting_at_most(store_url: str):
    """Neither a ticker nor a job that asks for its successor puts a second one behind one that waits."""
    waker, link = Waker(client_for(store_url)), Link(store_url)
    assert waker.pager()
    link.one("DEL", keys.wake_pager())
    assert not waker.pager()
    assert not waker.pager(anyway=True)
    assert link.one("LLEN", f"rq:queue:{PAGES_QUEUE}") == 1


def test_waker_asks_again_only_after_a_while(store_url: str):
    """A job that was asked for is not asked for again at once, though it left the queue."""
    waker, link = Waker(client_for(store_url)), Link(store_url)
    assert waker.decider()
    link.one("DEL", f"rq:queue:{DECIDE_QUEUE}")
    assert not waker.decider()
    assert waker.decider(anyway=True)
