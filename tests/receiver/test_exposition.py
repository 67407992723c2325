"""The exposition over a real Valkey: every series from the start, exact counts, and an answer without a store."""

import os
import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from builders import CRITICAL, NOW, alert, rule_set
from programs import eventually
from prometheus_client.parser import text_string_to_metric_families

from incidents import keys
from incidents.errors import StoreUnavailable
from incidents.events import Acknowledge, PostIncidentActionWritten
from incidents.facts import Fact
from incidents.measures import Measures
from incidents.post_incident_actions import ActionState
from incidents.store.connection import Link, Links, client_for
from incidents.store.incidents import Incidents
from incidents.store.intake import Intake, Refused
from incidents.store.measured import is_durable
from incidents.store.rulesets import RuleSets
from incidents.store.wake import Waker
from receiver.exposition import Exposition
from receiver.families import PREFIX
from receiver.metrics import RequestMetrics
from rules.deciding.deciding import Deciding
from rules.slo_status import fact_ids, status_of
from rules.slos import Slo
from workers.decider import Decider
from workers.entries import read_cursor, read_entry

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
RULES = rule_set(CRITICAL)


def exposition(links, folder, *, now=NOW, rules=RULES.rules, slos=()) -> Exposition:
    return Exposition(
        links=links,
        request_metrics=RequestMetrics(folder, ["prom"]),
        sources=("prom",),
        rules=lambda: rules,
        version="9.9.9",
        now=lambda: now,
        slos=lambda: slos,
    )


def samples(text: bytes) -> dict[str, float]:
    """Every sample by its name with its labels, as it is written."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def with_the_store(shown: Exposition) -> bytes:
    """Return a scrape to which the store answered: on a machine that stands still for a moment, one does without."""
    return eventually(lambda: b"tocsin_store_up 1" in (text := shown.render()) and text, what="an answer of the store")


@pytest.fixture
def scrape(links, tmp_path):
    def scrape(**changes):
        return samples(with_the_store(exposition(links, tmp_path, **changes)))

    return scrape


@pytest.fixture
def decide(store_url, links):
    """Put the rules in force, and decide what lies in the stream."""
    RuleSets(links).publish(RULES.hash, [], NOW)
    decider = Decider(
        url=store_url,
        owner="one|1|a",
        waker=Waker(client_for(store_url)),
        deciding_for=lambda _: Deciding(RULES),
        now=lambda: NOW,
    )
    return lambda: decider.linger(timedelta(milliseconds=30))


def post(links, *alerts, refused=(), at=NOW):
    Intake(links, lambda: None).append_alerts(source="prom", alerts=alerts, refused=refused, received_at=at)


def waiting_in_stream(store_url) -> int:
    """How many events lie in the stream after the cursor."""
    link = Link(store_url)
    cursor = read_cursor(link.one("GET", keys.cursor()))
    rows = link.one("XRANGE", keys.stream(), f"({cursor.entry_id}", "+")
    return sum(read_entry(row).events for row in rows) - cursor.done


def test_exposition_shows_every_value_from_the_start(scrape):
    """An empty store has each enumerated label value at 0, so that the first increase is seen."""
    found = scrape()
    for name in (
        'tocsin_alerts_received_total{source="prom",status="firing"}',
        'tocsin_events_total{outcome="quarantined"}',
        "tocsin_events_received_total",
        'tocsin_alerts_truncated_total{source="prom"}',
        'tocsin_rule_decisions_total{outcome="waits",rule="critical"}',
        'tocsin_rule_errors_total{rule="critical"}',
        'tocsin_incidents_declared_total{criterion="other",rule="critical",severity="SEV2"}',
        'tocsin_incidents_declared_total{criterion="other",rule="",severity="SEV4"}',
        'tocsin_incidents_closed_total{outcome="dismissed",rule="critical"}',
        'tocsin_incidents_open{severity="SEV1",status="mitigated"}',
        'tocsin_incident_time_to_acknowledge_seconds_bucket{le="30.0",severity="SEV3"}',
        'tocsin_incident_time_to_resolve_seconds_count{severity="SEV1"}',
        'tocsin_pages_total{channel="webhook",outcome="failed"}',
        "tocsin_page_delay_seconds_count",
        "tocsin_timer_lateness_seconds_sum",
        "tocsin_intake_pending",
        "tocsin_intake_lag_seconds",
        "tocsin_quarantined",
        'tocsin_webhooks_total{code="202",source="prom"}',
    ):
        assert found[name] == 0, name
    assert found["tocsin_store_up"] == found["tocsin_store_durable"] == 1
    assert found['tocsin_worker_last_seen_seconds{queue="tocsin-decide"}'] == float("inf")
    assert found["tocsin_rules_last_reload_success_timestamp_seconds"] == 0
    assert found['tocsin_build_info{version="9.9.9"}'] == 1


def test_exposition_pending_is_what_lies_in_the_stream(scrape, decide, links, store_url):
    """Promise 2, seen from outside: received is processed, duplicate, quarantined and pending, at every moment."""
    post(links, alert(), alert("CpuHot"), refused=[Refused(reason="no labels", text="{}")], at=NOW)
    found = scrape(now=NOW + timedelta(seconds=5))
    assert found["tocsin_intake_pending"] == waiting_in_stream(store_url) == 2
    assert (found["tocsin_intake_lag_seconds"], found["tocsin_quarantined"]) == (5, 1)
    decide()
    post(links, alert(), at=NOW + timedelta(seconds=1))
    found = scrape(now=NOW + timedelta(seconds=2))
    assert found["tocsin_intake_pending"] == waiting_in_stream(store_url) == 1
    assert found["tocsin_intake_lag_seconds"] == 1
    decide()
    found = scrape()
    assert found["tocsin_intake_pending"] == waiting_in_stream(store_url) == found["tocsin_intake_lag_seconds"] == 0
    outcomes = [found[f'tocsin_events_total{{outcome="{name}"}}'] for name in ("processed", "duplicate", "quarantined")]
    assert outcomes == [2, 1, 1]
    assert found["tocsin_events_received_total"] == 4


def test_exposition_tells_of_incidents(scrape, decide, links):
    """A declared incident is open by severity and status, and its acknowledgement stands in the histogram."""
    post(links, alert())
    decide()
    found = scrape()
    assert found['tocsin_incidents_declared_total{criterion="other",rule="critical",severity="SEV2"}'] == 1
    assert found['tocsin_incidents_open{severity="SEV2",status="declared"}'] == 1
    assert found['tocsin_rule_decisions_total{outcome="holds",rule="critical"}'] == 1
    assert found[f'tocsin_rules_info{{hash="{RULES.hash}"}}'] == 1
    assert found["tocsin_rules_last_reload_success_timestamp_seconds"] == NOW.timestamp()
    Incidents(links, lambda _: RULES.oncall).apply(
        "INC-2026-0001", Acknowledge(actor="amira"), now=NOW + timedelta(seconds=90)
    )
    found = scrape()
    assert found['tocsin_incidents_open{severity="SEV2",status="acknowledged"}'] == 1
    name = "tocsin_incident_time_to_acknowledge_seconds"
    assert [found[f'{name}_bucket{{le="{bound}",severity="SEV2"}}'] for bound in ("60.0", "120.0", "+Inf")] == [0, 1, 1]
    assert (found[f'{name}_sum{{severity="SEV2"}}'], found[f'{name}_count{{severity="SEV2"}}']) == (90, 1)


def test_exposition_tells_of_post_incident_actions(scrape, decide, links):
    """Open ones are counted, and apart those whose day is over; what is done is not."""
    post(links, alert())
    decide()
    incidents = Incidents(links, lambda _: RULES.oncall)
    for due in (None, NOW.date() - timedelta(days=1)):
        wanted = PostIncidentActionWritten(actor="bo", text="x", due=due)
        incidents.apply("INC-2026-0001", wanted, now=NOW)
    done = PostIncidentActionWritten(actor="bo", text="y", state=ActionState.DONE)
    incidents.apply("INC-2026-0001", done, now=NOW)
    found = scrape()
    assert found['tocsin_post_incident_actions{state="open"}'] == 2
    assert found['tocsin_post_incident_actions{state="overdue"}'] == 1


def test_exposition_says_since_when_no_worker_gave_a_sign(scrape, store_url):
    """Seconds since the last sign of each queue."""
    Link(store_url).one("HSET", keys.workers_seen(), "tocsin-pages", int((NOW.timestamp() - 7) * 1000))
    assert scrape()['tocsin_worker_last_seen_seconds{queue="tocsin-pages"}'] == 7


def test_exposition_keeps_what_the_rules_of_before_counted(scrape, store_url):
    """A rule that is gone keeps its series; fields of another version of Tocsin are passed over."""
    link = Link(store_url)
    link.one("HINCRBY", keys.counters(), Measures.RULE_ERRORS.field("gone"), 3)
    link.one("HINCRBY", keys.counters(), "not_known_total|x", 3)
    link.one("HINCRBY", keys.counters(), Measures.EVENTS_RECEIVED.field("unexpected label"), 3)
    found = scrape()
    assert found['tocsin_rule_errors_total{rule="gone"}'] == 3
    assert not [name for name in found if "not_known" in name or "unexpected" in name]


def test_exposition_of_very_many_rules_shows_those_that_counted(scrape):
    """Ten thousand rules do not make a hundred thousand series of zeros."""
    (rule,) = RULES.rules
    assert len(scrape(rules=(rule,) * 10_000)) < 500


def test_exposition_passes_promtool(decide, links, tmp_path):
    """Prometheus's own check finds nothing to say."""
    post(links, alert())
    decide()
    text = with_the_store(exposition(links, tmp_path))
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (0, "", "")


def test_exposition_names_no_incident_person_or_alert(decide, links, tmp_path):
    """Labels are from small sets: nothing of a single incident, person or alert is among them."""
    post(links, alert("VeryPeculiarName"))
    decide()
    text = with_the_store(exposition(links, tmp_path)).decode()
    assert not re.search(r"INC-|amira|VeryPeculiarName|http", text)


def test_exposition_shows_what_is_known_of_slos(scrape):
    """Numbers that are not known are absent, and their age says so."""
    slo = Slo(id="a", service="s", objective=99.9, window=timedelta(days=30), error_ratio="avg_over_time(r[$window])")
    facts = {name: Fact(id=name, at=NOW - timedelta(seconds=5), value=0.0005) for name in fact_ids([slo])}
    found = scrape(slos=(status_of(slo, facts, NOW),))
    assert found['tocsin_slo_burn_rate{slo="a"}'] == pytest.approx(0.5)
    assert found['tocsin_slo_budget_remaining_ratio{slo="a"}'] == pytest.approx(0.5)
    assert found['tocsin_slo_fact_age_seconds{slo="a"}'] == 5
    found = scrape(slos=(status_of(slo, {}, NOW),))
    assert 'tocsin_slo_burn_rate{slo="a"}' not in found
    assert found['tocsin_slo_fact_age_seconds{slo="a"}'] == float("inf")


def test_exposition_and_its_document_agree(scrape, links, tmp_path):
    """docs/metrics.md lists every metric that there is, with its type and labels, and no other."""
    families = list(text_string_to_metric_families(with_the_store(exposition(links, tmp_path)).decode()))
    labels = {
        family.name: {name for sample in family.samples for name in sample.labels} - {"le"} for family in families
    }
    # These have no series before the first rule set and the first heartbeat.
    labels |= {"tocsin_rules_info": {"hash"}, "tocsin_heartbeat_age_seconds": {"heartbeat"}}
    labels |= {"tocsin_calendar_age_seconds": {"rotation"}}
    labels |= {"tocsin_rule_precision": {"rule"}}  # nor this before the first rule of a closed incident
    labels |= {"tocsin_shadow_incidents": {"rule", "severity"}}  # nor this before the first rule in shadow mode
    slos = ("slo_burn_rate", "slo_budget_remaining_ratio", "slo_fact_age_seconds")  # nor these before the first SLO
    labels |= {f"tocsin_{name}": {"slo"} for name in slos}
    real = {
        (family.name + ("_total" if family.type == "counter" else ""), family.type, frozenset(labels[family.name]))
        for family in families
    }
    rows = re.findall(r"^\| `(tocsin_\w+)` \| (\w+) \|([^|]*)\|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    listed = {(name, kind, frozenset(re.findall(r"`(\w+)`", text))) for name, kind, text in rows}
    assert listed == real
    assert {f"{PREFIX}{each.value.name}" for each in Measures} <= {name for name, _, _ in listed}


# Without a store


def test_exposition_without_a_store(tmp_path):
    """With the store away there are still its absence and what the receiver itself counts."""
    metrics = RequestMetrics(tmp_path, ["prom"])
    metrics.observe("prom", 503, 0.01)
    found = samples(exposition(Links(f"unix://{tmp_path}/nowhere.sock"), tmp_path).render())
    assert found["tocsin_store_up"] == 0
    assert found['tocsin_webhooks_total{code="503",source="prom"}'] == 1
    assert "tocsin_intake_pending" not in found


class HungLinks(Links):
    """Links that nobody gets for as long as the test lasts."""

    def __init__(self) -> None:
        super().__init__("unix:///nowhere.sock")
        self.over = threading.Event()
        self.given_up = False

    @contextmanager
    def borrow(self):
        self.given_up = not self.over.wait(60)
        raise StoreUnavailable("it hung")
        yield


def test_exposition_does_not_wait_for_a_store_that_hangs(tmp_path):
    """Scrapes answer while the store still does not, also several at once."""
    links = HungLinks()
    shown = exposition(links, tmp_path)
    with ThreadPoolExecutor(5) as pool:
        scraped = list(pool.map(lambda _: samples(shown.render()), range(5)))
    assert [found["tocsin_store_up"] for found in scraped] == [0] * 5
    assert not links.given_up
    links.over.set()


def test_exposition_finds_the_store_again(links, tmp_path, store_url):
    """A store that was stopped for a while is up again in the next scrape after."""
    shown = exposition(links, tmp_path)
    pid = int(re.search(rb"process_id:(\d+)", Link(store_url).one("INFO", "server")).group(1))
    with_the_store(shown)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert samples(shown.render())["tocsin_store_up"] == 0
    finally:
        os.kill(pid, signal.SIGCONT)
    with_the_store(shown)


@pytest.mark.parametrize(
    ("info", "durable"),
    [
        ("aof_enabled:1\r\nmaxmemory_policy:noeviction\r\n", True),
        ("aof_enabled:0\r\nmaxmemory_policy:noeviction\r\n", False),
        ("aof_enabled:1\r\nmaxmemory_policy:allkeys-lru\r\n", False),
        ("aof_enabled:1\r\naof_last_write_status:err\r\n", False),
        ("redis_version:7\r\n", True),
    ],
)
def test_exposition_knows_a_volatile_store(info, durable):
    """AOF off, a failed write to it, or a policy that evicts: the store may forget."""
    assert is_durable(info) is durable


def test_exposition_rules_of_the_document_are_usable(tmp_path):
    """The alerting rules to copy pass Prometheus's own check, and name metrics that there are."""
    text = DOCUMENT.read_text(encoding="utf-8")
    (rules,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "rules.yml").write_text(rules)
    done = subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = set(re.findall(r"^\| `(tocsin_\w+)`", text, re.MULTILINE))
    assert set(re.findall(r"tocsin_\w+", rules)) <= listed
