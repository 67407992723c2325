"""Posts alerts without end as Alertmanager does: what is not answered 2xx is sent again until it is.

Each poster has alerts of its own and sends one notification after the other, so that what it was answered says exactly
how the state of every one of its alerts must end.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

from installation import SOURCE, SOURCE_TOKEN, firing, notification, resolved

from incidents.alert import alert_key, fingerprint_of

PATIENCE = 6.0
AGAIN_AFTER = 0.05
ALERTS_OF_A_SERVICE = 3


class Poster:
    """One sender. `accepted` is the status of each alert that was last answered 2xx, by the store's name for it."""

    def __init__(self, port: int, services: Sequence[str], *, seed: int, fresh: float, pause: float = 0.01) -> None:
        self.accepted: dict[str, str] = {}
        self.answers: Counter[str] = Counter()
        self.refused: list[str] = []
        self._port = port
        self._random = random.Random(seed)
        self._alerts = [
            {"alertname": f"Trouble{number}", "severity": "critical", "service": service}
            for service in services
            for number in range(ALERTS_OF_A_SERVICE)
        ]
        self._known = 0  # so many of the alerts have been fired at least once
        self._fresh = fresh
        self._pause = pause
        self._stop = threading.Event()
        self._abandoned = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, name=f"poster-{seed}", daemon=True)

    @property
    def events(self) -> int:
        """How many alerts were answered 2xx."""
        return self.answers["events"]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end once what is under way is accepted."""
        self._stop.set()

    def join(self, timeout: float = 60.0) -> None:
        """Wait for the end; fail when it does not come, or when anything was answered 4xx."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "a notification was not accepted in time"
        assert not self.refused, self.refused[:3]

    def abandon(self) -> None:
        """End at once, whatever is under way."""
        self._stop.set()
        self._abandoned.set()
        self._thread.join(2 * PATIENCE)
        self._forget_connection()

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self) -> None:
        while not self._stop.is_set():
            changes = self._next_changes()
            body = json.dumps(notification([_alert(labels, status) for labels, status in changes])).encode()
            while not self._is_accepted(body):
                if self._abandoned.wait(AGAIN_AFTER):
                    return
            for labels, status in changes:
                self.accepted[alert_key(SOURCE, fingerprint_of(labels))] = status
            self.answers["events"] += len(changes)
            time.sleep(self._random.uniform(self._pause, 2 * self._pause))

    def _next_changes(self) -> list[tuple[dict[str, str], str]]:
        """Fire an alert that never fired, now and then, and let some of the others change."""
        fresh = self._alerts[self._known : self._known + (not self._known or self._random.random() < self._fresh)]
        self._known += len(fresh)
        old = self._alerts[: self._known - len(fresh)]
        chosen = self._random.sample(old, min(len(old), self._random.choice((1, 5, 20, 40))))
        return [(labels, "firing") for labels in fresh] + [(labels, self._flipped(labels)) for labels in chosen]

    def _flipped(self, labels: dict[str, str]) -> str:
        before = self.accepted[alert_key(SOURCE, fingerprint_of(labels))]
        if self._random.random() < 0.2:
            return before  # a repeat
        return "resolved" if before == "firing" else "firing"

    def _is_accepted(self, body: bytes) -> bool:
        headers = {"Authorization": f"Bearer {SOURCE_TOKEN}", "Content-Type": "application/json"}
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            self._connection.request("POST", "/webhooks/alertmanager", body, headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.answers[type(error).__name__] += 1
            self._forget_connection()
            return False
        self.answers[str(response.status)] += 1
        if response.status // 100 == 4:  # Alertmanager would drop it: an alert would be lost
            self.refused.append(f"{response.status} {text[:200]!r}")
        return response.status // 100 == 2


def _alert(labels: dict[str, str], status: str) -> dict[str, Any]:
    alert = (firing if status == "firing" else resolved)(labels["alertname"], **labels)
    return alert | {"fingerprint": fingerprint_of(labels)}


class Load:
    """Several posters at once; `fresh` is how likely a notification brings an alert that never fired before."""

    def __init__(self, port: int, *, posters: int, seed: int, fresh: float = 0.3, pause: float = 0.01) -> None:
        self.posters = [
            Poster(port, [f"s{poster}-{index}" for index in range(1000)], seed=seed + poster, fresh=fresh, pause=pause)
            for poster in range(posters)
        ]

    def __enter__(self) -> Self:
        for poster in self.posters:
            poster.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for poster in self.posters:
            poster.abandon()

    def stop(self) -> None:
        """Let everybody finish the notification under way."""
        for poster in self.posters:
            poster.stop()
        for poster in self.posters:
            poster.join()

    @property
    def accepted(self) -> dict[str, str]:
        """What the state of every alert must be, by the store's name for it."""
        return {name: status for poster in self.posters for name, status in poster.accepted.items()}

    @property
    def events(self) -> int:
        return sum(poster.events for poster in self.posters)

    @property
    def answers(self) -> Counter[str]:
        """How often each status was answered, and each error met."""
        return sum((poster.answers for poster in self.posters), Counter())
