"""What was measured, beside its floor and its aim: a table for people, JSON for machines."""

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its floor (it must be as good) and its aim (it should be)."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    aim: float | None = None
    more_is_better: bool = False

    def meets(self, bound: float | None) -> bool | None:
        """Whether the value is as good as a bound; None where there is none."""
        if bound is None:
            return None
        return self.value >= bound if self.more_is_better else self.value <= bound


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """Ours against a baseline, measured in the same go."""

    name: str
    ours: float
    baseline: float

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline


def print_goals(console: Console, goals: list[Goal]) -> None:
    """Print the figures with whether floor and aim are met."""
    table = Table(title="Figures", title_justify="left")
    for name in ("what", "measured", "floor", "aim", "floor met", "aim met"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for goal in goals:
        bounds = [_said(bound, goal.unit) if bound is not None else "-" for bound in (goal.floor, goal.aim)]
        met = [_met(goal.meets(bound)) for bound in (goal.floor, goal.aim)]
        table.add_row(goal.name, _said(goal.value, goal.unit), *bounds, *met)
    console.print(table)


def print_ratios(console: Console, ratios: list[Ratio]) -> None:
    """Print ours against the baselines."""
    table = Table(title="Against the baselines", title_justify="left")
    for name in ("what", "ours, alerts/s", "baseline, alerts/s", "ratio"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for one in ratios:
        table.add_row(one.name, f"{one.ours:,.0f}", f"{one.baseline:,.0f}", f"{one.ratio:.2f}")
    console.print(table)


def print_costs(console: Console, steps: dict[str, float]) -> None:
    """Print the microseconds of each step, those of the store beside our own."""
    table = Table(title="What an alert costs, 50 a webhook (microseconds of CPU)", title_justify="left")
    for name in ("step", "our process", "the store"):
        table.add_column(name, justify="left" if name == "step" else "right")
    for name, microseconds in steps.items():
        if not name.startswith("store, "):
            table.add_row(name, f"{microseconds:.1f}", f"{steps.get(f'store, {name}', 0.0):.1f}")
    console.print(table)


def print_memory(console: Console, memory: dict[str, dict[str, float]]) -> None:
    """Print MB by part, a column for each of several moments."""
    table = Table(title="Memory in MB (resident; what processes share is counted in each)", title_justify="left")
    table.add_column("part")
    for moment in memory:
        table.add_column(moment, justify="right")
    for part in dict.fromkeys(part for values in memory.values() for part in values):
        table.add_row(part, *(f"{values[part]:.0f}" if part in values else "-" for values in memory.values()))
    console.print(table)


def _said(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return f"{number} {unit}".strip()


def _met(met: bool | None) -> str:  # noqa: FBT001 - a verdict
    return "-" if met is None else "yes" if met else "[bold red]no[/]"


def loop_ms() -> float:
    """Return the milliseconds of a fixed piece of Python: shared machines are not always equally fast."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        sum(range(1_000_000))
        times.append((time.perf_counter() - started) * 1000)
    return round(min(times), 2)


def write_json(
    path: Path, *, options: dict[str, Any], speed: list[float], goals: list[Goal], ratios: list[Ratio], runs: Any
) -> None:
    """Write everything that was measured, each run of it."""
    content = {
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "loop_ms_before_and_after": speed,
        },
        "options": options,
        "goals": [
            msgspec.to_builtins(goal) | {"floor_met": goal.meets(goal.floor), "aim_met": goal.meets(goal.aim)}
            for goal in goals
        ],
        "ratios": [msgspec.to_builtins(one) | {"ratio": one.ratio} for one in ratios],
        "runs": runs,
    }
    path.write_text(json.dumps(content, indent=2) + "\n")
