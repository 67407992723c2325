"""Runs wrk with prepared webhooks, and reads what it measured."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import workload

SCRIPT = Path(__file__).parent / "flip.lua"
THREADS = 2
FIRST_INSTANT = 1_700_000_000  # the alerts begin in the past, each run later than the ones before
RUN_APART = 100_000  # seconds; more passes than any run makes


class WrkMissing(Exception):
    """The load generator is not installed."""

    def __init__(self) -> None:
        super().__init__("wrk is not installed, and the bench loads with it; on Debian: apt-get install wrk")


class Load(NamedTuple):
    """What wrk measured: requests in so many seconds, the times to their answers, and those that failed."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    status_errors: int
    socket_errors: int


def ensure_wrk() -> None:
    """Raise `WrkMissing` unless wrk is there."""
    if shutil.which("wrk") is None:
        raise WrkMissing


class Flip:
    """Loads with the same alerts firing and resolved in turn, so many in a webhook."""

    def __init__(self, directory: Path, per_webhook: int) -> None:
        self.per_webhook = per_webhook
        self._file = directory / f"bodies-{per_webhook}.txt"
        self._file.write_text("".join(f"{one}\n{two}\n" for one, two in workload.flip_bodies(per_webhook)))
        self._runs = 0

    def run(self, url: str, token: str, *, seconds: float, connections: int) -> Load:
        """Load an address for so long; every request must be answered 2xx."""
        base = FIRST_INSTANT + self._runs * RUN_APART
        self._runs += 1
        command = ["wrk", "-t", str(THREADS), "-c", str(connections), "-d", f"{seconds:.0f}s", "--timeout", "10s"]
        command += ["-s", str(SCRIPT), url, "--", str(self._file), token, str(base)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
        line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), "")
        if not line:
            raise RuntimeError(f"wrk ended with {done.returncode}: {done.stdout}{done.stderr}")
        return Load(**json.loads(line.removeprefix("RESULT ")))
