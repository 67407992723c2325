"""What rules cost that cannot match: the same alerts with 100 rules, and with 10,000 more."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import throughput
import workload

from incidents.clock import utc_now
from rules.index import Matching
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.model import RuleSet

IDLE_RULES = 9_900
ROUNDS = 15
SHAPE = ((50, 8),)


def measure_matching() -> dict[str, Any]:
    """Return the microseconds that matching takes for an alert with 100 rules and with 10,000, in turn."""
    labels = [alert["labels"] for alert in workload.alerts()]
    few, many = Matching(_rule_set(0)), Matching(_rule_set(IDLE_RULES))
    times: dict[str, list[float]] = {"100": [], "10000": []}
    for _ in range(ROUNDS):
        for name, matching in (("100", few), ("10000", many)):
            started = time.perf_counter()
            for one in labels:
                matching.match(one)
            times[name].append((time.perf_counter() - started) / len(labels) * 1e6)
    best = {name: min(values) for name, values in times.items()}
    return {"us_per_alert": best, "cost": best["10000"] / best["100"] - 1}


def _rule_set(idle: int) -> RuleSet:
    loaded = load_rule_set([SourceFile("rules.yml", workload.rules(idle=idle))], now=utc_now())
    if loaded.rule_set is None:
        raise AssertionError(loaded.errors[0])
    return loaded.rule_set


def measure_whole(directory: Path, *, runs: int, seconds: float, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return runs of the whole way with 10,000 rules, 50 alerts a webhook."""
    rules = workload.rules(idle=IDLE_RULES)
    found = throughput.measure_ours(
        directory / "many-rules", runs=runs, seconds=seconds, tell=tell, rules=rules, shapes=SHAPE
    )
    return found["50"]
