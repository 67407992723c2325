"""Rules tried on what a real Prometheus remembers, from the command line; no server of ours runs."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from programs import Programs, eventually, free_port

pytestmark = pytest.mark.acceptance

RULES = """
people: {amira: {timezone: Europe/Berlin, channels: [{console: {}}]}}
rotations:
  commanders: {handoff: {every: 1w, at: "10:00", starting: 2026-01-05}, order: [amira]}
roles: {incident_commander: {rotation: commanders}}
rules:
- {id: critical, match: 'severity="critical"', when: {firing_for: 15m}, declare: SEV2}
"""
WIDER = RULES + "- {id: warning, match: 'severity=\"warning\"', declare: SEV3}\n"
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=30)


def series(begins: datetime, minutes: int, **labels: str) -> list[str]:
    """Return what Prometheus writes down of an alert that fires for so many minutes, as OpenMetrics.

    Imported samples have no mark at their end, so Prometheus takes each alert to fire five minutes longer.
    """
    named = {"alertstate": "firing", **labels}
    told = ",".join(f'{name}="{value}"' for name, value in named.items())
    return [f"ALERTS{{{told}}} 1 {int(begins.timestamp()) + 60 * minute}" for minute in range(minutes)]


@pytest.fixture
def remembering(programs: Programs) -> str:
    """Start a Prometheus with a month of alerts; return its address."""
    lines = ["# TYPE ALERTS gauge"]
    for day in range(30):
        begins = SINCE + timedelta(days=day, hours=2 if day % 3 else 12)
        lines += series(begins, 20, alertname="Down", severity="critical", service="db")
    lines += series(SINCE + timedelta(days=4), 3, alertname="Blip", severity="critical", service="mail")
    lines += series(SINCE + timedelta(days=5), 60, alertname="Slow", severity="warning", service="web")
    written = programs.directory / "alerts.om"
    written.write_text("\n".join([*lines, "# EOF", ""]))
    data = programs.directory / "data"
    promtool = shutil.which("promtool") or "promtool"
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", written, data], check=True, capture_output=True
    )
    address = f"127.0.0.1:{free_port()}"
    (programs.directory / "prometheus.yml").write_text("")
    options = (
        f"--config.file={programs.directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address={address}",
    )
    programs.start("prometheus", ["prometheus", *options])
    url = f"http://{address}"
    eventually(lambda: requests.get(f"{url}/-/ready", timeout=5).ok, what="Prometheus ready")
    return url


def backtest(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command, over the thirty days."""
    span = ("--since", "30d", "--until", UNTIL.isoformat())
    command = [sys.executable, "-m", "tocsin", "rules", "backtest", *arguments, *span]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120, check=False)


def test_backtest_shows_what_last_month_would_have_been(programs, remembering, tmp_path):
    """A newcomer sees incidents, pages and nights of the month before, compares rules, and holds them to a budget."""
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "wider.yml").write_text(WIDER)
    report = tmp_path / "report.html"
    told = backtest(
        tmp_path, "rules.yml", "--prometheus", remembering, "--against", "wider.yml", "--report", str(report),
        "--output", "json",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    outcome = json.loads(told.stdout)
    assert len(outcome["incidents"]) == 30
    assert {incident["identity"]["service"] for incident in outcome["incidents"]} == {"db"}
    assert outcome["incidents"][0]["declared_at"].startswith("2026-10-02T12:15:00")
    assert (len(outcome["pages"]), outcome["night_pages"]) == (30, 20)
    assert [missed["rule"] for missed in outcome["comparison"]["missed"]] == ["warning"]
    assert outcome["alerts_without_incident"] == 2
    assert report.read_text().count("<circle") == 30

    over = backtest(tmp_path, "rules.yml", "--prometheus", remembering, "--max-night-pages", "19")
    assert over.returncode == 1
    assert "20 pages at night, and the budget is 19" in over.stderr
    assert "30 incidents (30 SEV2)" in over.stdout


def test_backtest_says_what_is_wrong(programs, tmp_path):
    """A Prometheus that is not there, one that is none, rules that do not load, no journal: each in one clear line."""
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "broken.yml").write_text("rules: [{id: x, mach: 1}]")
    nowhere = backtest(tmp_path, "rules.yml", "--prometheus", f"http://127.0.0.1:{free_port()}")
    assert (nowhere.returncode, "cannot be asked for its alerts" in nowhere.stderr) == (1, True)
    broken = backtest(tmp_path, "broken.yml", "--prometheus", "http://127.0.0.1:1")
    assert (broken.returncode, "broken.yml:1:" in broken.stderr) == (2, True)
    bare = backtest(tmp_path, "rules.yml")
    assert (bare.returncode, "there is no journal" in bare.stderr) == (2, True)
    assert not any("Traceback" in each.stderr for each in (nowhere, broken, bare))
