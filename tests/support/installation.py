"""An installation of Tocsin in a directory of a test: configuration, rules, real processes, and how to ask them."""

import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests
from programs import Program, Programs, eventually, free_port, is_alive, parent_of
from wire import firing, notification, resolved, samples_of

from incidents import keys
from incidents.store.connection import Link
from tocsin.commands.doctor_checks import all_give_signs
from tocsin.config_file import load_settings
from tocsin.redis_urls import store_url

__all__ = ["Installation", "Serving", "firing", "notification", "resolved", "samples_of"]

SOURCE = "am"
SOURCE_TOKEN = "source-token-of-the-acceptance-tests"
ADMIN_TOKEN = "admin-token-of-the-acceptance-tests"
READY_WITHIN = 120.0
STEP = "30m"

ONCALL = """
people:
  amira: {{channels: [{{webhook: {{url: "{sink}"}}}}]}}
  bo: {{channels: [{{webhook: {{url: "{sink}"}}}}]}}
rotations:
  commanders:
    timezone: UTC
    handoff: {{every: 52w, at: "00:00", starting: {today}}}
    order: [amira, bo]
roles:
  incident_commander: {{rotation: commanders}}
paging:
  default:
    steps:
    - {{page: incident_commander, acknowledge_within: {step}}}
    - {{page: rotation:commanders+1, acknowledge_within: {step}}}
"""

RULES = """
defaults: {identity: [service], reopen_within: 30m}
rules:
- id: critical
  match: 'severity="critical"'
  declare: SEV2
  objectives: [{id: clear, text: No alert fires any more, alerts_clear_for: 1h}]
"""


class Installation:
    """A `tocsin.yml` with its rule files; `serve` and the other commands run it."""

    def __init__(self, programs: Programs, sink: str, *, name: str = "tocsin") -> None:
        self.programs = programs
        self.name = name
        self.directory = programs.directory / name
        self.rules = self.directory / "rules.d"
        self.rules.mkdir(parents=True)
        self.config = self.directory / "tocsin.yml"
        self.port = free_port()
        self.sink = sink
        self.redis_url = ""
        self.write_oncall()
        self.write_rules(RULES)
        self.configure()

    # Files

    def configure(self, *, redis_url: str | None = None, extra: str = "", port: int | None = None) -> None:
        """Write the configuration anew."""
        self.redis_url = self.redis_url if redis_url is None else redis_url
        self.port = port or self.port
        self.config.write_text(f"""
listen: 127.0.0.1:{self.port}
data_dir: ./data
redis_url: "{self.redis_url}"
rules: [./rules.d]
sources:
- {{name: {SOURCE}, kind: alertmanager, token: "{SOURCE_TOKEN}"}}
api_tokens:
- {{name: ops, token: "{ADMIN_TOKEN}", role: admin}}
{extra}
""")

    def write_rules(self, text: str) -> None:
        """Write the file of the rules anew."""
        (self.rules / "rules.yml").write_text(text)

    def write_oncall(self, *, step: str = STEP) -> None:
        """Write the file of the on-call settings anew; `step` is how long each step waits."""
        (self.rules / "oncall.yml").write_text(ONCALL.format(sink=self.sink, step=step, today=datetime.now(UTC).date()))

    # Processes

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook(self) -> str:
        return f"{self.url}/webhooks/alertmanager"

    def run(self, *arguments: str, env: Mapping[str, str] | None = None, name: str = "") -> Program:
        """Run a sub-command of `tocsin` with this configuration."""
        command = [sys.executable, "-m", "tocsin", *arguments, "--config", str(self.config)]
        return self.programs.start(name or f"{self.name}-{'-'.join(arguments)}", command, env=env, cwd=self.directory)

    def serve(self, *, env: Mapping[str, str] | None = None) -> "Serving":
        """Run `tocsin serve` and wait until the receiver is ready and every worker gives signs, for it comes later."""
        serving = Serving(self, self.run("serve", env=env))
        serving.wait_ready()
        eventually(lambda: all_give_signs(self.get("/status")), timeout=READY_WITHIN, what="every worker", poll=0.1)
        return serving

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def wait_ready(self, program: Program, timeout: float = READY_WITHIN) -> None:
        """Wait until the receiver answers that it is ready, or fail as soon as the program has ended."""

        def ready() -> bool:
            if not program.is_alive():
                raise SystemExit(f"{program.name} ended with {program.process.returncode}: {program.text()[-3000:]}")
            return self.is_ready()

        try:
            eventually(ready, timeout=timeout, what=f"{program.name} ready")
        except SystemExit as ended:
            raise AssertionError(str(ended)) from None

    # Asking

    def link(self) -> Link:
        """Return a connection to the store of this installation."""
        return Link(self.store_url())

    def store_url(self) -> str:
        """Return the address of the store of this installation."""
        return store_url(load_settings(self.config, {}))

    def post(self, *alerts: Mapping[str, Any], timeout: float = 60.0) -> requests.Response:
        """Post alerts as Alertmanager does."""
        return self.post_body(json.dumps(notification(alerts)).encode(), timeout=timeout)

    def post_body(self, body: bytes, *, token: str = SOURCE_TOKEN, timeout: float = 60.0) -> requests.Response:
        """Post any body to the webhook."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return requests.post(self.webhook, body, headers=headers, timeout=timeout)

    def api(self, method: str, path: str, body: object = None, *, token: str = ADMIN_TOKEN) -> requests.Response:
        """Call the API; `path` is below `/api/v1`."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=60)

    def get(self, path: str) -> Any:
        """Return the JSON of a GET of the API that must succeed."""
        response = self.api("GET", path)
        assert response.status_code == 200, (path, response.status_code, response.text)
        return response.json()

    def act(self, incident: str, what: str, **body: object) -> Any:
        """Do something to an incident through the API; return what it answered."""
        response = self.api("POST", f"/incidents/{incident}/{what}", body)
        assert response.status_code == 200, (what, response.status_code, response.text)
        return response.json()

    def incidents(self, query: str = "") -> list[dict[str, Any]]:
        """Return the incidents of the API, newest first."""
        found: list[dict[str, Any]] = self.get(f"/incidents{query}")["incidents"]
        return found

    def only_incident(self, *, timeout: float = 60.0) -> dict[str, Any]:
        """Wait for an incident and return it; there must be just one."""
        found = eventually(self.incidents, timeout=timeout, what="an incident")
        assert len(found) == 1, found
        return found[0]

    def timeline(self, incident: str, *kinds: str) -> list[dict[str, Any]]:
        """Return the entries of a timeline, of these kinds if any are named."""
        entries = self.get(f"/incidents/{incident}/timeline")["entries"]
        return [entry for entry in entries if not kinds or entry["kind"] in kinds]

    def reload(self) -> requests.Response:
        """Ask for a reload of the rules."""
        return requests.post(f"{self.url}/-/reload", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}, timeout=60)

    def exposition(self) -> str:
        """Return the text of /metrics."""
        response = requests.get(f"{self.url}/metrics", timeout=60)
        assert response.status_code == 200, response.text
        return response.text

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of a metric that have these labels; fails when there is none."""
        samples = [
            value for name_, its, value in samples_of(self.exposition()) if name_ == name and its | labels == its
        ]
        assert samples, f"/metrics has no {name} with {labels}"
        return sum(samples)

    def balance(self) -> dict[str, float]:
        """Return the sides of promise 2, read in one scrape."""
        wanted = {"tocsin_events_received_total": "received", "tocsin_intake_pending": "pending"}
        found = {}
        for name, labels, value in samples_of(self.exposition()):
            if name in wanted:
                found[wanted[name]] = value
            elif name == "tocsin_events_total":
                found[labels["outcome"]] = value
        return found

    def settled(self, *, timeout: float = 60.0) -> dict[str, float]:
        """Wait until nothing is pending, and return the counters, which must balance."""

        def nothing_pending() -> dict[str, float] | None:
            found = self.balance()
            return found if found["pending"] == 0 else None

        found = eventually(nothing_pending, timeout=timeout, what="an empty backlog")
        assert found["received"] == found["processed"] + found["duplicate"] + found["quarantined"], found
        return found


class Serving:
    """A running `tocsin serve`."""

    def __init__(self, installation: Installation, program: Program) -> None:
        self.installation = installation
        self.program = program

    def wait_ready(self, timeout: float = READY_WITHIN) -> None:
        self.installation.wait_ready(self.program, timeout)

    def running(self, part: str) -> list[int]:
        """Return the processes of a part: `store`, `receiver`, `decide`, `pages`, or `granian worker`."""
        parent = self.program.pid
        if part == "granian worker":
            parent = next(iter(self.running("receiver")), 0)
        every = self.program.children().items()
        return [pid for pid, line in every if parent_of(pid) == parent and PARTS[part].search(line)]

    def child(self, part: str) -> int:
        """Return the process id of a child, of the active one for `decide`; waits until it runs."""
        if part == "decide":
            return eventually(self._active_decider, what="an active decider")
        return eventually(lambda: next(iter(self.running(part)), 0), what=f"the child {part}")

    def _active_decider(self) -> int:
        link = self.installation.link()
        try:
            lease = (link.one("GET", keys.lease()) or b"").decode()
        finally:
            link.drop()
        return int(lease.split("|")[1]) if lease else 0

    def kill_child(self, part: str) -> int:
        """Kill a child and return the process id that it had."""
        pid = self.child(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    def new_child(self, part: str, old: int, *, timeout: float = 60.0) -> int:
        """Wait until a child that was killed has been replaced, and return who is there now."""

        def replaced() -> int:
            pid = self.child(part)
            return pid if pid != old and is_alive(pid) and not is_alive(old) else 0

        return eventually(replaced, timeout=timeout, what=f"a new {part}")

    def stop(self, timeout: float = 60.0) -> None:
        """End it with SIGTERM; it must exit with 0 and leave nothing behind."""
        code = self.program.terminate(timeout)
        assert code == 0, f"serve ended with {code}"
        self.installation.programs.nothing_left()


PARTS = {
    "store": re.compile(r"valkey-server"),
    "receiver": re.compile(r"-m tocsin receiver"),
    "decide": re.compile(r"-m tocsin worker decide"),
    "pages": re.compile(r"-m tocsin worker pages"),
    "granian worker": re.compile(r"^(?!.*resource_tracker)"),
}
