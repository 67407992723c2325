"""A storm: 100,000 different alerts of 200 services in 10,000 webhooks, as fast as they are taken, and memory."""

import http.client
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import workload
from systems import Ours, ours

from incidents import keys
from incidents.alert import fingerprint_of

ALERTS = 100_000
PER_WEBHOOK = 10
SENDERS = 4
LOOK_EVERY = 0.25
IDLE_AFTER = 5.0  # seconds


def measure(directory: Path, *, alerts: int = ALERTS, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return how the storm went, and the memory of each part before, at its highest and after it."""
    with ours(directory / "storm") as system:
        tell("memory when idle")
        time.sleep(IDLE_AFTER)
        idle = system.memory()
        tell(f"a storm of {alerts:,} alerts")
        watch = _Watch(system)
        started = time.monotonic()
        _send(system, alerts)
        sent = time.monotonic() - started
        settled_at, received, settled = system.counters.settle()
        highest = watch.stop()
        entries = _entries(system)
        return {
            "alerts": alerts,
            "send_seconds": sent,
            "seconds": settled_at - started,
            "accepted": system.counters.alerts(),
            "pending": received - sum(settled),
            "processed": settled[0],
            "duplicates": settled[1],
            "quarantined": settled[2],
            "identities": workload.SERVICES,
            "incidents": system.link.one("ZCARD", keys.incidents()),
            "timeline_entries": entries,
            "idle": idle,
            "highest": highest,
            "after": system.memory(),
        }


class _Watch:
    """Looks at the memory until stopped, and keeps the highest of each part."""

    def __init__(self, system: Ours) -> None:
        self._system = system
        self._over = threading.Event()
        self._highest: dict[str, float] = {}
        self._families = system.families()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            for part, value in self._system.rss_of(self._families).items():
                self._highest[part] = max(self._highest.get(part, 0.0), value)

    def stop(self) -> dict[str, float]:
        self._over.set()
        self._thread.join()
        peak = self._system.store_info()["used_memory_peak"]
        return self._highest | {"store used_memory": round(peak / 1024 / 1024, 1)}


def _send(system: Ours, alerts: int) -> None:
    failed: list[Exception] = []
    share = alerts // SENDERS

    def send(number: int) -> None:
        try:
            _send_share(system, number * share, share)
        except (OSError, AssertionError, http.client.HTTPException) as error:
            failed.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise AssertionError("a webhook of the storm was not taken") from failed[0]


def _send_share(system: Ours, first: int, count: int) -> None:
    headers = {"Authorization": f"Bearer {system.token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", system.installation.port, timeout=30)
    stamp = workload.times(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    for start in range(first, first + count, PER_WEBHOOK):
        group = [_alert(number) for number in range(start, start + PER_WEBHOOK)]
        connection.request(
            "POST", "/webhooks/alertmanager", workload.body(group).replace(workload.TIMES, stamp).encode(), headers
        )
        response = connection.getresponse()
        response.read()
        if response.status != 202:
            raise AssertionError(f"answered {response.status}")


def _alert(number: int) -> dict[str, Any]:
    """Return an alert that no other number has; every one is critical."""
    alert = workload.alert_of(f"service-{number % workload.SERVICES}", number % workload.CRITICAL)
    labels = {**alert["labels"], "pod": f"pod-{number}"}
    return {**alert, "labels": labels, "fingerprint": fingerprint_of(labels)}


def _entries(system: Ours) -> int:
    """Return how many entries all timelines have together."""
    names = [name.decode() for name in system.link.one("ZRANGE", keys.incidents(), 0, -1)]
    return sum(system.link.ask([("XLEN", keys.timeline(name)) for name in names])) if names else 0
