"""Counting over several processes, some of which are killed."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from receiver.metrics import CODES, RequestMetrics

ROOT = Path(__file__).resolve().parents[2]

COUNTER = """
    import sys, time
    from pathlib import Path
    from receiver.metrics import RequestMetrics
    metrics = RequestMetrics(Path(sys.argv[1]), ["prod"])
    for _ in range(int(sys.argv[2])):
        metrics.observe("prod", 202, 0.004)
    metrics.streams(int(sys.argv[2]))
    print("counted", flush=True)
    time.sleep(60)
"""


def samples(metrics: RequestMetrics) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(metrics)
    lines = generate_latest(registry).decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


def total(metrics: RequestMetrics, source: str = "prod", code: int = 202) -> float:
    return samples(metrics)[f'tocsin_webhooks_total{{code="{code}",source="{source}"}}']


@pytest.fixture
def count_elsewhere(tmp_path):
    """Start a process that counts so many requests; it is killed at the end."""
    started = []

    def start(times: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(COUNTER), str(tmp_path), str(times)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "counted\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_metrics_are_all_there_at_zero(tmp_path):
    """Every source and code from the start, so that a rate is right from the first one."""
    found = samples(RequestMetrics(tmp_path, ["prod"]))
    for source in ("prod", "unknown"):
        for code in CODES:
            assert found[f'tocsin_webhooks_total{{code="{code}",source="{source}"}}'] == 0
    assert found["tocsin_webhook_duration_seconds_count"] == 0


def test_metrics_histogram_is_cumulative(tmp_path):
    """A bound is part of its bucket; the sum is in seconds."""
    metrics = RequestMetrics(tmp_path, ["prod"])
    for seconds in (0.0005, 0.001, 0.3, 99.0):
        metrics.observe("prod", 202, seconds)
    found = samples(metrics)
    assert found['tocsin_webhook_duration_seconds_bucket{le="0.001"}'] == 2
    assert found['tocsin_webhook_duration_seconds_bucket{le="0.5"}'] == 3
    assert found['tocsin_webhook_duration_seconds_bucket{le="+Inf"}'] == 4
    assert found["tocsin_webhook_duration_seconds_count"] == 4
    assert found["tocsin_webhook_duration_seconds_sum"] == pytest.approx(99.3015)


def test_metrics_unlisted_labels_are_bounded(tmp_path):
    """Neither a name nor a code from outside makes a series."""
    metrics = RequestMetrics(tmp_path, ["prod"])
    metrics.observe("made up", 299, 0.1)
    assert total(metrics, "unknown", 500) == 1


def test_metrics_threads_lose_nothing(tmp_path):
    """Counts of many threads add up."""
    metrics = RequestMetrics(tmp_path, ["prod"])

    def work():
        for _ in range(2000):
            metrics.observe("prod", 202, 0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total(metrics) == 8000


def test_metrics_of_all_processes_survive_their_death(tmp_path, count_elsewhere):
    """Counts of killed processes stay, and a new process goes on in the file that a dead one left."""
    first, _second = count_elsewhere(1000), count_elsewhere(500)
    metrics = RequestMetrics(tmp_path, ["prod"])
    assert total(metrics) == 1500
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert total(metrics) == 1500
    count_elsewhere(10)
    assert total(metrics) == 1510
    assert len(list(tmp_path.glob("*.counts"))) == 2


def test_metrics_of_streams_are_those_of_living_processes(tmp_path, count_elsewhere):
    """What a process had open is gone with it, also where the next one goes on in its file."""
    other = count_elsewhere(5)
    metrics = RequestMetrics(tmp_path, ["prod"])
    metrics.streams(3)
    assert samples(metrics)["tocsin_live_streams_open"] == 8
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert samples(metrics)["tocsin_live_streams_open"] == 3
    metrics.streams(0)
    count_elsewhere(2)
    assert samples(metrics)["tocsin_live_streams_open"] == 2


def test_metrics_after_fork_have_a_file_of_their_own(tmp_path):
    """A child that was forked does not count in its parent's file."""
    metrics = RequestMetrics(tmp_path, ["prod"])
    metrics.observe("prod", 202, 0.1)
    child = os.fork()
    if child == 0:
        metrics.observe("prod", 202, 0.1)
        os._exit(0)
    os.waitpid(child, 0)
    assert total(metrics) == 2
    assert len(list(tmp_path.glob("*.counts"))) == 2


def test_metrics_of_other_sources_are_forgotten(tmp_path):
    """With other sources in the configuration the old files go, unless somebody still counts in them."""
    old = RequestMetrics(tmp_path, ["old"])
    old.observe("old", 202, 0.1)
    leftover = tmp_path / "requests-000000000000-0.counts"
    leftover.write_bytes(b"")
    RequestMetrics(tmp_path, ["new"]).observe("new", 202, 0.1)
    assert not leftover.exists()
    assert total(old, "old") == 1
