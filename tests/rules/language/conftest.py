"""A rule set that is played through under a virtual clock, in minutes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from builders import NOW, ONCALL, rule_set

from incidents import events
from incidents.incident import Incident
from incidents.incoming import Action, Touch, TouchKind
from incidents.timeline import Entry
from incidents.values import AlertStatus
from rules.simulation.events import Told, action, arrival, touch
from rules.simulation.simulation import Simulation

BACKUP = "\n  backup: {steps: [{page: rotation:commanders+1}]}\n"


class Play:
    """What happens to a rule set; every instant is in minutes from the beginning."""

    def __init__(self, rules: str, oncall: str = ONCALL + BACKUP) -> None:
        self.simulation = Simulation(rule_set(rules, oncall), NOW)

    def fires(self, minute: float, name: str = "Down", **labels: str) -> str:
        """An alert fires; answers the key under which it is remembered."""
        return self._alert(minute, AlertStatus.FIRING, name, labels)

    def ends(self, minute: float, name: str = "Down", **labels: str) -> str:
        """An alert is resolved."""
        return self._alert(minute, AlertStatus.RESOLVED, name, labels)

    def _alert(self, minute: float, status: AlertStatus, name: str, labels: dict[str, str]) -> str:
        event = arrival({"alertname": name, **labels}, at(minute), status=status)
        self.simulation.feed(event)
        return event.key

    def touched(self, minute: float, key: str, kind: TouchKind = TouchKind.ACKNOWLEDGED) -> None:
        """Somebody does something to an alert in the system that it came from."""
        done = Touch(fingerprint=key.partition("/")[2], kind=kind, actor="bo", text=f"{kind} by bo")
        self.simulation.feed(touch(done, at(minute)))

    def acts(self, minute: float, kind: str = "rollback", service: str = "db", **labels: str) -> None:
        """Somebody does something to a service."""
        did = Action(kind=kind, service=service, actor="bo", labels=labels)
        self.simulation.feed(action(did, at(minute)))

    def tells(self, minute: float, event: events.Event, name: str = "INC-2026-0001") -> None:
        """A person does something to an incident."""
        self.until(minute)
        self.simulation.feed(Told(name, event))

    def until(self, minute: float) -> None:
        """Let the time pass."""
        self.simulation.advance_to(at(minute))

    @property
    def incidents(self) -> list[Incident]:
        return list(self.simulation.store.incidents.values())

    @property
    def only(self) -> Incident:
        """The only incident that there is."""
        (incident,) = self.incidents
        return incident

    def timeline(self, name: str = "INC-2026-0001") -> list[Entry]:
        return self.simulation.store.timelines[name]

    def kinds(self, name: str = "INC-2026-0001") -> list[str]:
        return [entry.kind.value for entry in self.timeline(name)]

    @property
    def pages(self) -> list[tuple[float, str, str]]:
        """The minute, the person and the reason of each page that was sent."""
        sent = self.simulation.sent
        return [
            ((each.at - NOW) / timedelta(minutes=1), each.page.person, each.page.reason.value)
            for each in sent
            if not each.page.over and each.outcome == "delivered"
        ]

    def decided(self, rule: str) -> dict[str, int]:
        """How often a rule said what."""
        prefix = f"rule_decisions_total|{rule}|"
        counted = self.simulation.store.counters
        return {name.removeprefix(prefix): count for name, count in counted.items() if name.startswith(prefix)}


def at(minute: float):
    return NOW + timedelta(minutes=minute)


@pytest.fixture
def play() -> Callable[..., Play]:
    """Begin to play a rule set."""
    return Play
