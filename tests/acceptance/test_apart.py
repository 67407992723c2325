"""The parts apart over one store: a second decider stands by and takes over; one that was paused never commits."""

import signal
import time

import pytest
from evidence import faults, gather
from installation import firing
from load import Load
from own_store import OwnStore
from page_sink import Answer
from programs import eventually

from incidents import keys

pytestmark = pytest.mark.acceptance

LEASE_SECONDS = 2
PAUSED_SECONDS = 30


class Apart:
    """A receiver, two deciders and a page worker, each started alone."""

    def __init__(self, tocsin, programs) -> None:
        self.tocsin = tocsin
        self.store = OwnStore(programs)
        tocsin.configure(redis_url=self.store.url)
        self.link = tocsin.link()
        self.receiver = tocsin.run("receiver")
        self.deciders = [tocsin.run("worker", "decide", name=f"decide-{number}") for number in range(2)]
        self.pages = tocsin.run("worker", "pages")
        tocsin.wait_ready(self.receiver)
        eventually(self.lease, what="an active decider")

    def lease(self) -> str:
        return (self.link.one("GET", keys.lease()) or b"").decode()

    def fence(self) -> int:
        return int(self.link.one("GET", keys.fence()) or 0)

    def clients(self) -> list[str]:
        """Return the store's connections, a line each."""
        return self.link.one("CLIENT", "LIST").decode().splitlines()

    def active(self):
        """Return the decider that holds the lease, and the one that stands by."""
        pid = int(eventually(self.lease, what="an active decider").split("|")[1])
        first, second = self.deciders
        assert pid in (first.pid, second.pid)
        return (first, second) if pid == first.pid else (second, first)


@pytest.fixture
def apart(tocsin, programs):
    apart = Apart(tocsin, programs)
    yield apart
    apart.link.drop()


def test_apart_a_standby_takes_over_when_the_lease_has_run_out(apart, page_sink):
    """The active decider dies by `kill -9`: with its lease of two seconds its claim ends, and the next alert pages."""
    active, standby = apart.active()
    assert 0 < apart.link.one("PTTL", keys.lease()) <= LEASE_SECONDS * 1000
    active.kill()
    apart.tocsin.post(firing(service="after"))
    page_sink.expect_page(person="amira")
    assert apart.active()[0] is standby
    apart.tocsin.settled()


def test_apart_a_receiver_starts_while_the_store_is_away_and_tells_senders_to_try_again(tocsin, programs):
    """With the store away it answers 503; with a store that would forget it does not start, and says why."""
    own = OwnStore(programs, appendonly="no")
    tocsin.configure(redis_url=own.url)
    refused = tocsin.run("receiver", name="refused")
    assert refused.wait(60) == 1
    assert "set `appendonly yes`" in refused.text()

    own.stop()
    receiver = tocsin.run("receiver")
    eventually(lambda: tocsin.post(firing()).status_code == 503, what="an answer 503")
    assert receiver.is_alive()


def test_apart_everything_ends_in_order(tocsin, apart, programs, page_sink):
    """SIGTERM ends each part with 0 and leaves nothing; the store of the user goes on."""
    tocsin.post(firing())
    page_sink.expect_page(person="amira")
    for part in (apart.receiver, *apart.deciders, apart.pages):
        assert part.terminate() == 0, part.name
    apart.store.stop()
    programs.nothing_left()


@pytest.mark.parametrize("leases", [3, 15], ids=["three leases", "30 s"])
def test_apart_a_decider_that_was_stopped_does_not_commit(tocsin, apart, page_sink, leases):
    """Stopped in mid-batch for longer than its lease and continued, it commits nothing: another has taken over."""
    with Load(tocsin.port, posters=2, seed=leases, fresh=0.1) as load:
        eventually(lambda: load.events > 300, what="300 alerts")
        active, standby = apart.active()
        fence = apart.fence()
        eventually(lambda: _is_stopped_in_mid_batch(apart, active), what="a stop in mid-batch")
        stopped = time.monotonic()
        eventually(lambda: f"|{standby.pid}|" in apart.lease(), what="the standby's lease")
        if leases <= 3:
            eventually(lambda: time.monotonic() - stopped > leases * LEASE_SECONDS)
            active.signal(signal.SIGCONT)
            _standby_still_decides(apart, standby, load)
            load.stop()
        else:
            eventually(lambda: time.monotonic() - stopped > 3)
            load.stop()
            eventually(lambda: time.monotonic() - stopped > leases * LEASE_SECONDS, timeout=60)
            active.signal(signal.SIGCONT)

    assert apart.fence() > fence
    eventually(lambda: _has_noticed(active), what="the word of the stopped decider")
    tocsin.settled()
    eventually(lambda: not apart.link.one("ZCARD", keys.pages_due()), what="the end of all pages due")
    assert faults(gather(tocsin, load.accepted, page_sink.received)) == []
    for one in page_sink.received:
        one.claimed = True  # the check above has held each of them against the rules for pages


def _is_stopped_in_mid_batch(apart, decider) -> bool:
    """Stop a decider; unless it has read what it decides on and not yet committed, let it go on, and tell."""
    decider.signal(signal.SIGSTOP)
    first = _watching(apart)
    time.sleep(0.1)  # the page worker's watches, and a commit that was under way, have gone by then
    if first & _watching(apart):
        return True
    decider.signal(signal.SIGCONT)
    return False


def _watching(apart) -> set[str]:
    """Return the connections that watch keys, each with all that was sent over it so far."""
    lines = [dict(part.split("=", 1) for part in line.split()) for line in apart.clients()]
    return {f"{line['id']} {line['tot-net-in']}" for line in lines if line["watch"] != "0"}


def _standby_still_decides(apart, standby, load):
    before = load.events
    eventually(lambda: load.events > before + 100, what="100 alerts more")
    assert apart.active()[0] is standby


def _has_noticed(decider) -> bool:
    return "lease_lost" in decider.text() or "store_away" in decider.text()


def test_apart_a_page_worker_that_was_paused_for_30_s_leaves_one_marked_repeat_at_most(tocsin, apart, page_sink):
    """Paused between sending and recording: another sends the page once more, marked; continued, it sends nothing."""
    page_sink.always(Answer(delay=2))  # so long a page is sent and not yet recorded
    tocsin.post(firing(service="paused"))
    page_sink.expect_attempts(1)
    apart.pages.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    first = page_sink.expect_page()
    tocsin.run("worker", "pages", name="pages-beside")
    again = page_sink.expect_page(timeout=60)
    assert (first["repeat"], again["repeat"], again["page_id"]) == (False, True, first["page_id"])

    eventually(lambda: time.monotonic() - stopped > PAUSED_SECONDS, timeout=60)
    apart.pages.signal(signal.SIGCONT)
    tocsin.act(first["incident"]["id"], "resolve", override="a test")
    page_sink.expect_message(type="page_resolved")
    eventually(lambda: not apart.link.one("ZCARD", keys.pages_due()), what="the end of all pages due")
    assert len(tocsin.timeline(first["incident"]["id"], "page_sent")) <= 2
