"""How long nobody decides after a `kill -9` of the decider: under `serve`, and apart with one standing by."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import workload
from installation import SOURCE_TOKEN, Installation
from programs import eventually
from systems import Counters, Sink, Store, ours, started

from incidents import keys
from incidents.store.connection import Link

POST_EVERY = 0.01
POLL = 0.001
BETWEEN = 1.5  # seconds from one kill to the next: a child that dies again at once is started later and later
WITHIN = 15.0
Tell = Callable[[str], None]


def measure_serve(directory: Path, *, kills: int, tell: Tell) -> list[float]:
    """Return the seconds from each kill to the next event that was decided, under `tocsin serve`."""
    with ours(directory / "takeover-serve") as system:
        return _kill_often(system.webhook, system.link, kills, tell, "under serve")


def measure_apart(directory: Path, *, kills: int, tell: Tell) -> list[float]:
    """Return the same for parts that run apart, without a supervisor: the lease has to run out."""
    with started(directory / "takeover-apart") as programs:
        store = Store(programs)
        installation = Installation(programs, Sink(programs).url)
        installation.write_rules(workload.rules())
        installation.configure(redis_url=store.url)
        receiver = installation.run("receiver")
        eventually(lambda: installation.reload().status_code == 200, timeout=20, what="the rules in force")
        installation.wait_ready(receiver)
        for number in range(kills + 1):
            installation.run("worker", "decide", name=f"decide-{number}")
        installation.run("worker", "pages")
        return _kill_often(installation.webhook, installation.link(), kills, tell, "with a standby")


def _kill_often(webhook: str, link: Link, kills: int, tell: Tell, where: str) -> list[float]:
    found = []
    counters = Counters(link)
    with _posting(webhook):
        for number in range(kills):
            time.sleep(BETWEEN)
            tell(f"kill -9 of the decider {where}, {number + 1} of {kills}")
            found.append(_kill_once(link, counters))
    counters.settle()
    return found


def _kill_once(link: Link, counters: Counters) -> float:
    pid = eventually(lambda: _decider(link), what="a decider")
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    _, before = counters.read()  # after the kill: what grows from here on, another one has decided
    while sum(counters.read()[1]) == sum(before):
        if time.monotonic() > killed + WITHIN:
            raise AssertionError("nobody took over")
        time.sleep(POLL)
    return time.monotonic() - killed


def _decider(link: Link) -> int:
    """Return the process that has the lease."""
    holder = link.one("GET", keys.lease())
    return int(holder.decode().split("|")[1]) if holder else 0


@contextmanager
def _posting(webhook: str) -> Iterator[None]:
    """Post one alert after the other for as long as the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=_post_until, args=(over, webhook), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _post_until(over: threading.Event, webhook: str) -> None:
    session = requests.Session()
    headers = {"Authorization": f"Bearer {SOURCE_TOKEN}", "Content-Type": "application/json"}
    number = 0
    while not over.wait(POST_EVERY):
        alert = workload.alert_of(f"service-{number % workload.SERVICES}", number % workload.ALERTS_PER_SERVICE)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text = workload.body([alert]).replace(workload.TIMES, workload.times(stamp))
        session.post(webhook, text.encode(), headers=headers, timeout=10)
        number += 1
