"""Reading ahead changes nothing but the time it takes: each event takes effect once, in order."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from builders import alert, rule_set
from msgspec.structs import replace
from stage import Stage

from incidents import keys
from incidents.store.connection import Links
from rules.deciding.deciding import Deciding
from rules.model import RuleSet

EVENTS = 200  # one an entry: several reads of a decider that has just begun


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    return Stage(store_url, links, rule_set())


class Watched(Deciding):
    """Keeps how many events were planned and decided at a time; one event is a mistake to it."""

    def __init__(self, rules: RuleSet) -> None:
        super().__init__(rules)
        self.planned: list[int] = []
        self.decided: list[int] = []
        self.on_plan: Callable[[int], object] = lambda _: None

    def plan(self, work):
        self.planned.append(len(work.arrivals))
        self.on_plan(len(self.planned))
        return super().plan(work)

    def decide(self, work, *others):
        self.decided.append(len(work.arrivals))
        return super().decide(work, *others)

    def match(self, key, labels):
        if labels.get("instance") == "n70":
            raise RuntimeError("boom")
        return super().match(key, labels)


def test_reading_ahead_decides_each_event_once_and_in_order(stage: Stage):
    """A backlog of firing and resolved in turn ends as it would, had each been decided alone."""
    for number in range(EVENTS):
        status = "resolved" if number % 2 else "firing"
        starts_at = stage.now + timedelta(milliseconds=number)
        stage.now = starts_at
        stage.post(alert(status=status, starts_at=starts_at, ends_at=starts_at if number % 2 else None))
    deciding = Watched(stage.rules)
    decide_all(stage, lambda _: deciding)
    assert (stage.counter("events_total|processed"), stage.balance()) == (EVENTS, (EVENTS, EVENTS))
    (incident,) = stage.incidents()
    firing, resolved = stage.link.one("HMGET", keys.tally(incident.id), "firing", "resolved")
    assert (firing, resolved) == (b"0", b"1")
    assert len(deciding.decided) > 1
    assert sum(deciding.planned) == EVENTS


def test_reading_ahead_leaves_what_cannot_be_planned_to_its_turn(stage: Stage):
    """An event that raises while it is planned ahead is recorded and set aside once; its neighbours go on."""
    for number in range(EVENTS):
        stage.post(alert(instance=f"n{number}"))
    decide_all(stage, lambda _: Watched(stage.rules))
    assert stage.balance() == (EVENTS, EVENTS)
    assert stage.counter("events_total|quarantined") == 1
    (kept,) = stage.link.one("HVALS", keys.quarantine())
    assert b"boom" in kept


def test_reading_ahead_plans_anew_by_rules_put_in_force_meanwhile(stage: Stage):
    """What was planned by the rules before is planned, and decided, by those in force."""
    before, after = Watched(stage.rules), Watched(replace(stage.rules, hash="after"))
    for number in range(EVENTS):
        stage.post(alert(instance=f"m{number}"))

    def deciding_for(ruleset: str) -> Deciding:
        if ruleset == "after":
            return after
        before.on_plan = lambda calls: calls < 2 or stage.link.one("SET", keys.rules_current(), "after")
        return before

    decide_all(stage, deciding_for)
    assert stage.balance() == (EVENTS, EVENTS)
    assert sum(before.decided) + sum(after.decided) == EVENTS
    assert before.decided
    assert after.decided


def decide_all(stage: Stage, deciding_for: Callable[[str], Deciding]) -> None:
    """Decide until nothing is left."""
    decider = stage.decider(deciding=deciding_for)
    for _ in range(100):
        stage.decide(decider)
        if stage.balance()[1] >= EVENTS:
            return
