"""What a store promises to deciding and paging: one suite for the real store and the one in memory."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from builders import NOW
from commits import commit_with, declared, plan_with, state
from msgspec.structs import replace

from incidents import events, keys
from incidents.clock import to_ms
from incidents.commit import FIRING_SCORE, TIMER_REVIEW, Commit
from incidents.document.values import Part, Version
from incidents.facts import Fact
from incidents.heartbeat import HeartbeatState
from incidents.maintenance import Maintenance
from incidents.memory.reads import READS
from incidents.memory.writes import READ_ALONG, WRITES
from incidents.page import Page
from incidents.quarantined import Quarantined
from incidents.shadow import Shadowed
from incidents.snapshot import FIRING_NOW, Plan, Snapshot
from incidents.timeline import Entry, EntryKind
from incidents.values import AlertStatus, IncidentStatus, PageReason

MINUTE = timedelta(minutes=1)
WINDOW = keys.window("w", "i")
FIVE, TEN = timedelta(minutes=5), timedelta(minutes=10)


# The fields


def test_memory_writes_every_field_of_a_commit():
    """A field of the commit that the store in memory does not write makes this fail."""
    assert vars(Commit(NOW)).keys() == WRITES.keys() | READ_ALONG


def test_memory_reads_every_field_of_a_snapshot():
    """A field of the snapshot that the store in memory does not read makes this fail."""
    assert set(Snapshot._fields) == READS.keys()


def test_contract_has_a_case_for_every_field():
    """Each field of commit and snapshot is named in this suite, so that a new one is proven on both stores."""
    suite = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_contract*.py"))
    fields = (vars(Commit(NOW)).keys() | set(Snapshot._fields)) - {"now_ms", "incidents", "declared"}
    assert {field for field in fields if f"{field}=" not in suite and f".{field}" not in suite} == set()


# Incidents


def test_contract_closed_incident_leaves_its_identity_to_a_later_one(store):
    """A note on an incident that is over never takes the identity away from the one that came after it."""
    first, later = declared(1), declared(2)
    store.apply(commit_with(first))
    store.happen(first[0], events.Dismiss(actor="bo", reason="x"), now=NOW)
    store.apply(commit_with(later))
    store.happen(first[0], events.Note(actor="bo", text="it was a drill"), now=NOW)
    known = store.load(plan_with(identities={"key-of-db": {}}), NOW).identities["key-of-db"]
    assert known is not None
    assert known.incident.id == later[0]


def test_contract_of_nothing(store):
    """A store that never heard of anything answers for everything that is asked."""
    store.publish("rules")
    plan = plan_with(
        alerts={"prom/a": None},
        identities={"key": {"f": None}},
        ids={"INC-2026-0001": {}},
        deliveries={keys.delivery("pd", "x"): None},
        echoes={keys.echo("pd", "x"): None},
        services={"db": None},
        members={WINDOW: TEN},
        tops={WINDOW: 3},
        attached={"INC-2026-0001": None},
        facts={"f": None},
        heartbeats=True,
        absorbing=True,
        open=True,
        awaiting=True,
    )
    plan.add_window(WINDOW, (FIVE, TEN), "prom/a")
    assert store.load(plan, NOW) == Snapshot(
        asked=frozenset({"prom/a"}),
        ruleset="rules",
        fence=0,
        number=0,
        alerts={},
        identities={"key": None},
        ids={"INC-2026-0001": None},
        counts={(WINDOW, FIRING_NOW): 0, (WINDOW, FIVE): 0, (WINDOW, TEN): 0},
        scores={(WINDOW, "prom/a"): None},
        members={WINDOW: ()},
        delivered=frozenset(),
        echoes={},
        services={"db": ()},
        heartbeats={},
        tops={WINDOW: ()},
        attached={"INC-2026-0001": ()},
        absorbing={},
        facts={"f": None},
        awaiting=(),
        open=(),
        has_actions=False,
        actions=None,
        maintenance=(),
    )


def test_contract_of_a_declared_incident(store):
    """It is found by its id, its identity and its service; it has a number, pages that are due, and a next step."""
    name, done = declared()
    store.apply(commit_with((name, done)))
    plan = plan_with(identities={"key-of-db": {}}, ids={name: {}}, services={"db": None})
    snapshot = store.load(plan, NOW)
    assert snapshot.identities["key-of-db"] == snapshot.ids[name]
    assert snapshot.ids[name].incident == done.incident
    assert (snapshot.number, snapshot.services, store.open()) == (1, {"db": (name,)}, {name})
    assert store.timeline(name) == list(done.entries)
    assert store.pages() == {page.id: page for page in done.pages}
    assert store.escalations() == {name: to_ms(done.incident.paging.next_at)}
    assert store.lasts("identity", "key-of-db", NOW) is None
    assert store.counters() == dict(done.tally.fields)
    assert store.load(Plan(), NOW.replace(year=2027)).number == 0


def test_contract_of_a_resolved_incident(store):
    """Its identity points to it for as long as it may reopen; steps and timers are gone, and it leaves its service."""
    name, done = declared()
    store.apply(commit_with((name, done), timers={f"clear|{name}": to_ms(NOW), f"incident|{name}": 1, "alert|x": 2}))
    store.happen(name, events.Resolve(actor="bo", override="it is over"), now=NOW + MINUTE)
    assert (store.open(), store.escalations(), store.timers()) == (set(), {}, {"alert|x": 2})
    left = store.lasts("identity", "key-of-db", NOW + MINUTE)
    assert 1_795_000 < left <= 1_800_000
    plan = plan_with(services={"db": None}, identities={"key-of-db": {}})
    snapshot = store.load(plan, NOW + 2 * MINUTE)
    assert snapshot.services == {"db": ()}
    assert snapshot.identities["key-of-db"].incident.status == "resolved"


def test_contract_of_a_dismissed_incident(store):
    """Its identity points to nothing: what fires again is another incident."""
    name, done = declared()
    store.apply(commit_with((name, done)))
    store.happen(name, events.Dismiss(actor="bo", reason="a test"), now=NOW + MINUTE)
    assert store.load(plan_with(identities={"key-of-db": {}}), NOW).identities == {"key-of-db": None}
    assert store.lasts("identity", "key-of-db", NOW) == -2


def test_contract_of_a_storm(store):
    """What absorbs is found while it is open."""
    name, done = declared()
    storm = replace(done.incident, absorbs_until=NOW + TEN)
    store.apply(commit_with((name, done._replace(incident=storm))))
    assert store.load(plan_with(open=True), NOW).open == ("INC-2026-0001",)
    (found,) = store.load(plan_with(absorbing=True), NOW).absorbing.items()
    assert (found[0], found[1].identity, found[1].until) == (name, {"service": "db"}, NOW + TEN)
    store.happen(name, events.Dismiss(actor="bo", reason="a test"), now=NOW)
    assert store.load(plan_with(absorbing=True), NOW).absorbing == {}
    assert store.load(plan_with(open=True), NOW).open == ()


def test_contract_of_a_step_that_is_no_longer_due(store):
    """A timer of a step that was left behind is set again as the incident says."""
    name, done = declared()
    store.apply(commit_with((name, done)))
    store.happen(name, events.Acknowledge(actor="bo"), now=NOW)
    assert store.escalations() == {}
    store.happen(name, events.StepDue(), now=NOW + TEN)
    assert store.escalations() == {}


# Alerts and folds


def test_contract_of_alerts(store):
    """What is remembered of alerts, when they were heard of, and when they ended."""
    first, second = state(instance="1"), replace(state(instance="2"), status=AlertStatus.RESOLVED, ends_at=NOW)
    store.apply(commit_with(states={"prom/1": first, "prom/2": second}, seen={"prom/1": 5, "prom/2": 6}))
    snapshot = store.load(plan_with(alerts={"prom/1": None, "prom/3": None}), NOW)
    assert (snapshot.alerts, snapshot.asked) == ({"prom/1": first}, {"prom/1", "prom/3"})
    assert store.heard_of() == ({"prom/1": 5, "prom/2": 6}, {"prom/2": to_ms(NOW)})
    store.apply(commit_with(states={"prom/2": first}, seen={"prom/1": 9}))
    assert store.heard_of() == ({"prom/1": 9, "prom/2": 6}, {})


def test_contract_of_counts_and_folds(store):
    """The counts of an incident's alerts grow; the folds that are asked for say when they began."""
    name, done = declared()
    commit = commit_with((name, done), attached={name: {"prom/1", "prom/2"}}, folds_begun={name: {"f": 7, "g": 8}})
    commit.count_alert(name, firing=2, resolved=0)
    commit.count_fold(name, "fold:f@7")
    store.apply(commit)
    second = commit_with(clear_since={name: NOW})
    second.count_alert(name, firing=-2, resolved=2)
    second.count_fold(name, "fold:f@7")
    store.apply(second)
    known = store.load(plan_with(ids={name: {"f": None, "x": None}}, attached={name: None}), NOW)
    assert known.ids[name].folds == {"f": 7}
    assert sorted(known.attached[name]) == ["prom/1", "prom/2"]
    alerts = known.ids[name].alerts
    assert (alerts.firing, alerts.resolved, alerts.clear_since) == (0, 2, NOW)
    assert store.tally(name)["fold:f@7"] == 2
    store.apply(commit_with(clear_since={name: None}))
    assert store.load(plan_with(ids={name: {}}), NOW).ids[name].alerts.clear_since is None


# Windows


def move(store, now=NOW, *, firing=1, **scores) -> None:
    moved = {name: FIRING_SCORE if score is None else to_ms(score) for name, score in scores.items()}
    store.apply(
        commit_with(now=now, windows={WINDOW: moved}, window_spans={WINDOW: TEN}, windows_firing={WINDOW: firing})
    )


def count(store, now) -> tuple[int, int, int]:
    plan = Plan()
    plan.add_window(WINDOW, (FIVE, TEN), "a")
    counts = store.load(plan, now).counts
    return counts[WINDOW, FIRING_NOW], counts[WINDOW, FIVE], counts[WINDOW, TEN]


def test_contract_of_a_window(store):
    """What fires counts however long ago it began; what ended counts until the very millisecond its span is over."""
    move(store, a=None, b=NOW)
    assert count(store, NOW) == (1, 2, 2)
    assert count(store, NOW + FIVE) == (1, 2, 2)
    assert count(store, NOW + FIVE + timedelta(milliseconds=1)) == (1, 1, 2)
    assert count(store, NOW + TEN + timedelta(milliseconds=1)) == (1, 1, 1)
    plan = Plan()
    plan.add_window(WINDOW, (FIVE,), "b")
    plan.add_window(WINDOW, (FIVE,), "c")
    assert store.load(plan, NOW).scores == {(WINDOW, "b"): float(to_ms(NOW)), (WINDOW, "c"): None}


def test_contract_of_a_windows_members(store):
    """The latest come first, those that fire before all."""
    move(store, a=NOW - TEN, b=NOW - MINUTE, c=None, d=None, e=NOW)
    snapshot = store.load(plan_with(members={WINDOW: FIVE}, tops={WINDOW: 3}), NOW)
    assert snapshot.members[WINDOW] == ("d", "c", "e", "b")
    assert snapshot.tops[WINDOW] == (("d", float("inf")), ("c", float("inf")), ("e", float(to_ms(NOW))))


def test_contract_of_what_leaves_a_window(store):
    """Members that ended before the span are let go with the next change; one that fires again counts as firing."""
    move(store, a=NOW, b=NOW)
    move(store, NOW + TEN, a=None)
    assert store.window(WINDOW) == {"a": float("inf")}
    assert store.lasts("window", WINDOW, NOW) is None


def test_contract_of_a_window_in_which_nothing_fires(store):
    """It lapses once its span has passed."""
    move(store, firing=0, a=NOW)
    assert 595_000 < store.lasts("window", WINDOW, NOW) <= 600_000
    move(store, firing=1, a=None)
    assert store.lasts("window", WINDOW, NOW) is None


# Everything else


def test_contract_of_timers(store):
    """Timers are set, moved and taken away; one that is taken away and set in the same commit stays."""
    commit = Commit(NOW)
    commit.timer("alert|a", NOW)
    commit.timer("alert|b", NOW + MINUTE)
    store.apply(commit)
    second = Commit(NOW)
    second.timer("alert|a", None)
    second.timer("alert|b", None)
    second.timer("alert|b", NOW + 2 * MINUTE)
    store.apply(second)
    assert store.timers() == {"alert|b": to_ms(NOW + 2 * MINUTE)}
    store.apply(commit_with(timers={"alert|c": 1}, timers_gone={"alert|b", "alert|c"}))
    assert store.timers() == {"alert|c": 1}


def test_contract_of_pages(store):
    """A page is due until it is over, and what is counted with its end is counted."""
    name, done = declared()
    store.apply(commit_with((name, done)))
    (page,) = store.pages().values()
    tally = done.tally
    event = events.PageSuppressed(page_id=page.id, person="amira", why="no need")
    store.happen(name, event, now=NOW, also=tally, over=page)
    assert store.pages() == {}
    assert store.timeline(name)[-1].kind is EntryKind.PAGE_SUPPRESSED
    assert store.counters()["events_total|processed"] == 1
    told = Page(
        id="p", incident_id=name, person="bo", role=None, step=1, round=1, reason=PageReason.TEST, ruleset="",
        created_at=NOW, received_at=NOW,
    )  # fmt: skip
    store.apply(commit_with(pages=[told], entries=[(name, Entry(at=NOW, kind=EntryKind.NOTE, text="x"))]))
    assert store.pages() == {"p": told}


def test_contract_of_echoes(store):
    """A provider's name for a page of ours leads to its incident."""
    key, other = keys.echo("pd", "x"), keys.echo("eu", "x")
    store.apply(commit_with(echoes={key: "INC-2026-0001"}))
    assert store.load(plan_with(echoes={key: None, other: None}), NOW).echoes == {key: "INC-2026-0001"}


def test_contract_of_deliveries(store):
    """A delivery is remembered for 72 hours."""
    key = keys.delivery("pd", "x")
    store.apply(commit_with(deliveries={key}))
    assert store.load(plan_with(deliveries={key: None, "other": None}), NOW).delivered == {key}
    assert 72 * 3_600_000 - 5000 < store.lasts("delivery", key, NOW) <= 72 * 3_600_000


def test_contract_of_heartbeats(store):
    """Heartbeats are remembered, and forgotten."""
    beat = HeartbeatState(id="eu", labels={"cluster": "eu"}, last_at=NOW, heard=True, listed=False)
    store.apply(commit_with(heartbeats={"eu": beat, "us": replace(beat, id="us")}))
    store.apply(commit_with(heartbeats={"us": None}))
    assert store.load(plan_with(heartbeats=True), NOW).heartbeats == {"eu": beat} == store.heartbeats()
    assert store.load(Plan(), NOW).heartbeats == {}


def test_contract_of_facts(store):
    """Answers of Prometheus are remembered by their question."""
    fact = Fact(id="f", at=NOW, value=0.5)
    store.apply(commit_with(facts={"f": fact}, wanted={"up": to_ms(NOW)}))
    assert store.load(plan_with(facts={"f": None, "g": None}), NOW).facts == {"f": fact, "g": None}
    assert store.load(plan_with(awaiting=True), NOW).awaiting == ()


def test_contract_of_quarantine_and_probes(store):
    """What cannot be processed is kept once, by its id."""
    kept = Quarantined(id="q", at=NOW, source="prom", reason="boom", text="{}")
    store.apply(commit_with(quarantine=[kept, kept], probes={"token"}))
    assert store.quarantine() == {"q"}


def test_contract_of_counters(store):
    """Counters grow with each commit."""
    for _ in range(2):
        commit = Commit(NOW)
        commit.tally.fields["a|b"] += 2
        store.apply(commit)
    assert store.counters() == {"a|b": 4}


def test_contract_of_shadow(store):
    """One outage of an identity is one would-be incident: while an alert fires, and for the reopen time after that."""
    store.publish("rules")
    counted = "shadow_incidents_total|watched|SEV2"

    def note(at: datetime, *notes: Shadowed) -> int:
        store.apply(commit_with(now=at, shadowed=list(notes)))
        return store.counters().get(counted, 0)

    def held(member: str) -> Shadowed:
        return Shadowed("one", member, "watched", "SEV2", "other", {"service": "db"}, 30 * 60 * 1000)

    assert note(NOW, held("a"), held("b")) == 1
    assert note(NOW + MINUTE, Shadowed("one", "a")) == 1
    assert note(NOW + 300 * MINUTE, held("c")) == 1
    assert note(NOW + 301 * MINUTE, Shadowed("one", "b"), Shadowed("one", "c"), Shadowed("two", "c")) == 1
    assert note(NOW + 320 * MINUTE, held("a"), Shadowed("one", "a")) == 1
    assert note(NOW + 351 * MINUTE, held("a")) == 2


def test_contract_of_maintenance(store):
    """What the API planned is loaded with every batch, by id."""
    store.publish("rules")
    assert store.load(Plan(), NOW).maintenance == ()
    planned = [Maintenance(id=name, match='a="b"', start=NOW, until=NOW + TEN) for name in ("a", "b")]
    for each in planned:
        store.plan_maintenance(each)
    assert store.load(Plan(), NOW).maintenance == tuple(planned)


def test_contract_of_a_document(store):
    """Every version of a written part is kept; only an open incident has a timer for its review."""
    name, done = declared()
    store.apply(commit_with((name, done)))
    edit = events.DocumentEdited(actor="bo", seen="*", summary="One", status_report="Disks")
    store.happen(name, edit, now=NOW + MINUTE)
    store.happen(name, replace(edit, summary="Two", status_report=None), now=NOW + FIVE)
    assert [version.text for version in store.written(name, Part.SUMMARY)] == ["One", "Two"]
    assert [version.text for version in store.written(name, Part.STATUS_REPORT)] == ["Disks"]
    assert store.timers()[TIMER_REVIEW + name] == to_ms(NOW + MINUTE + timedelta(hours=1))
    store.happen(name, events.Resolve(actor="bo", override="over"), now=NOW + TEN)
    assert TIMER_REVIEW + name not in store.timers()
    version = Version(part=Part.SUMMARY, version=3, at=NOW, by="bo", text="Three")
    store.apply(commit_with(written=[(name, version)]))
    assert store.written(name, Part.SUMMARY)[-1] == version


def test_contract_of_statistics(store):
    """A closed incident leaves its summary, the last one counts; and pages that reached people are counted."""
    name, opened = declared()
    store.apply(commit_with((name, opened)))
    assert store.summaries() == {}
    store.happen(name, events.Dismiss(actor="bo", reason="a drill"), now=NOW + FIVE)
    assert store.summaries()[name].status is IncidentStatus.DISMISSED
    store.happen(name, events.Reopen(actor="bo"), now=NOW + FIVE)
    store.happen(name, events.Resolve(actor="bo", override="over"), now=NOW + TEN)
    kept = store.summaries()[name]
    assert (kept.status, kept.service, kept.declared) == (IncidentStatus.RESOLVED, "db", to_ms(NOW))
    assert kept.resolved == to_ms(NOW + TEN)
    store.apply(commit_with(paged=Counter({"2026-11-02|night|bo": 2})))
    store.apply(commit_with(paged=Counter({"2026-11-02|night|bo": 1, "2026-11-02|day|amira": 1})))
    assert store.paged() == {"2026-11-02|night|bo": 3, "2026-11-02|day|amira": 1}
