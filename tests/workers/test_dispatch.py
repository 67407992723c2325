import threading
from queue import Empty

import pytest
from page_sink import HANG, Answer, PageSink
from programs import eventually, never

from incidents.oncall import Channel
from workers.channels import DeliveryError, Receipt
from workers.dispatch import Dispatcher


class Gate:
    """A sender that holds each message until it is let go, and counts how many it holds."""

    def __init__(self, provider):
        self.provider = provider
        self.open = threading.Event()
        self.inside = 0
        self.most = 0
        self._lock = threading.Lock()

    def send(self, message, now):
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.open.wait(60)
        with self._lock:
            self.inside -= 1
        return Receipt(answer="through")


class Broken:
    """A sender with a fault of its own."""

    provider = "broken"

    def send(self, message, now):
        raise KeyError("oops")


@pytest.fixture
def dispatcher():
    """A dispatcher whose channels are looked up in `senders`, by name."""
    senders = {}
    made = Dispatcher(per_provider=4, overall=8, sender_for=lambda channel: senders[channel.name])
    made.senders = senders
    yield made
    for sender in senders.values():
        if isinstance(sender, Gate):
            sender.open.set()
    made.close(timeout=60)


def named(name):
    """A channel of no kind."""
    return Channel(name=name, kind="test")


def drain(dispatcher, count):
    """Take so many results."""
    return [dispatcher.results.get(timeout=60) for _ in range(count)]


def test_dispatcher_hands_back_one_result_for_each_page(page_sink, message, webhook):
    """Accepted, refused for good, and to be tried again: each as its provider said."""
    page_sink.script(Answer(400, body=b"no"), path="/bad")
    page_sink.script(Answer(503, {"Retry-After": "9"}), path="/busy")
    dispatcher = Dispatcher()
    for page_id, path in [("a", "/pages"), ("b", "/bad"), ("c", "/busy")]:
        dispatcher.submit(page_id, webhook(url=page_sink.url_for(path)), message(page_id=page_id))
    results = {result.page_id: result for result in drain(dispatcher, 3)}
    assert dispatcher.close(timeout=60) == 0
    assert (results["a"].accepted, results["a"].reason, results["a"].channel_name) == (True, "200 OK", "amira/1")
    assert (results["b"].accepted, results["b"].permanent) == (False, True)
    assert (results["c"].permanent, results["c"].retry_after) == (False, 9.0)
    assert results["c"].duration > 0
    page_sink.expect_page(page_id="a")


def test_dispatcher_answers_for_a_channel_that_cannot_send(message):
    """An unknown kind comes back as a result, never as an exception in the loop."""
    dispatcher = Dispatcher()
    dispatcher.submit("a", Channel(name="x", kind="pigeon"), message())
    result = dispatcher.results.get(timeout=60)
    assert (result.accepted, result.permanent) == (False, True)
    assert "pigeon" in result.reason


def test_dispatcher_bounds_what_is_in_flight_to_one_provider(dispatcher, message):
    """A hung provider holds four threads, and the others send past it."""
    hung, other = dispatcher.senders.update(hung=Gate("hung"), other=Gate("other")) or dispatcher.senders.values()
    other.open.set()
    for number in range(20):
        dispatcher.submit(f"hung-{number}", named("hung"), message())
    dispatcher.submit("other", named("other"), message())
    assert dispatcher.results.get(timeout=60).page_id == "other"
    eventually(lambda: (hung.inside, dispatcher.pending) == (4, 20), what="four in flight, of twenty")
    hung.open.set()
    assert {result.page_id for result in drain(dispatcher, 20)} == {f"hung-{number}" for number in range(20)}
    assert hung.most == 4


def test_dispatcher_bounds_what_is_in_flight_overall(dispatcher, message):
    """With every provider hung there are as many threads as the bound says, and nothing is lost."""
    gates = [Gate(f"p{number}") for number in range(5)]
    dispatcher.senders.update({gate.provider: gate for gate in gates})
    for gate in gates:
        for number in range(4):
            dispatcher.submit(f"{gate.provider}-{number}", named(gate.provider), message())
    eventually(lambda: sum(gate.inside for gate in gates) == 8, what="as many as may be")
    never(lambda: sum(gate.inside for gate in gates) > 8, within=0.1, what="more than may be")
    for gate in gates:
        gate.open.set()
    assert len({result.page_id for result in drain(dispatcher, 20)}) == 20


def test_dispatcher_survives_a_fault_of_a_sender(dispatcher, message):
    """The fault costs the page this channel; the threads and the provider's places remain."""
    dispatcher.senders["broken"] = Broken()
    for number in range(10):
        dispatcher.submit(str(number), named("broken"), message())
    results = drain(dispatcher, 10)
    assert all(result.permanent and result.reason == "internal error: KeyError" for result in results)


def test_dispatcher_closes_without_waiting_for_a_hung_provider(dispatcher, message):
    """What is in flight at the end is counted as missing; its claim runs out and it is sent again."""
    hung = dispatcher.senders["hung"] = Gate("hung")
    for number in range(6):
        dispatcher.submit(str(number), named("hung"), message())
    eventually(lambda: hung.inside == 4, what="four in flight")
    assert dispatcher.close(timeout=0.2) == 6
    assert hung.inside == 4  # nobody has let them go
    with pytest.raises(RuntimeError):
        dispatcher.submit("late", named("hung"), message())
    with pytest.raises(Empty):
        dispatcher.results.get_nowait()


def test_dispatcher_makes_no_thread_for_a_send(dispatcher, message):
    """Two hundred sends one after the other go over the same few threads."""
    gate = dispatcher.senders["fast"] = Gate("fast")
    gate.open.set()
    others = threading.active_count()
    for number in range(200):
        dispatcher.submit(str(number), named("fast"), message())
        dispatcher.results.get(timeout=60)
    assert threading.active_count() - others <= 4


def test_dispatcher_sends_past_a_provider_that_really_hangs(page_sink, message, webhook):
    """Over real sockets: pages to the second sink are there while the first says nothing."""
    silent = PageSink()
    silent.always(HANG)
    dispatcher = Dispatcher()
    try:
        for number in range(8):
            dispatcher.submit(f"silent-{number}", webhook(url=silent.url), message())
        dispatcher.submit("heard", webhook(url=page_sink.url), message(page_id="heard"))
        assert dispatcher.results.get(timeout=60).accepted
        page_sink.expect_page(page_id="heard")
    finally:
        silent.close()
        dispatcher.close(timeout=1)


def test_delivery_error_keeps_its_fields():
    """What the loop needs to decide on the next attempt."""
    error = DeliveryError("busy", permanent=False, retry_after=3.0)
    assert (str(error), error.permanent, error.retry_after, error.unanswered) == ("busy", False, 3.0, False)
