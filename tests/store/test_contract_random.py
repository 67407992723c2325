"""A random sequence of events gives the same incidents, timelines, pages and counters on both stores."""

import contextlib
from datetime import timedelta

from builders import NOW, ONCALL, alert, rule_set
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from incidents import events
from incidents.alert import alert_key
from incidents.clock import from_ms, to_ms
from incidents.delivery import delivered, needless, suppressed
from incidents.errors import TransitionNotAllowed
from incidents.incoming import Action, Incoming, Touch, TouchKind
from incidents.oncall import Channel
from incidents.snapshot import Need
from rules.deciding.deciding import Deciding
from rules.deciding.work import Arrival, DueTimer, Received, Work

RULES = """
defaults: {reopen_within: 10m}
heartbeats: [{id: eu, match: ['alertname="Watchdog"'], expect_every: 1m}]
rules:
- {id: critical, match: 'severity="critical"', when: {firing_for: 2m}, declare: SEV2}
- {id: many, match: 'severity="warning"', when: {count: {gte: 3, within: 5m}}, declare: SEV3}
- id: graver
  match: 'alertname="Disk"'
  tiers:
  - {when: {count: {gte: 2, within: 4m}, firing_for: 3m}, declare: SEV1}
  - {when: {match: 'severity="critical"'}, declare: SEV4}
- {id: rollbacks, on: action, match: 'kind="rollback"', when: {count: {gte: 2, within: 5m}}, declare: SEV3}
- {id: regions, match: 'severity="warning"', when: {distinct: {label: instance, gte: 2, within: 5m}}, declare: SEV4}
- {id: flaps, match: 'alertname="Slow"', identity: [alertname], when: {flaps: {gte: 3, within: 8m}}, declare: SEV4}
- {id: worked, when: {worked_for: 4m}, identity: [service, instance], declare: SEV3}
- {id: old, on: incident, when: {open_for: 9m}, escalate_by: 1}
- {id: unheard, on: incident, when: {unacknowledged_for: 6m}, page: default}
- {id: storm, match: 'service="web"', when: {count: {gte: 3, within: 2m}}, declare: SEV2, absorb: {for: 7m}}
- {id: each, match: 'service="web"', identity: [alertname], declare: SEV4, stakeholders: [boss], restricted: true}
- {id: silent, on: heartbeat, when: {absent_for: 3m}, identity: [heartbeat], declare: SEV2}
"""
CHANNEL = Channel(name="a/1", kind="webhook")

NAMES, SERVICES = ("Disk", "Slow", "Slow", "Watchdog"), ("db", "web", "web")
LABELS = st.tuples(
    st.sampled_from(NAMES), st.sampled_from(SERVICES), st.sampled_from(("critical", "warning")), st.sampled_from("abc")
)
ALERT = st.tuples(LABELS, st.booleans(), st.integers(0, 300))
STEPS = st.one_of(
    st.tuples(st.just("alerts"), st.lists(ALERT, min_size=1, max_size=4)),
    st.tuples(st.just("wait"), st.integers(1, 600)),
    st.tuples(st.just("action"), st.sampled_from(SERVICES)),
    st.tuples(st.just("touch"), LABELS),
    st.tuples(st.just("person"), st.tuples(st.integers(1, 4), st.sampled_from(("ack", "resolve", "dismiss", "note")))),
    st.tuples(st.just("pages"), st.just(0)),
)  # fmt: skip
PEOPLE = {
    "ack": events.Acknowledge(actor="bo"),
    "resolve": events.Resolve(actor="bo", override="over"),
    "dismiss": events.Dismiss(actor="bo", reason="none"),
    "note": events.Note(actor="bo", text="hm"),
}


class Driver:
    """Does the same to one of the stores: decides, runs what is due, lets people act."""

    def __init__(self, store, rules) -> None:
        self.store, self.deciding, self.now = store, Deciding(rules), NOW
        store.oncall = rules.oncall
        store.publish(rules.hash)
        self.decide(Work(timers=(DueTimer("beats|", NOW),)))

    def decide(self, work: Work) -> None:
        plan = self.deciding.plan(work)
        for _ in range(200):
            try:
                commit = self.deciding.decide(work, self.store.load(plan, self.now), self.now)
            except Need as need:
                asked = vars(need.plan)
                plan.merge(need.plan)
            else:
                self.store.apply(commit)
                return
        raise AssertionError(f"deciding asks for more again and again: {asked}")

    def run_due(self) -> None:
        now_ms = to_ms(self.now)
        due = sorted((at, member) for member, at in self.store.timers().items() if at <= now_ms)
        if due:
            self.decide(Work(timers=tuple(DueTimer(member, from_ms(at)) for at, member in due)))
        for name in sorted(name for name, at in self.store.escalations().items() if at <= now_ms):
            self.store.happen(name, events.StepDue(), now=self.now)

    def step(self, kind, what) -> None:
        match kind:
            case "wait":
                self.now += timedelta(seconds=what)
                self.run_due()
            case "alerts":
                self.decide(Work(tuple(self.arrival(*one) for one in what)))
            case "action":
                done = Action(kind="rollback", service=what, actor="bo")
                self.decide(
                    Work((Received("api", Incoming(ids=(f"{self.now}",), action=done), self.now, to_ms(self.now)),))
                )
            case "touch":
                fingerprint = self.arrival(what, True, 0).alert.fingerprint
                touch = Touch(fingerprint=fingerprint, kind=TouchKind.ACKNOWLEDGED, actor="bo", text="on it")
                self.take("prom", Incoming(touch=touch))
            case "person":
                self.person(*what)
            case "pages":
                self.pages()

    def take(self, source, incoming) -> None:
        self.decide(Work((Received(source, incoming, self.now, to_ms(self.now)),)))

    def arrival(self, labels, firing, ago) -> Arrival:
        name, service, severity, instance = labels
        at = self.now - timedelta(seconds=ago)
        made = alert(
            name,
            service=service,
            severity=severity,
            instance=instance,
            status="firing" if firing else "resolved",
            starts_at=at if firing else None,
            ends_at=None if firing else at,
        )
        return Arrival(alert_key("prom", made.fingerprint), "prom", made, self.now, to_ms(self.now))

    def person(self, number, what) -> None:
        name = f"INC-2026-{number:04d}"
        if name in self.store.incidents():
            with contextlib.suppress(TransitionNotAllowed):
                self.store.happen(name, PEOPLE[what], now=self.now)

    def pages(self) -> None:
        for page in self.store.pages().copy().values():
            why = needless(page, self.store.incidents()[page.incident_id])
            ended = suppressed(page, why) if why else delivered(page, CHANNEL, self.now)
            self.store.happen(page.incident_id, ended.event, now=self.now, also=ended.tally, over=page)

    def everything(self) -> dict:
        store = self.store
        names = store.incidents()
        return {
            "incidents": dict(names),
            "open": set(store.open()),
            "timelines": {name: list(store.timeline(name)) for name in names},
            "tallies": {name: dict(store.tally(name)) for name in names},
            "attached": {name: set(store.attached(name)) for name in names},
            "alerts": dict(store.alerts()),
            "heard": store.heard_of(),
            "timers": dict(store.timers()),
            "escalations": dict(store.escalations()),
            "pages": dict(store.pages()),
            "heartbeats": dict(store.heartbeats()),
            "counters": {name: by for name, by in store.counters().items() if by},
        }


ACKNOWLEDGED = [
    ("alerts", [(("Disk", "db", "critical", "a"), True, 0)]), ("wait", 180), ("pages", 0), ("person", (1, "ack")),
    ("alerts", [(("Disk", "db", "critical", "a"), False, 0)]), ("wait", 600), ("wait", 400),
    ("alerts", [(("Disk", "db", "critical", "a"), True, 0)]), ("pages", 0),
]  # fmt: skip


# Fires on for as long after the resolve as it would reopen: the very last instant counts.
LAST_INSTANT = [
    ("wait", 180), ("alerts", [(("Disk", "db", "critical", "b"), True, 0)]), ("person", (2, "resolve")), ("wait", 600),
]  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=10, max_size=40))
@example(steps=ACKNOWLEDGED)
@example(steps=LAST_INSTANT)
@example(steps=[("wait", 600), ("alerts", [(("Watchdog", "db", "warning", "a"), True, 0)]), ("wait", 600)])
@example(steps=[("alerts", [(("Slow", "web", "critical", "a"), True, 0)]), ("wait", 300)])
def test_contract_holds_for_any_sequence(real, in_memory, steps):
    """Whatever happens in whatever order, both stores hold the same afterwards."""
    real.link.one("FLUSHALL")
    in_memory.__init__()
    rules = rule_set(RULES, ONCALL)
    drivers = Driver(real, rules), Driver(in_memory, rules)
    for kind, what in steps:
        for driver in drivers:
            driver.step(kind, what)
    one, other = (driver.everything() for driver in drivers)
    for subject in one:
        assert one[subject] == other[subject], subject
