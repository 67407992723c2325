"""Measures Tocsin as its own commands run it, in one go with two baselines: `make bench`, or `python bench/run.py`.

Everything shares one machine, the load generator included, so ratios travel further than absolute figures.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support"), str(HERE.parent)]

import costs  # noqa: E402
import latency  # noqa: E402
import loadgen  # noqa: E402
import pieces  # noqa: E402
import report  # noqa: E402
import scaling  # noqa: E402
import storm  # noqa: E402
import takeover  # noqa: E402
import throughput  # noqa: E402
from report import Goal, Ratio  # noqa: E402
from systems import percentile, summary  # noqa: E402

STAGES = ("limit", "jobs", "ours", "latency", "takeover", "rules", "storm", "costs", "pieces")
Tell = Callable[[str], None]


class Plan:
    """How much is measured."""

    def __init__(self, directory: Path, *, quick: bool, runs: int) -> None:
        self.directory = directory
        self.runs = 1 if quick else runs
        self.seconds = 2.0 if quick else 5.0
        self.short = 1.0 if quick else 2.0  # of a baseline: what it takes in so long it works off for much longer
        self.incidents = 60 if quick else 200
        self.kills = 2 if quick else 10
        self.alerts = 20_000 if quick else storm.ALERTS

    def run(self, stage: str, tell: Tell) -> Any:
        """Run one stage and return every run of it."""
        runs = {"runs": self.runs, "tell": tell}
        match stage:
            case "limit":
                return throughput.measure_limit(self.directory, seconds=self.short, **runs)
            case "jobs":
                return throughput.measure_jobs(self.directory, seconds=self.short, **runs)
            case "ours":
                return throughput.measure_ours(self.directory, seconds=self.seconds, **runs)
            case "latency":
                return latency.measure(self.directory, incidents=self.incidents, tell=tell)
            case "takeover":
                serve = takeover.measure_serve(self.directory, kills=self.kills, tell=tell)
                apart = takeover.measure_apart(self.directory, kills=max(2, self.kills // 2), tell=tell)
                return {"serve": serve, "apart": apart}
            case "rules":
                tell("matching with 100 and with 10,000 rules")
                matching = scaling.measure_matching()
                return {
                    "matching": matching,
                    "whole": scaling.measure_whole(self.directory, seconds=self.seconds, **runs),
                }
            case "costs" | "pieces":
                return {"costs": costs, "pieces": pieces}[stage].measure(self.directory, tell=tell)
        return storm.measure(self.directory, alerts=self.alerts, tell=tell)


def goals_of(found: dict[str, Any]) -> list[Goal]:
    """Return the figures that have a floor, as far as they were measured."""
    goals: list[Goal] = []
    if ours := found.get("ours"):
        at_50, at_1 = _median(ours["50"]), _median(ours["1"])
        goals += [
            _rate("alerts/s from end to end, 50 a webhook", at_50, 20_000, 46_000),
            _rate("alerts/s from end to end, 1 a webhook", at_1, 2_000, 4_200),
        ]
    if pages := found.get("latency"):
        goals += [
            Goal(name="POST to page, median", value=pages["page_p50_ms"], unit="ms", floor=5.0, aim=2.6),
            Goal(name="POST to page, 99th percentile", value=pages["page_p99_ms"], unit="ms", floor=15.0, aim=4.0),
        ]
    if taken := found.get("takeover"):
        for name, runs, floor in (("under serve", taken["serve"], 0.5), ("with a standby", taken["apart"], 3.0)):
            goals.append(Goal(name=f"taken over {name}, median", value=percentile(runs, 0.5), unit="s", floor=floor))
            goals.append(Goal(name=f"taken over {name}, slowest", value=max(runs), unit="s", floor=floor))
    return goals + _goals_of_rules(found) + _goals_of_storm(found) + _goals_of_pieces(found)


def _goals_of_rules(found: dict[str, Any]) -> list[Goal]:
    goals: list[Goal] = []
    if rules := found.get("rules"):
        for name, part in (("matching", "matching"), ("the whole decider", "whole")):
            cost = rules[part]["cost"] * 100
            goals.append(Goal(name=f"10,000 rules against 100, {name}", value=cost, unit="% more", floor=10.0))
    return goals


def _goals_of_storm(found: dict[str, Any]) -> list[Goal]:
    if not (seen := found.get("storm")):
        return []
    lost = seen["alerts"] - seen["accepted"] + seen["pending"] + seen["quarantined"] + seen["duplicates"]
    second = seen["incidents"] - seen["identities"]
    return [
        Goal(
            name=f"storm of {seen['alerts']:,} alerts, taken in and decided",
            value=seen["seconds"],
            unit="s",
            floor=60.0,
        ),
        Goal(name="storm, alerts lost", value=lost, unit="", floor=0.0),
        Goal(name="storm, incidents beside one per identity", value=abs(second), unit="", floor=0.0),
    ]


def _goals_of_pieces(found: dict[str, Any]) -> list[Goal]:
    return [
        Goal(name=name, value=one["seconds"] * 1e6, unit="µs of CPU", floor=one["floor"] * 1e6)
        for name, one in found.get("pieces", {}).items()
    ]


def _rate(name: str, value: float, floor: float, aim: float) -> Goal:
    return Goal(name=name, value=value, unit="/s", floor=floor, aim=aim, more_is_better=True)


def ratios_of(found: dict[str, Any]) -> list[Ratio]:
    """Return ours against each baseline that was measured."""
    ratios = []
    for stage, name in (("jobs", "a job per webhook"), ("limit", "bare XADD, pipelined")):
        for per_webhook, _ in throughput.SHAPES:
            if "ours" in found and stage in found:
                ours, base = (_median(found[which][str(per_webhook)]) for which in ("ours", stage))
                ratios.append(Ratio(name=f"{name}, {per_webhook} a webhook", ours=ours, baseline=base))
    return ratios


def _median(runs: list[dict[str, Any]]) -> float:
    return float(summary([run["alerts_per_second"] for run in runs])["median"])


def measure(stages: tuple[str, ...], plan: Plan, console: Console) -> dict[str, Any]:
    """Run the stages one after the other, with a bar that says where we are."""
    found: dict[str, Any] = {}
    columns = (SpinnerColumn(), BarColumn(20), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console) as progress:
        task = progress.add_task("", total=len(stages))
        for stage in stages:
            found[stage] = plan.run(stage, lambda text: progress.update(task, description=text))
            progress.advance(task)
        progress.update(task, description="done")
    return found


def show(console: Console, found: dict[str, Any], goals: list[Goal], ratios: list[Ratio]) -> None:
    """Print the tables."""
    if goals:
        report.print_goals(console, goals)
    if ratios:
        report.print_ratios(console, ratios)
    if steps := found.get("costs"):
        report.print_costs(console, steps)
    if seen := found.get("storm"):
        moments = {"idle": seen["idle"]["rss_mb"], "idle, shared counted once": seen["idle"]["pss_mb"]}
        moments |= {"highest in the storm": seen["highest"], "after it": seen["after"]["rss_mb"]}
        report.print_memory(console, moments)


@click.command()
@click.option("--quick", is_flag=True, help="One short run of each.")
@click.option("--runs", default=3, show_default=True, help="Runs of each throughput; the median counts.")
@click.option("--only", multiple=True, type=click.Choice(STAGES), help="Measure this alone; may be repeated.")
@click.option("--output", type=click.Path(path_type=Path), default=HERE / "results.json", help="File for all runs.")
def main(*, quick: bool, runs: int, only: tuple[str, ...], output: Path) -> None:
    """Measure Tocsin side by side with a job per webhook and with bare appends."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        loadgen.ensure_wrk()
    except loadgen.WrkMissing as error:
        raise SystemExit(f"error: {error}") from None
    stages = tuple(stage for stage in STAGES if not only or stage in only)
    speed = [report.loop_ms()]
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        found = measure(stages, Plan(Path(directory), quick=quick, runs=runs), console)
    speed.append(report.loop_ms())
    goals, ratios = goals_of(found), ratios_of(found)
    show(console, found, goals, ratios)
    options = {"quick": quick, "runs": runs, "stages": list(stages)}
    report.write_json(output, options=options, speed=speed, goals=goals, ratios=ratios, runs=found)
    console.print(f"A fixed piece of Python took {speed[0]} ms before and {speed[1]} ms after; where that differs from")
    console.print("another run, the machine was not equally fast, and only ratios can be held against each other.")
    console.print(f"Every run: {output}")


if __name__ == "__main__":
    main()
