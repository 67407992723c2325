"""Sends messages concurrently, with a limit per provider, so that one that hangs delays nobody else.

It sends and hands results back; it touches no store and decides nothing about what comes next.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from queue import SimpleQueue

import msgspec
import structlog

from incidents.clock import utc_now
from incidents.oncall import Channel
from workers.buckets import Buckets
from workers.channels import DeliveryError, Message, Sender, sender_for

PER_PROVIDER = 4
OVERALL = 32

log = structlog.get_logger(__name__)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How one attempt ended; `reason` is the provider's answer or the error, `duration` is in seconds."""

    page_id: str
    channel_name: str
    accepted: bool
    permanent: bool = False
    unanswered: bool = False  # the provider may have taken the page: the next attempt is a repeat
    reason: str = ""
    retry_after: float | None = None
    provider_id: str = ""  # what the provider calls what it took
    duration: float = 0.0


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    page_id: str
    channel: Channel
    sender: Sender
    provider: str
    message: Message


_Box = SimpleQueue[_Task | None]  # of one thread


class Dispatcher:
    """Sends messages on persistent threads; every submitted one ends up as exactly one Result in `results`."""

    def __init__(
        self,
        *,
        per_provider: int = PER_PROVIDER,
        overall: int = OVERALL,
        clock: Callable[[], datetime] = utc_now,
        sender_for: Callable[[Channel], Sender] = sender_for,
        buckets: Buckets | None = None,
    ) -> None:
        self.results: SimpleQueue[Result] = SimpleQueue()
        self._per_provider, self._overall = per_provider, overall
        self._clock, self._sender_for = clock, sender_for
        self._buckets = buckets or Buckets(time.monotonic)
        self._lock = threading.Lock()  # guards all below
        self._ready: deque[_Task] = deque()  # tasks that wait for a thread
        self._idle: list[_Box] = []  # of threads that wait for a task, the one that worked last at the end
        self._boxes: list[_Box] = []
        self._running: dict[str, int] = {}  # provider -> tasks that are ready or being sent
        self._waiting: dict[str, deque[_Task]] = {}  # provider -> tasks above its limit
        self._threads: list[threading.Thread] = []
        self._pending = 0
        self._closed = False

    @property
    def pending(self) -> int:
        """How many submitted messages have no result yet; at 0 every result is in the queue."""
        return self._pending

    def submit(self, page_id: str, channel: Channel, message: Message) -> float:
        """Send a message over a channel as soon as a thread is free; returns at once.

        Returns 0, or, where the provider has been sent as much as it takes, in how many seconds to ask again: then
        nothing is sent, and no result follows.
        """
        try:
            sender = self._sender_for(channel)
        except DeliveryError as error:
            self.results.put(_failed(page_id, channel, error, 0.0))
            return 0.0
        provider = sender.provider
        wait = self._buckets.wait(channel.kind, provider)
        if not wait:
            self._admit(_Task(page_id=page_id, channel=channel, sender=sender, provider=provider, message=message))
        return wait

    def close(self, timeout: float) -> int:
        """Wait at most so many seconds for what is pending, end the threads, and return how many results are missing.

        A page without a result keeps its claim until the lease is over, and is then sent again as a repeat.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            threads = [] if self._closed else list(self._threads)
            self._closed = True
        while threads and self._pending and time.monotonic() < deadline:
            time.sleep(0.005)
        for box in self._boxes:
            box.put(None)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return self._pending

    def _admit(self, task: _Task) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the dispatcher is closed")
            self._pending += 1
            running = self._running.get(task.provider, 0)
            if running >= self._per_provider:
                self._waiting.setdefault(task.provider, deque()).append(task)
                return
            self._running[task.provider] = running + 1
            self._hand_on(task)

    def _hand_on(self, task: _Task) -> None:
        """Give a task to a thread, with the lock held.

        Each thread waits at a box of its own: of many that wait at one queue, two wake up for each task. The one that
        worked last comes first, for what it needs is still near.
        """
        if self._idle:
            self._idle.pop().put(task)
        elif len(self._boxes) < self._overall:
            self._start_thread(task)
        else:
            self._ready.append(task)

    def _start_thread(self, task: _Task) -> None:
        # A daemon, so that a provider that hangs cannot hold up the end of the process.
        box: _Box = SimpleQueue()
        name = f"page-sender-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, args=(box,), name=name, daemon=True)
        box.put(task)
        self._boxes.append(box)
        self._threads.append(thread)
        thread.start()

    def _work(self, box: _Box) -> None:
        while (task := box.get()) is not None:
            following: _Task | None = task
            while following is not None:
                self.results.put(self._attempt(following))
                following = self._release(following.provider, box)

    def _attempt(self, task: _Task) -> Result:
        began = time.monotonic()
        try:
            receipt = task.sender.send(task.message, self._clock())
        except DeliveryError as error:
            return _failed(task.page_id, task.channel, error, time.monotonic() - began)
        except Exception as error:
            # The boundary of a send: a fault of ours must cost one channel, not the thread and with it a provider.
            log.exception("page_send_error", page=task.page_id, channel=task.channel.name)
            fault = DeliveryError(f"internal error: {type(error).__name__}", permanent=True, unanswered=True)
            return _failed(task.page_id, task.channel, fault, time.monotonic() - began)
        return Result(
            page_id=task.page_id,
            channel_name=task.channel.name,
            accepted=True,
            reason=receipt.answer,
            provider_id=receipt.provider_id,
            duration=time.monotonic() - began,
        )

    def _release(self, provider: str, box: _Box) -> _Task | None:
        """Give the provider's place to the next that waits for it; return what the thread of the box does next."""
        with self._lock:
            self._pending -= 1
            waiting = self._waiting.get(provider)
            if waiting:
                self._ready.append(waiting.popleft())
            else:
                self._waiting.pop(provider, None)
                self._running[provider] -= 1
                if not self._running[provider]:
                    del self._running[provider]
            if self._ready:
                return self._ready.popleft()
            self._idle.append(box)
            return None


def _failed(page_id: str, channel: Channel, error: DeliveryError, duration: float) -> Result:
    return Result(
        page_id=page_id,
        channel_name=channel.name,
        accepted=False,
        permanent=error.permanent,
        unanswered=error.unanswered,
        reason=error.reason,
        retry_after=error.retry_after,
        duration=duration,
    )
