"""How Tocsin is, in one line: quiet while all is well, and loud about whatever keeps alerts from people."""

import threading
import time
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from receiver.web.route import Visit

KEPT_SECONDS = 3.0  # asking goes through the order of all that is open: not for each page that is loaded
WORKER_SILENT = timedelta(seconds=30)
LAG_SECONDS = 30.0


class Health(NamedTuple):
    """`wrong` is what is wrong, each in a sentence; `quiet` tells the rest when nothing is."""

    wrong: tuple[str, ...]
    quiet: str
    heard: tuple[tuple[str, datetime | None], ...]


class _Kept(NamedTuple):
    at: float
    health: Health


_lock = threading.Lock()
_kept: dict[int, _Kept] = {}


def health_of(visit: Visit) -> Health:
    """Return how Tocsin is; some seconds old at the most."""
    with _lock:
        kept = _kept.get(id(visit.services))
        if kept is not None and time.monotonic() - kept.at < KEPT_SECONDS:
            return kept.health
    health = health_in(visit.ask("/status"), visit.now)
    with _lock:
        _kept[id(visit.services)] = _Kept(time.monotonic(), health)
    return health


def health_in(status: dict[str, Any], now: datetime) -> Health:
    """Return the line that an answer of `/status` comes to."""
    wrong: list[str] = []
    if not status["store"]["up"]:
        wrong.append("The store does not answer: nothing new is shown, and alerts are refused.")
    else:
        wrong += [f"The store may forget: {each}." for each in status["store"]["problems"]]
        wrong += [f"Not ready: {each}." for each in status["reasons"]]
    intake = status["intake"] or {"pending": 0, "lag_seconds": 0.0}
    if intake["lag_seconds"] > LAG_SECONDS:
        wrong.append(f"{intake['pending']} events wait; the oldest for {intake['lag_seconds']:.0f} s.")
    wrong += [_silent(each, now) for each in status["workers"] or () if _is_silent(each, now)]
    journal = status["journal"]
    if journal is not None and journal["error"]:
        wrong.append(f"The journal is not written: {journal['error']}.")
    rules = status["rules"]
    if rules is not None and not rules["reload"]["successful"] and rules["reload"]["errors"]:
        wrong.append("The last reload of the rules failed; the rules before it stay in force.")
    if status["quarantine"]:
        many = "1 event" if status["quarantine"] == 1 else f"{status['quarantine']} events"
        wrong.append(f"In quarantine: {many} that could not be processed.")
    heard = tuple((each["name"], _instant(each["last_heard"])) for each in status["sources"])
    waiting = f"{intake['pending']} events are on their way" if intake["pending"] else "nothing waits"
    quiet = f"All is well: {waiting}, workers live, the store keeps what it takes."
    return Health(tuple(wrong), quiet, heard)


def _is_silent(worker: dict[str, Any], now: datetime) -> bool:
    seen = _instant(worker["last_seen"])
    return seen is None or now - seen > WORKER_SILENT


def _silent(worker: dict[str, Any], now: datetime) -> str:
    seen = _instant(worker["last_seen"])
    since = f"for {(now - seen).total_seconds():.0f} s" if seen else "yet"
    return f"No worker of {worker['queue']} was seen {since}."


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
