"""What single pieces cost that are on nobody's way from alert to page, or on it once: CPU of this process alone.

Each is repeated and the best counts: what else the machine does makes a piece slower, and never faster.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from builders import ONCALL, rule_set
from page_sink import PageSink

from incidents.clock import utc_now
from incidents.oncall import Channel
from incidents.values import PageReason
from receiver.metrics import RequestMetrics
from rules.check import check
from rules.lint.lint import lint
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.testing.load import load_test_file
from rules.testing.suite import Suite
from workers.channels import Message
from workers.channels.webhook import WebhookSender

REPEATS = 5
COUNTS = 1000
PAGES = 200
TESTS = 100
RULES = 2000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

TESTED = """
rules:
- id: critical
  match: 'severity="critical"'
  tiers:
  - {when: {firing_for: 30m}, declare: SEV1}
  - {when: {firing_for: 5m}, declare: SEV3}
"""
TEST = """
- name: test %d
  events:
  - {at: 0m, firing: {alertname: Disk, severity: critical, service: db}}
  - {at: 1m, firing: {alertname: 'Slow{{ n }}', severity: critical, service: web}, repeat: 20, over: 5m}
  - {at: 30m, acknowledge: {service: db}, by: bo}
  - {at: 40m, resolved: {alertname: Disk, severity: critical, service: db}}
  expect:
  - {at: 4m, no_incidents: true}
  - {at: 3h, incidents: [{identity: {service: db}, status: resolved}, {identity: {service: web}}]}
"""
ALIASES = "a: &a [x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)
HOSTILE = {"an alias bomb": ALIASES, "brackets, half a million deep": "[" * 500_000}


class Piece(NamedTuple):
    """What is measured, and how many seconds of CPU it may cost."""

    work: Callable[[], float]
    floor: float


def measure(directory: Path, *, tell: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Return the seconds of CPU of each piece, beside its floor."""
    pieces = {
        "count a request": Piece(lambda: _count_requests(directory), 10e-6),
        "page over a webhook, signed": Piece(_page, 2e-3),
        f"rules test, {TESTS} tests of hours each": Piece(_rules_test, 2.0),
        f"lint {RULES:,} rules": Piece(_lint, 3.0),
    }
    pieces |= {f"refuse {name}": Piece(partial(_refuse, text), 0.05) for name, text in HOSTILE.items()}
    found = {}
    for name, piece in pieces.items():
        tell(f"what a piece costs: {name}")
        found[name] = {"seconds": min(piece.work() for _ in range(REPEATS)), "floor": piece.floor}
    return found


def _timed(work: Callable[[], Any], times: int = 1) -> float:
    """Return the seconds of CPU of one call; not the time of other threads, which stand in for other sides."""
    began = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - began) / times


def _count_requests(directory: Path) -> float:
    metrics = RequestMetrics(directory, ["prod"])
    metrics.observe("prod", 202, 0.001)
    return _timed(lambda: metrics.observe("prod", 202, 0.001), COUNTS)


def _page() -> float:
    sink = PageSink()
    try:
        channel = Channel(name="amira/1", kind="webhook", options={"url": sink.url, "secret": SECRET})
        sender, message = WebhookSender(channel), _message()
        sender.send(message, utc_now())
        return _timed(lambda: sender.send(message, utc_now()), PAGES)
    finally:
        sink.close()


def _message() -> Message:
    return Message(
        page_id="pg-1",
        dedup_key="tocsin-INC-2026-0001",
        incident={"id": "INC-2026-0001", "title": "Payments stall", "severity": "SEV1", "rule": None},
        person="amira",
        role="incident_commander",
        reason=PageReason.DECLARED,
        text="SEV1 Payments stall",
        acknowledge_url="http://127.0.0.1:9095/a/x",
        incident_url="http://127.0.0.1:9095/incidents/INC-2026-0001",
    )


def _rules_test() -> float:
    compiled = rule_set(TESTED, ONCALL)
    text = "tests:" + "".join(TEST % number for number in range(TESTS))

    def run() -> None:
        file = load_test_file(SourceFile("bench_test.yml", text), utc_now())
        suite = Suite(lambda _: compiled)
        list(suite.run([file]))
        report = suite.report([file])
        if report.count("passed") != TESTS:
            raise AssertionError(report)

    return _timed(run)


def _lint() -> float:
    text = "rules:\n" + "".join(
        f'- {{id: r{place}, match: \'a="b", c=~"x{place}.*"\', when: {{firing_for: {place + 1}s}}, declare: SEV3}}\n'
        for place in range(RULES)
    )
    files = [SourceFile("rules.yml", text)]
    loaded = load_rule_set(files, now=utc_now())
    if loaded.rule_set is None:
        raise AssertionError(loaded.errors[0])
    rules = loaded.rule_set
    return _timed(lambda: lint(files, rules))


def _refuse(text: str) -> float:
    now = utc_now()
    return _timed(lambda: check([SourceFile("rules.yml", text)], now))
