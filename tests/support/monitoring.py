"""The real Prometheus and Alertmanager of Debian on loopback with short intervals, and an exporter to set them off."""

import http.server
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import requests
from programs import Program, Programs, eventually, free_port

SCRAPED = "acceptance"


class Exporter:
    """Serves one gauge, `trouble{service="..."}`, whose values the test sets."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="exporter", daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def set(self, service: str, value: float) -> None:
        """Set the gauge of a service; 1 and more is trouble."""
        self._values = {**self._values, service: value}

    def text(self) -> str:
        lines = [f'trouble{{service="{service}"}} {value}' for service, value in self._values.items()]
        return "\n".join(["# HELP trouble How bad it is.", "# TYPE trouble gauge", *lines, ""])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


ALERT_RULES = """
groups:
- name: acceptance
  interval: 1s
  rules:
  - alert: Trouble
    expr: trouble >= 1
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.service }} is in trouble ({{ $value }})"}
"""


class Prometheus:
    """A Prometheus that evaluates rules, by default one over the exporter, and tells these Alertmanagers."""

    def __init__(
        self,
        programs: Programs,
        exporter: Exporter,
        alertmanagers: Sequence["Alertmanager"],
        *,
        rules: str = ALERT_RULES,
    ) -> None:
        directory = programs.directory / "prometheus"
        directory.mkdir()
        (directory / "rules.yml").write_text(rules)
        targets = ", ".join(f'"{each.address}"' for each in alertmanagers)
        (directory / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: [{targets}]}}]}}]}}
scrape_configs: [{{job_name: {SCRAPED}, static_configs: [{{targets: ["{exporter.address}"]}}]}}]
""")
        self.url = f"http://127.0.0.1:{free_port()}"
        options = {
            "config.file": directory / "prometheus.yml",
            "storage.tsdb.path": directory / "data",
            "web.listen-address": self.url.removeprefix("http://"),
            "rules.alert.resend-delay": "5s",
        }
        self.program = programs.start("prometheus", ["prometheus", *_flags(options)])
        eventually(lambda: requests.get(f"{self.url}/-/ready", timeout=5).ok, timeout=60, what="Prometheus ready")


class Alertmanager:
    """An Alertmanager that posts everything to one webhook."""

    def __init__(
        self,
        programs: Programs,
        webhook: str,
        token: str,
        *,
        name: str = "alertmanager",
        repeat_interval: str = "1h",
        group_by: str = "[alertname, service]",
        cluster: Mapping[str, str] | None = None,
    ) -> None:
        directory = programs.directory / name
        directory.mkdir()
        self.config = directory / "alertmanager.yml"
        self.config.write_text(f"""
route:
  {{receiver: tocsin, group_by: {group_by}, group_wait: 0s, group_interval: 1s, repeat_interval: {repeat_interval}}}
receivers:
- name: tocsin
  webhook_configs:
  - {{url: "{webhook}", send_resolved: true, http_config: {{authorization: {{credentials: "{token}"}}}}}}
""")
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        options: dict[str, object] = {
            "config.file": self.config,
            "storage.path": directory / "data",
            "web.listen-address": self.address,
            **(cluster or {"cluster.listen-address": ""}),
        }
        self.program: Program = programs.start(name, ["prometheus-alertmanager", *_flags(options)])
        eventually(lambda: requests.get(f"{self.url}/-/ready", timeout=5).ok, timeout=60, what=f"{name} ready")

    def send(self, service: str, *, firing: bool = True) -> None:
        """Tell it of the alert Trouble of a service, as Prometheus does."""
        alert = {
            "labels": {"alertname": "Trouble", "severity": "critical", "service": service},
            "annotations": {"summary": f"{service} is in trouble"},
        }
        if not firing:
            alert["endsAt"] = datetime.now(UTC).isoformat()
        requests.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=60).raise_for_status()

    def metric(self, name: str) -> float:
        """Return the sum of the series of a metric whose line begins so."""
        text = requests.get(f"{self.url}/metrics", timeout=60).text
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))

    def is_of_a_settled_pair(self) -> bool:
        """Whether it knows one peer and has begun to notify; before, it would wait, and learn what the peer sent."""
        status = requests.get(f"{self.url}/api/v2/status", timeout=60).json()["cluster"]
        return status["status"] == "ready" and len(status["peers"]) == 2

    def failed_notifications(self) -> float:
        """Return how many tries to post were answered with something else than 2xx."""
        return self.metric('alertmanager_notification_requests_failed_total{integration="webhook"}')

    def notifications(self) -> float:
        """Return how many notifications it has made."""
        return self.metric('alertmanager_notifications_total{integration="webhook"}')


def alertmanager_pair(programs: Programs, webhook: str, token: str) -> tuple[Alertmanager, Alertmanager]:
    """Start two Alertmanagers of one cluster that do not wait for each other, so that both post everything."""
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    pair = [
        Alertmanager(
            programs,
            webhook,
            token,
            name=f"alertmanager-{index}",
            cluster={
                "cluster.listen-address": addresses[index],
                "cluster.peer": addresses[1 - index],
                "cluster.peer-timeout": "0s",
                "cluster.gossip-interval": "100ms",
                "cluster.pushpull-interval": "1s",
            },
        )
        for index in range(2)
    ]
    for each in pair:
        eventually(each.is_of_a_settled_pair, timeout=60, what="a cluster of two that has settled")
    return pair[0], pair[1]


def _flags(options: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def check_metrics(text: str, programs: Programs) -> str:
    """Run `promtool check metrics` over an exposition; return what it has against it."""
    path: Path = programs.directory / "exposition.txt"
    path.write_text(text)
    checked = programs.start("promtool", ["sh", "-c", f"promtool check metrics < {path}"])
    code = checked.wait(60)
    return "" if code == 0 and not checked.text().strip() else f"exit {code}: {checked.text()}"
