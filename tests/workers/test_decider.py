"""The decider over a real Valkey: what is appended takes effect once, whoever decides."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from builders import NOW, alert, rule_set
from incidents import keys
from incidents.incident import Incident
from incidents.store.codec import decode_entry, decode_incident
from incidents.store.connection import Link, Links, client_for
from incidents.store.intake import Intake
from incidents.store.wake import Waker
from rules.model import RuleSet
from workers.decider import Decider
from workers.deciding import Deciding


class Stage:
    """A store with intake and deciders, under a clock that the test moves."""

    def __init__(self, url: str, links: Links, rules: RuleSet) -> None:
        self.url, self.links, self.rules = url, links, rules
        self.now = NOW
        self.link = Link(url)
        self.link.one("SET", keys.rules_current(), rules.hash)
        self.intake = Intake(links, lambda: None)

    def decider(self, owner: str = "one|1|a", deciding: Callable[[str], Deciding] | None = None) -> Decider:
        return Decider(
            url=self.url,
            owner=owner,
            waker=Waker(client_for(self.url)),
            deciding_for=deciding or (lambda _: Deciding(self.rules)),
            now=lambda: self.now,
        )

    def post(self, *alerts) -> None:
        self.intake.append_alerts(source="prom", alerts=alerts, received_at=self.now)

    def decide(self, decider: Decider | None = None) -> None:
        (decider or self.decider()).linger(timedelta(milliseconds=30))

    def incidents(self) -> list[Incident]:
        names = self.link.one("ZRANGE", keys.incidents(), 0, -1)
        return [decode_incident(self.link.one("GET", keys.incident(name.decode()))) for name in names]

    def counter(self, field: str) -> int:
        return int(self.link.one("HGET", keys.counters(), field) or 0)

    def kinds(self, name: str) -> list[str]:
        rows = self.link.one("XRANGE", keys.timeline(name), "-", "+")
        return [decode_entry(row[1][1]).kind.value for row in rows]

    def balance(self) -> tuple[int, int]:
        outcomes = ("processed", "duplicate", "quarantined")
        return self.counter("events_received_total"), sum(self.counter(f"events_total|{name}") for name in outcomes)


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    return Stage(store_url, links, rule_set())


def test_decider_declares_once_and_pages_the_commander(stage: Stage):
    """Two deliveries of one alert are one incident, one page, and one duplicate."""
    stage.post(alert())
    stage.post(alert())
    stage.decide()
    (incident,) = stage.incidents()
    assert (incident.id, incident.severity, incident.roles.incident_commander) == ("INC-2026-0001", "SEV2", "amira")
    assert stage.kinds(incident.id) == ["incident_declared", "role_assigned", "alert_fired"]
    assert stage.link.one("ZRANGE", keys.pages_due(), 0, -1) == [b"INC-2026-0001.1.1.1.amira"]
    assert (stage.counter("events_total|processed"), stage.counter("events_total|duplicate")) == (1, 1)
    assert stage.balance() == (2, 2)


def test_decider_folds_a_storm_into_one_line(stage: Stage):
    """A thousand like alerts are one incident and one line with a count."""
    for start in range(0, 1000, 50):
        stage.post(*(alert(instance=f"n{number}") for number in range(start, start + 50)))
    decider = stage.decider()
    while stage.balance()[1] < 1000:
        stage.decide(decider)
    (incident,) = stage.incidents()
    assert stage.kinds(incident.id).count("alert_fired") == 1
    tally = dict(zip(*[iter(stage.link.one("HGETALL", keys.tally(incident.id)))] * 2, strict=True))
    assert tally[b"firing"] == b"1000"
    assert [value for name, value in tally.items() if name.startswith(b"fold:")] == [b"1000"]


def test_decider_resolves_when_the_alerts_stay_clear(stage: Stage):
    """Fifteen minutes after the last alert cleared the incident resolves by itself."""
    stage.post(alert())
    stage.decide()
    stage.now += timedelta(minutes=1)
    stage.post(alert(status="resolved", ends_at=stage.now))
    stage.decide()
    assert stage.incidents()[0].status == "declared"
    stage.now += timedelta(minutes=15, seconds=1)
    stage.decide()
    (incident,) = stage.incidents()
    assert incident.status == "resolved"
    assert stage.kinds(incident.id)[-2:] == ["objective_met", "resolved"]
    assert stage.balance()[0] == stage.balance()[1]


def test_decider_reopens_what_fires_again_soon(stage: Stage):
    """A new firing within reopen_within reopens the same incident."""
    test_decider_resolves_when_the_alerts_stay_clear(stage)
    stage.now += timedelta(minutes=5)
    stage.post(alert(starts_at=stage.now))
    stage.decide()
    (incident,) = stage.incidents()
    assert incident.status == "declared"
    assert "reopened" in stage.kinds(incident.id)


def test_decider_that_was_overtaken_does_not_commit(stage: Stage):
    """A decider whose fence was passed by another one writes nothing."""
    first, second = stage.decider("one|1|a"), stage.decider("two|2|b")
    assert first._take_over()  # noqa: SLF001
    stage.link.one("DEL", keys.lease())
    assert second._take_over()  # noqa: SLF001
    stage.post(alert())
    with pytest.raises(Exception, match="lease|fence"):
        first._process(first._read()[0], ())  # noqa: SLF001
    assert stage.incidents() == []


def test_decider_quarantines_only_the_event_that_raises(stage: Stage):
    """One event that cannot be decided goes to quarantine; its neighbours go on, and people are told."""

    class Explosive(Deciding):
        def match(self, key, labels):
            if labels.get("instance") == "n3":
                raise RuntimeError("boom")
            return super().match(key, labels)

    stage.post(*(alert(instance=f"n{number}") for number in range(10)))
    decider = stage.decider(deciding=lambda _: Explosive(stage.rules))
    stage.decide(decider)
    assert stage.counter("events_total|quarantined") == 1
    assert stage.balance() == (10, 10)
    assert {incident.rule for incident in stage.incidents()} == {"critical", "tocsin-unjudged"}
    (kept,) = stage.link.one("HVALS", keys.quarantine())
    assert b"boom" in kept
