"""Real senders, and deliveries as PagerDuty signs them, all the way to incidents and their timelines."""

import hashlib
import hmac
import json
import tempfile
from pathlib import Path

import pytest
import requests
from installation import RULES, Installation, samples_of
from monitoring import ALERT_RULES, Alertmanager, Exporter
from page_sink import PageSink
from programs import Programs, eventually, free_port

pytestmark = pytest.mark.acceptance

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
PROMETHEUS_TOKEN = "prometheus-token-of-the-acceptance-tests"
SIGNING_SECRET = "signing-secret-of-the-acceptance-tests"
GRAFANA_TOKEN = "grafana-token-of-the-acceptance-tests"
SOURCES = f"""
- {{name: prom, kind: prometheus, token: "{PROMETHEUS_TOKEN}"}}
- {{name: events, kind: pagerduty_events, routing_key: "{ROUTING_KEY}"}}
- {{name: pd, kind: pagerduty, signing_secrets: ["{SIGNING_SECRET}", "the-next-secret-of-the-tests"]}}
- {{name: graf, kind: grafana, token: "{GRAFANA_TOKEN}"}}
"""


@pytest.fixture
def page_sink():
    """A page sink; how many pages come is the subject of others."""
    sink = PageSink()
    yield sink
    sink.close()


def with_sources(tocsin: Installation) -> Installation:
    """Give an installation a source of each kind, and incidents that resolve when their alerts do."""
    text = tocsin.config.read_text()
    tocsin.config.write_text(text.replace("api_tokens:", f"{SOURCES.strip()}\napi_tokens:"))
    rules = RULES.replace("alerts_clear_for: 1h", "alerts_clear_for: 1s")
    rules += """
- id: pagerduty
  match: 'urgency="high"'
  declare: SEV2
"""
    tocsin.write_rules(rules)
    return tocsin


@pytest.fixture
def tocsin(tocsin):
    """The installation with a source of each kind."""
    return with_sources(tocsin)


@pytest.fixture(scope="module")
def shared():
    """One that runs, for the tests in which it gets no more than single requests; each looks at what is its own."""
    sink = PageSink()
    with tempfile.TemporaryDirectory(prefix="tocsin-") as directory:
        programs = Programs(Path(directory))
        try:
            installation = with_sources(Installation(programs, sink.url))
            serving = installation.serve()
            yield installation
            serving.stop()
        finally:
            programs.end()
            sink.close()


def incidents_of(tocsin, service):
    """Return the incidents of a service."""
    return [each for each in tocsin.incidents() if each["identity"] == {"service": service}]


class PagingAlertmanager(Alertmanager):
    """An Alertmanager that takes Tocsin for PagerDuty."""

    def __init__(self, programs, url):
        super().__init__(programs, url, "unused-token", name="paging-alertmanager")
        receiver = f'{{routing_key: "{ROUTING_KEY}", url: "{url}/v2/enqueue", send_resolved: true}}'
        text = self.config.read_text()
        self.config.write_text(text[: text.index("  webhook_configs")] + f"  pagerduty_configs:\n  - {receiver}\n")
        requests.post(f"{self.url}/-/reload", timeout=60).raise_for_status()


def test_alertmanager_pages_us_as_its_pagerduty(tocsin, serving, programs, page_sink):
    """The real one, by changing one address: its trigger declares an incident, its resolve ends the alert."""
    alertmanager = PagingAlertmanager(programs, tocsin.url)
    alertmanager.send("orders")
    page_sink.expect_page(person="amira")
    incident = tocsin.only_incident()
    assert incident["identity"] == {"service": "orders"}

    alertmanager.send("orders", firing=False)
    eventually(lambda: tocsin.only_incident()["status"] == "resolved", what="its end")
    assert alertmanager.metric('alertmanager_notifications_failed_total{integration="pagerduty"') == 0
    assert tocsin.metric("tocsin_webhooks_total", source="events", code="202") >= 2
    tocsin.settled()
    assert_secret_nowhere(tocsin, serving, ROUTING_KEY)


def assert_secret_nowhere(tocsin, serving, secret):
    """Neither the store nor a log holds it."""
    link = tocsin.link()
    for key in link.one("KEYS", "*"):
        assert secret.encode() not in (link.one("DUMP", key) or b"")
    link.drop()
    assert secret not in serving.program.text()


def prometheus(programs, tocsin, exporter):
    """Start a real Prometheus whose only Alertmanager is Tocsin."""
    directory = programs.directory / "prometheus"
    directory.mkdir()
    (directory / "rules.yml").write_text(ALERT_RULES)
    address = tocsin.url.removeprefix("http://")
    (directory / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
  - authorization: {{credentials: "{PROMETHEUS_TOKEN}"}}
    static_configs: [{{targets: ["{address}"]}}]
scrape_configs: [{{job_name: acceptance, static_configs: [{{targets: ["{exporter.address}"]}}]}}]
""")
    options = {
        "config.file": directory / "prometheus.yml",
        "storage.tsdb.path": directory / "data",
        "web.listen-address": f"127.0.0.1:{free_port()}",
        "rules.alert.resend-delay": "1s",
    }
    return programs.start("prometheus", ["prometheus", *(f"--{name}={value}" for name, value in options.items())])


def test_prometheus_takes_us_for_its_alertmanager(tocsin, serving, exporter: Exporter, programs, page_sink):
    """Firing, resolved when it is over, and over by itself when Prometheus is killed and posts no more."""
    running = prometheus(programs, tocsin, exporter)
    exporter.set("db", 1)
    page_sink.expect_page(person="amira")
    exporter.set("db", 0)
    eventually(lambda: tocsin.only_incident()["status"] == "resolved", what="the end of the incident")

    exporter.set("db", 1)
    eventually(lambda: tocsin.only_incident()["alerts"]["firing"] == 1, what="the alert again")
    running.kill()
    eventually(lambda: tocsin.only_incident()["alerts"]["firing"] == 0, what="the expiry")
    assert tocsin.metric("tocsin_webhooks_total", source="prom", code="200") >= 3
    tocsin.settled()


def test_amtool_adds_an_alert(shared):
    """It asks for our status first, and finds no fault with it."""
    url = shared.url.replace("http://", f"http://amtool:{PROMETHEUS_TOKEN}@")
    alert = ["alertname=ByHand", "service=by-hand", "severity=critical"]
    added = shared.programs.start("amtool", ["amtool", f"--alertmanager.url={url}", "alert", "add", *alert])
    assert added.wait(60) == 0, added.text()
    assert len(eventually(lambda: incidents_of(shared, "by-hand"), what="an incident")) == 1


INCIDENT = {
    "id": "PINC1",
    "type": "incident",
    "status": "triggered",
    "incident_key": "a-key-of-theirs",
    "created_at": "2026-11-02T02:50:00Z",
    "title": "Checkout is slow",
    "urgency": "high",
    "service": {"summary": "checkout"},
}
MAEVE = {"type": "user_reference", "summary": "Maeve Okafor"}


def deliver(tocsin, kind, data, *, event="e1", secret=SIGNING_SECRET, change=None, **headers):
    """Post an event as PagerDuty does; `change` alters the body after it was signed."""
    at = "2026-11-02T03:00:00.000Z"
    fields = {"id": event, "event_type": f"incident.{kind}", "occurred_at": at, "agent": MAEVE, "data": data}
    body = json.dumps({"event": fields}).encode()
    signature = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-PagerDuty-Signature": signature, "X-Webhook-Id": f"hook-{event}", **headers}
    return requests.post(
        f"{tocsin.url}/webhooks/pagerduty", change(body) if change else body, headers=headers, timeout=60
    )


def test_pagerduty_incident_and_what_people_do_to_it(tocsin, serving, page_sink):
    """Its incident is ours; who acknowledged it and what was noted stand on the timeline; a note refires nothing."""
    assert deliver(tocsin, "triggered", INCIDENT).status_code == 202
    page_sink.expect_page(person="amira")
    incident = tocsin.only_incident()
    assert incident["identity"] == {"service": "checkout"}

    deliver(tocsin, "acknowledged", INCIDENT | {"status": "acknowledged"}, event="e2")
    note = {"type": "incident_note", "content": "It is the cache", "incident": {"id": "PINC1"}}
    deliver(tocsin, "annotated", note, event="e3")
    entries = eventually(
        lambda: [entry for entry in tocsin.timeline(incident["id"]) if entry["actor"] == "Maeve Okafor"][1:],
        what="both",
    )
    assert entries[0]["text"] == "Note in PagerDuty: It is the cache"

    deliver(tocsin, "resolved", INCIDENT | {"status": "resolved"}, event="e4", secret="the-next-secret-of-the-tests")
    eventually(lambda: tocsin.only_incident()["alerts"] == {"firing": 0, "resolved": 1}, what="the resolved alert")
    deliver(tocsin, "annotated", note, event="e5")
    tocsin.settled()
    assert tocsin.only_incident()["alerts"] == {"firing": 0, "resolved": 1}


def test_pagerduty_replay_takes_effect_once(shared):
    """The same delivery again, and the same event in another delivery, are duplicates."""
    before = shared.settled()["duplicate"]
    for hook in ("one", "one", "two"):
        assert deliver(shared, "triggered", INCIDENT, **{"X-Webhook-Id": hook}).status_code == 202
    assert shared.settled()["duplicate"] == before + 2
    assert len(incidents_of(shared, "checkout")) == 1


@pytest.mark.parametrize(
    ("change", "header"),
    [
        (lambda body: body.replace(b"slow", b"sl0w"), None),
        (lambda body: json.dumps(json.loads(body), indent=1).encode(), None),
        (None, ""),
        (None, "v1="),
        (None, "v2=" + "0" * 64),
        (None, ",".join(["v1=" + "0" * 64] * 400)),
    ],
)
def test_pagerduty_forgeries_are_401(shared, change, header):
    """A changed byte, other white space, and every kind of bad signature; nothing of it is kept."""
    before, refused = taken(shared), counted(shared, source="unknown", code="401")
    headers = {} if header is None else {"X-PagerDuty-Signature": header}
    assert deliver(shared, "triggered", INCIDENT, change=change, **headers).status_code == 401
    shared.settled()
    assert taken(shared) == before
    assert counted(shared, source="unknown", code="401") == refused + 1


def counted(tocsin, name="tocsin_webhooks_total", **wanted):
    """Return the sum of the samples that have these labels; none is 0."""
    rows = samples_of(tocsin.exposition())
    return sum(value for its_name, labels, value in rows if its_name == name and labels | wanted == labels)


def taken(tocsin):
    """Return what was taken from PagerDuty, and what came of it; other sources may have their own events meanwhile."""
    found = incidents_of(tocsin, "checkout")
    alerts = counted(tocsin, "tocsin_alerts_received_total", source="pd")
    return counted(tocsin, source="pd"), alerts, [(each["id"], each["alerts"]) for each in found]


def test_pagerduty_signed_nonsense_is_quarantined(shared):
    """It is answered 202, for three refusals would switch PagerDuty off for a day."""
    before = shared.settled()["quarantined"]
    for body in (b"", b"[]", b'{"messages": []}', b"[" * 100_000, b"\xff\xfe"):
        signature = "v1=" + hmac.new(SIGNING_SECRET.encode(), body, hashlib.sha256).hexdigest()
        answer = requests.post(
            f"{shared.url}/webhooks/pagerduty", body, headers={"X-PagerDuty-Signature": signature}, timeout=60
        )
        assert (answer.status_code, answer.json()["quarantined"]) == (202, 1)
    assert len(shared.get("/quarantine")["events"]) == 5
    assert shared.settled()["quarantined"] == before + 5


def test_sources_cannot_speak_for_each_other(shared):
    """The same labels and fingerprint from Grafana do not end the alert that Prometheus posted."""
    labels = {"alertname": "Trouble", "severity": "critical", "service": "two-sources"}
    prometheus = {"Authorization": f"Bearer {PROMETHEUS_TOKEN}"}
    posted = requests.post(f"{shared.url}/api/v2/alerts", json=[{"labels": labels}], headers=prometheus, timeout=60)
    assert posted.status_code == 200
    eventually(lambda: incidents_of(shared, "two-sources"), what="an incident")
    [fired] = [each for each in shared.get("/alerts?limit=200")["alerts"] if each["labels"] == labels]
    forged = {"status": "resolved", "labels": labels, "fingerprint": fired["fingerprint"], "source": "prom"}
    grafana = {"Authorization": f"Bearer {GRAFANA_TOKEN}"}
    answer = requests.put(f"{shared.url}/webhooks/grafana", json={"alerts": [forged]}, headers=grafana, timeout=60)
    assert answer.status_code == 202
    shared.settled()
    assert [each["alerts"] for each in incidents_of(shared, "two-sources")] == [{"firing": 1, "resolved": 0}]
    assert requests.post(f"{shared.url}/api/v2/alerts", json=[], headers=grafana, timeout=60).status_code == 401
