"""What is measured: the whole of Tocsin as its own commands run it, a store alone, and a page sink."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import workload
from installation import PARTS, SOURCE, SOURCE_TOKEN, Installation, Serving
from processes import cpu_seconds, family_of, pss_mb, rss_mb
from programs import ROOT, Program, Programs, eventually

from incidents import keys
from incidents.measures import Measures
from incidents.store.connection import Link
from tocsin.config_file import load_settings
from tocsin.embedded import EmbeddedStore

MEASURED = ("store", "receiver", "decide", "pages")
SETTLED_POLL = 0.01
STOP_SECONDS = 20.0
DRAIN_SECONDS = 120.0

RECEIVED = Measures.EVENTS_RECEIVED.field()
OUTCOMES = tuple(Measures.EVENTS.field(outcome) for outcome in ("processed", "duplicate", "quarantined"))


class Sink:
    """The page sink as a process; `log` has a JSON line a page."""

    def __init__(self, programs: Programs) -> None:
        self.log = programs.directory / "pages.jsonl"
        script = str(ROOT / "tests/support/page_sink.py")
        program = programs.start("page-sink", [sys.executable, script, "--log", str(self.log)])
        self.url = eventually(lambda: program.text().strip(), what="the page sink")


class Counters:
    """Reads the counters of promise 2 straight from the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def read(self) -> tuple[int, list[int]]:
        """Return how many events were received, and how many were processed, duplicate and quarantined."""
        values = self._link.one("HMGET", keys.counters(), RECEIVED, *OUTCOMES)
        received, *settled = (int(value or 0) for value in values)
        return received, settled

    def alerts(self) -> int:
        """Return how many alerts were accepted; events are more, for a page that was delivered is one too."""
        fields = [Measures.ALERTS_RECEIVED.field(SOURCE, status) for status in ("firing", "resolved")]
        return sum(int(value or 0) for value in self._link.one("HMGET", keys.counters(), *fields))

    def settle(self, timeout: float = DRAIN_SECONDS) -> tuple[float, int, list[int]]:
        """Wait until nothing is pending; return when that was seen, and the counters, which balance then."""
        deadline = time.monotonic() + timeout
        while True:
            received, settled = self.read()
            if received == sum(settled):
                return time.monotonic(), received, settled
            if time.monotonic() > deadline:
                raise AssertionError(f"still {received - sum(settled)} events pending after {timeout:g} s")
            time.sleep(SETTLED_POLL)


class Ours:
    """A running `tocsin serve` with its sink."""

    def __init__(self, installation: Installation, serving: Serving, sink: Sink) -> None:
        self.installation = installation
        self.serving = serving
        self.sink = sink
        self.link = installation.link()
        self.counters = Counters(self.link)
        self.token = SOURCE_TOKEN
        self.webhook = installation.webhook

    def families(self) -> dict[str, list[int]]:
        """Return the processes of each part, and those of the supervisor alone."""
        own = self.serving.program.children()
        # A set: the processes of the receiver bear the name of their parent, whose family they are.
        found = {
            part: sorted({pid for child, line in own.items() if pattern.search(line) for pid in family_of(child)})
            for part, pattern in PARTS.items()
            if part in MEASURED
        }
        return found | {"supervisor": [self.serving.program.pid]}

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds that each part has used."""
        return {part: cpu_seconds(pids) for part, pids in self.families().items()}

    def rss_of(self, families: dict[str, list[int]]) -> dict[str, float]:
        """Return the resident memory of each part in MB."""
        return {part: round(rss_mb(pids), 1) for part, pids in families.items()}

    def memory(self) -> dict[str, dict[str, float]]:
        """Return the memory of each part and of what the store holds, in MB."""
        families = self.families()
        used = self.store_info()["used_memory"] / 1024 / 1024
        return {
            "rss_mb": self.rss_of(families),
            "pss_mb": {part: round(pss_mb(pids), 1) for part, pids in families.items()},
            "store": {"used_memory_mb": round(used, 1)},
        }

    def store_info(self) -> dict[str, int]:
        """Return what the store tells of its memory, in bytes."""
        lines = self.link.one("INFO", "memory").decode().splitlines()
        fields = dict(line.partition(":")[::2] for line in lines)
        return {name: int(fields[name]) for name in ("used_memory", "used_memory_peak")}


@contextmanager
def ours(directory: Path, *, rules: str | None = None) -> Iterator[Ours]:
    """Run `tocsin serve` in a fresh directory until the block ends; nothing of it is left then."""
    with started(directory) as programs:
        sink = Sink(programs)
        installation = Installation(programs, sink.url)
        installation.write_rules(workload.rules() if rules is None else rules)
        serving = installation.serve()
        yield Ours(installation, serving, sink)
        if code := serving.program.terminate():
            raise AssertionError(f"tocsin serve ended with {code}")


@contextmanager
def started(directory: Path) -> Iterator[Programs]:
    """Give programs that all end with the block."""
    directory.mkdir(parents=True)
    programs = Programs(directory)
    try:
        yield programs
    finally:
        # granian's processes outlive one that is killed, and a store hides from `end`, for it has a title of its own.
        for program in reversed(programs.started):
            program.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                program.process.wait(STOP_SECONDS)
        programs.end()


class Store:
    """The embedded store alone, with the flags that `tocsin serve` gives it."""

    def __init__(self, programs: Programs, name: str = "store") -> None:
        config = programs.directory / f"{name}.yml"
        config.write_text("data_dir: ./data\n")
        store = EmbeddedStore(load_settings(config, {}))
        store.prepare()
        self.program: Program = programs.start(name, store.command())
        self.url = store.url
        self.socket = store.socket
        store.wait_ready(self.program.is_alive)

    def link(self) -> Link:
        """Return a connection to it."""
        return Link(self.url)


def summary(values: list[float]) -> dict[str, Any]:
    """Return the median and the spread of runs."""
    ordered = sorted(values)
    return {"median": ordered[len(ordered) // 2], "min": ordered[0], "max": ordered[-1], "runs": values}


def percentile(values: list[float], share: float) -> float:
    """Return the value that a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
