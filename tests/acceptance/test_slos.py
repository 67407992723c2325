"""The real Prometheus over a service that fails: declared without any alert, and resolved by what it measures."""

import http.server
import os
import signal
import threading

import pytest
import requests
from programs import eventually, free_port

pytestmark = pytest.mark.acceptance

RULES = """
slos:
- id: checkout
  service: checkout
  objective: 99
  window: 1h
  burn_alerts: off
  error_ratio: 'sum(rate(requests_total{code="500"}[$window])) / sum(rate(requests_total[$window]))'
rules:
- id: burning
  criterion: slo_breach
  when: {burn_rate: {slo: checkout, over: 6s, gte: 10}}
  declare: SEV2
  objectives: [{id: calm, text: Burns no faster than it may, burn_rate: {slo: checkout, over: 4s, lte: 1}}]
"""


class Service:
    """Counts requests, of which the test says how many in a hundred fail."""

    def __init__(self) -> None:
        self.failing = 0
        self._counts = {"200": 0.0, "500": 0.0}
        self._ended = threading.Event()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                lines = [f'requests_total{{code="{code}"}} {count}' for code, count in service._counts.items()]
                body = "\n".join(["# TYPE requests_total counter", *lines, ""]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while not self._ended.wait(0.1):
            self._counts["500"] += self.failing / 10
            self._counts["200"] += (100 - self.failing) / 10

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service():
    """A service that a Prometheus can scrape."""
    service = Service()
    yield service
    service.close()


@pytest.fixture
def prometheus(programs, service) -> str:
    """The address of a Prometheus that scrapes the service every half a second."""
    directory = programs.directory / "prometheus"
    directory.mkdir()
    (directory / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs: [{{job_name: service, static_configs: [{{targets: ["{service.address}"]}}]}}]
""")
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
    ]
    programs.start("prometheus", command)
    eventually(lambda: requests.get(f"{url}/-/ready", timeout=5).ok, what="Prometheus ready")
    return url


def test_slo_burns_is_unknown_while_prometheus_is_away_and_recovers(tocsin, programs, page_sink, prometheus, service):
    """No alert is ever sent: what Prometheus measures declares, and what it measures resolves."""
    tocsin.write_rules(RULES)
    tocsin.configure(extra=f'prometheus: {{url: "{prometheus}", every: 1s}}')
    tocsin.serve()
    slo = eventually(lambda: fresh(tocsin), what="a fact")
    assert slo["burn_rate"] == 0

    service.failing = 50
    page = page_sink.expect_page(person="amira", step=1)
    incident = page["incident"]
    assert (incident["rule"], incident["severity"], incident["identity"]) == (
        "burning",
        "SEV2",
        {"service": "checkout"},
    )
    assert "burn_rate" in tocsin.timeline(incident["id"], "incident_declared")[0]["data"]["reason"]

    running = next(each for each in programs.started if each.name == "prometheus")
    os.kill(running.pid, signal.SIGSTOP)
    service.failing = 0
    eventually(lambda: said_unknown(tocsin, incident["id"]), what="it is unknown")
    assert tocsin.post().status_code == 202
    assert tocsin.get(f"/incidents/{incident['id']}")["status"] == "declared"
    os.kill(running.pid, signal.SIGCONT)

    eventually(lambda: tocsin.get(f"/incidents/{incident['id']}")["status"] == "resolved", what="it is resolved")
    page_sink.expect_page(type="page_resolved", person="amira")
    assert [entry["data"]["id"] for entry in tocsin.timeline(incident["id"], "objective_met")] == ["calm"]


def said_unknown(tocsin, incident: str) -> bool:
    """Whether the timeline says that the rule could not be judged."""
    return any("could not be judged" in entry["text"] for entry in tocsin.timeline(incident, "note"))


def fresh(tocsin):
    """The SLO, once something is known of it."""
    (slo,) = tocsin.get("/slos")["slos"]
    assert slo["burn_rate"] is not None, slo["why"]
    return slo
