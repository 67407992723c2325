"""What rules cost that cannot match: the same alerts with 100 rules, and with 10,000 more."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import throughput
import workload
from loadgen import Flip
from systems import ours, percentile

from incidents.clock import utc_now
from rules.index import Matching
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.model import RuleSet

IDLE_RULES = 9_900
ROUNDS = 15
PER_WEBHOOK, CONNECTIONS = 50, 8


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


def measure_whole(directory: Path, *, runs: int, seconds: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return runs of the whole way with 100 rules and with 10,000, 50 alerts a webhook, the two in turn.

    The cost is that of an alert in the decider: the machine is not equally fast from one run to the next.
    """
    found: dict[str, list[dict[str, Any]]] = {"100": [], "10000": []}
    many = workload.rules(idle=IDLE_RULES)
    with ours(directory / "few-rules") as few_rules, ours(directory / "many-rules", rules=many) as many_rules:
        systems = (("100", few_rules), ("10000", many_rules))
        flips = {name: Flip(system.installation.directory, PER_WEBHOOK) for name, system in systems}
        for run in range(-1, runs):
            for name, system in systems:
                tell(f"{int(name):,} rules, run {run + 1} of {runs}")
                long = seconds if run >= 0 else throughput.WARM_SECONDS
                result = throughput.one_run(system, flips[name], seconds=long, connections=CONNECTIONS)
                if run >= 0:
                    found[name].append(result)
    used = {name: percentile([run["cpu_us_per_alert"]["decide"] for run in runs], 0.5) for name, runs in found.items()}
    return {"runs": found, "us_per_alert": used, "cost": used["10000"] / used["100"] - 1}
