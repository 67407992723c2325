"""From end to end under load: alerts a second from the first webhook until the backlog is empty."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import workload
from baselines import xadd
from installation import SOURCE_TOKEN
from loadgen import Flip
from programs import ROOT, Programs, eventually, free_port
from redis import Redis
from systems import DRAIN_SECONDS, Ours, Store, ours, started

SHAPES = ((50, 8), (1, 16))  # alerts per webhook, connections
WARM_SECONDS = 1.0
DONE = "bench:done"  # of the baseline: how many alerts its jobs have done
JOB_QUEUE = "rq:queue:bench"
Tell = Callable[[str], None]


def measure_ours(
    directory: Path,
    *,
    runs: int,
    seconds: float,
    tell: Tell,
    rules: str | None = None,
    shapes: tuple[tuple[int, int], ...] = SHAPES,
) -> dict[str, list[dict[str, Any]]]:
    """Measure `tocsin serve`; the first short load declares the incidents and is not counted."""
    found: dict[str, list[dict[str, Any]]] = {}
    for per_webhook, connections in shapes:
        with ours(directory / f"ours-{per_webhook}", rules=rules) as system:
            flip = Flip(system.installation.directory, per_webhook)
            for run in range(-1, runs):
                tell(f"ours, {per_webhook} a webhook, run {run + 1} of {runs}")
                long = seconds if run >= 0 else WARM_SECONDS
                result = one_run(system, flip, seconds=long, connections=connections)
                if run >= 0:
                    found.setdefault(str(per_webhook), []).append(result)
    return found


def one_run(system: Ours, flip: Flip, *, seconds: float, connections: int) -> dict[str, Any]:
    """Load once and wait until nothing is pending; every alert that was answered 2xx must have been counted."""
    _, before, settled_before = system.counters.settle()
    cpu_before = system.cpu()
    load = flip.run(system.webhook, system.token, seconds=seconds, connections=connections)
    loaded = time.monotonic()
    at_end, settled_at_end = system.counters.read()
    ended, after, settled = system.counters.settle()
    alerts = after - before
    answered = load.requests * flip.per_webhook
    if load.status_errors or alerts < answered:
        raise AssertionError(f"{load.status_errors} refused; {answered} alerts answered 2xx, {alerts} counted")
    cpu = {part: used - cpu_before[part] for part, used in system.cpu().items()}
    return {
        "alerts_per_second": alerts / (load.seconds + ended - loaded),
        "alerts": alerts,
        "load_seconds": load.seconds,
        "drain_seconds": ended - loaded,
        "done_when_load_stopped": (sum(settled_at_end) - sum(settled_before)) / max(at_end - before, 1),
        "duplicates": (settled[1] - settled_before[1]) / alerts,
        "quarantined": settled[2] - settled_before[2],
        "ack_p50_ms": load.p50_ms,
        "ack_p99_ms": load.p99_ms,
        "cpu_us_per_alert": {part: round(used / alerts * 1e6, 1) for part, used in cpu.items()},
    }


def measure_jobs(directory: Path, *, runs: int, seconds: float, tell: Tell) -> dict[str, list[dict[str, Any]]]:
    """Measure a job per webhook."""
    found: dict[str, list[dict[str, Any]]] = {}
    for per_webhook, connections in SHAPES:
        with started(directory / f"jobs-{per_webhook}") as programs:
            url, redis = _start_jobs(programs)
            flip = Flip(programs.directory, per_webhook)
            for run in range(runs):
                tell(f"a job per webhook, {per_webhook} a webhook, run {run + 1} of {runs}")
                found.setdefault(str(per_webhook), []).append(_one_run_of_jobs(redis, flip, url, seconds, connections))
    return found


def _start_jobs(programs: Programs) -> tuple[str, Redis]:
    store, port = Store(programs), free_port()
    rules = programs.directory / "rules.d"
    rules.mkdir()
    (rules / "rules.yml").write_text(workload.rules())
    env = {"BENCH_STORE": store.url, "BENCH_TOKEN": SOURCE_TOKEN, "BENCH_RULES": str(rules)}
    where = ROOT / "bench" / "baselines"
    programs.start("jobs", [sys.executable, "jobs.py"], env=env, cwd=where)
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "1"]
    programs.start("web", [*granian, "--host", "127.0.0.1", "--port", str(port), "web:app"], env=env, cwd=where)
    url = f"http://127.0.0.1:{port}/webhooks/alertmanager"
    eventually(lambda: requests.post(url, timeout=1).status_code == 401, timeout=20, what="the baseline's receiver")
    return url, Redis.from_url(store.url)


def _one_run_of_jobs(redis: Redis, flip: Flip, url: str, seconds: float, connections: int) -> dict[str, Any]:
    before = int(redis.get(DONE) or 0)
    load = flip.run(url, SOURCE_TOKEN, seconds=seconds, connections=connections)
    loaded = time.monotonic()
    wanted = load.requests * flip.per_webhook
    # The job that was taken last may still be running when the queue is empty: it counts when it is done.
    while redis.llen(JOB_QUEUE) or int(redis.get(DONE) or 0) - before < wanted:
        if time.monotonic() > loaded + DRAIN_SECONDS:
            raise AssertionError("the jobs are not done")
        time.sleep(0.02)
    alerts = int(redis.get(DONE) or 0) - before
    return {
        "alerts_per_second": alerts / (load.seconds + time.monotonic() - loaded),
        "alerts": alerts,
        "load_seconds": load.seconds,
        "drain_seconds": time.monotonic() - loaded,
        "ack_p50_ms": load.p50_ms,
        "ack_p99_ms": load.p99_ms,
    }


def measure_limit(directory: Path, *, runs: int, seconds: float, tell: Tell) -> dict[str, list[dict[str, Any]]]:
    """Measure bare appends, one alert in each and fifty in each."""
    found: dict[str, list[dict[str, Any]]] = {}
    with started(directory / "xadd") as programs:
        store = Store(programs)
        for per_webhook, _ in SHAPES:
            bodies = [one.encode() for one, _ in workload.flip_bodies(per_webhook)][:500]
            for run in range(runs):
                tell(f"bare XADD, {per_webhook} an entry, run {run + 1} of {runs}")
                rate = xadd.run(store.socket, bodies, seconds)
                found.setdefault(str(per_webhook), []).append({"alerts_per_second": rate * per_webhook})
    return found
