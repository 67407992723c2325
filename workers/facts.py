"""The facts worker: asks others what they know, and lets the answers enter the stream like everything else.

Nothing slow is ever asked by the decider. An Alertmanager that does not answer costs nobody anything but its news.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
import requests
import structlog

from incidents import keys
from incidents.alert import AlertState, alert_key
from incidents.errors import StoreUnavailable
from incidents.store.codec import decode_state
from incidents.store.connection import Links, checked
from incidents.store.intake import Intake
from incidents.store.wake import LINGER, Waker
from incidents.values import AlertStatus
from workers.reconciling import Upstream, reconcile

LOG = structlog.get_logger()

EVERY = timedelta(minutes=5)
LINGER_MS = 5000
STEP_SECONDS = 1.0
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 20.0
ABSENT_SECONDS = 3600
SCANNED = 1000
AT_ONCE = 500

_UPSTREAM = msgspec.json.Decoder(list[Upstream])


class Beside(Protocol):
    """What runs in threads of its own."""

    def start(self) -> None:
        """Run from now on; does nothing while it does already."""

    def pause(self) -> None:
        """Stop running."""


class Facts:
    """Reconciles each configured Alertmanager every five minutes, at the start, and after a truncated notification.

    `beside` is what else an installation asks for, each in threads of its own: they run while this does.
    """

    def __init__(
        self,
        *,
        links: Links,
        intake: Intake,
        waker: Waker,
        owner: str,
        alertmanagers: Mapping[str, str],
        now: Callable[[], datetime],
        beside: Sequence[Beside] = (),
    ) -> None:
        self._links = links
        self._intake = intake
        self._waker = waker
        self._owner = owner
        self._alertmanagers = dict(alertmanagers)  # source -> URL
        self._now = now
        self._beside = beside
        self._due = dict.fromkeys(alertmanagers, 0.0)  # in monotonic time
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask the worker to end."""
        self._stop.set()

    def linger(self, linger: timedelta = LINGER) -> None:
        """Reconcile what is due for so long, or until stopped; does nothing while another facts worker does."""
        try:
            self._until(time.monotonic() + linger.total_seconds())
        finally:
            for each in self._beside:
                each.pause()

    def _until(self, ends: float) -> None:
        while not self._stop.is_set() and time.monotonic() < ends:
            try:
                if not self._is_ours():
                    return
                for each in self._beside:
                    each.start()
                for source in self._due_sources():
                    self._due[source] = time.monotonic() + EVERY.total_seconds()
                    self._reconcile(source)
            except StoreUnavailable as error:
                LOG.warning("store_away", error=str(error))
            self._stop.wait(min(STEP_SECONDS, max(ends - time.monotonic(), 0.0)))
        with contextlib.suppress(StoreUnavailable):
            if not self._stop.is_set():
                self._waker.facts(anyway=True)
            self._one("DEL", keys.facts_linger())

    def _is_ours(self) -> bool:
        taken = self._one("SET", keys.facts_linger(), self._owner, "NX", "PX", LINGER_MS)
        holder = self._one("GET", keys.facts_linger())
        if taken is None and holder is not None and holder.decode() != self._owner:
            return False
        self._one("SET", keys.facts_linger(), self._owner, "PX", LINGER_MS)
        return True

    def _due_sources(self) -> list[str]:
        truncated = {name.decode() for name in self._one("SMEMBERS", keys.truncated_sources())}
        if truncated:
            self._one("SREM", keys.truncated_sources(), *truncated)
        now = time.monotonic()
        return [source for source, due in self._due.items() if due <= now or source in truncated]

    def _reconcile(self, source: str) -> None:
        try:
            upstream = fetch(self._alertmanagers[source])
        except (requests.RequestException, msgspec.MsgspecError) as error:
            LOG.warning("alertmanager_not_asked", source=source, error=type(error).__name__)
            return
        now = self._now()
        with self._links.borrow() as link:
            receivers, absent = checked(
                link.ask([("SMEMBERS", keys.receivers_of(source)), ("SMEMBERS", keys.absent_of(source))])
            )
        done = reconcile(
            source,
            upstream,
            dict(self._firing(source)),
            receivers=frozenset(name.decode() for name in receivers),
            absent_before=frozenset(name.decode() for name in absent),
            now=now,
        )
        for start in range(0, len(done.heard), AT_ONCE):
            heard = done.heard[start : start + AT_ONCE]
            self._intake.append_alerts(source=source, alerts=heard, received_at=now)
        self._intake.append_incoming(source=source, incoming=done.events, received_at=now)
        self._remember_absent(source, done.absent)
        if done.events:
            LOG.info("reconciled", source=source, events=len(done.events))

    def _firing(self, source: str) -> Iterator[tuple[str, AlertState]]:
        """Go through what is remembered of a source's alerts, a slice at a time."""
        cursor = 0
        while True:
            pattern = f"{alert_key(source, '')}*"
            position, rows = self._one("HSCAN", keys.alerts(), cursor, "MATCH", pattern, "COUNT", SCANNED)
            for name, value in zip(rows[::2], rows[1::2], strict=True):
                state = decode_state(value)
                if state.status is AlertStatus.FIRING and state.source == source:
                    yield name.decode(), state
            cursor = int(position)
            if not cursor:
                return

    def _remember_absent(self, source: str, absent: frozenset[str]) -> None:
        key = keys.absent_of(source)
        commands: list[tuple[object, ...]] = [("MULTI",), ("DEL", key)]
        if absent:
            commands += [("SADD", key, *sorted(absent)), ("EXPIRE", key, ABSENT_SECONDS)]
        with self._links.borrow() as link:
            checked(link.ask([*commands, ("EXEC",)]))

    def _one(self, *command: object) -> Any:  # noqa: ANN401 - whatever the store answers
        with self._links.borrow() as link:
            return link.one(*command)


def fetch(url: str) -> list[Upstream]:
    """Return every alert that an Alertmanager knows, silenced and inhibited ones too."""
    answer = requests.get(
        f"{url.rstrip('/')}/api/v2/alerts",
        timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
        headers={"User-Agent": "Tocsin"},
        allow_redirects=False,
    )
    answer.raise_for_status()
    return _UPSTREAM.decode(answer.content)
