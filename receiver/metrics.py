"""Counts what this receiver answered, for all its worker processes together.

Each process counts in a file of its own that it maps into memory; a scrape sums the files. A process that is killed
leaves its file, and the next one goes on counting in it, so that no count ever falls. What a process has open is only
read of those that live.
"""

import bisect
import fcntl
import hashlib
import mmap
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

UNKNOWN = "unknown"  # the source of requests that named none of ours
CODES = (200, 202, 400, 401, 405, 413, 415, 500, 503)
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds
CELL = 8  # bytes; an aligned store of one cell is never seen half done
SLOTS = 256
PREFIX = "requests-"
SUFFIX = ".counts"


class RequestMetrics:
    """The counters of one receiver, kept in `directory`; the sources must be the same in all its processes.

    Any process may collect; one begins to count in a file of its own with its first request.
    """

    def __init__(self, directory: Path, sources: Sequence[str]) -> None:
        self._sources = tuple(sorted({*sources, UNKNOWN}))
        self._row = {name: index * len(CODES) for index, name in enumerate(self._sources)}
        self._column = {code: index for index, code in enumerate(CODES)}
        self._buckets_at = len(self._sources) * len(CODES)
        self._sum_at = self._buckets_at + len(BUCKETS) + 1
        self._streams_at = self._sum_at + 1
        self._cells_count = self._streams_at + 1
        self._directory = directory
        self._prefix = PREFIX + _digest(self._sources) + "-"
        self._lock = threading.Lock()
        self._pid = 0
        self._cells: memoryview[int] | None = None
        self._file = -1
        directory.mkdir(parents=True, exist_ok=True)

    def observe(self, source: str, code: int, seconds: float) -> None:
        """Count one answered webhook; an unlisted code counts as 500, an unlisted source as unknown."""
        cell = self._row.get(source, self._row[UNKNOWN]) + self._column.get(code, self._column[500])
        bucket = self._buckets_at + bisect.bisect_left(BUCKETS, seconds)
        with self._lock:
            cells = self._cells
            if cells is None or self._pid != os.getpid():
                cells = self._claim()
            cells[cell] += 1
            cells[self._sum_at] += int(seconds * 1e6)
            cells[bucket] += 1

    def streams(self, now_open: int) -> None:
        """Say how many streams of pages this process has open."""
        with self._lock:
            cells = self._cells
            if cells is None or self._pid != os.getpid():
                cells = self._claim()
            cells[self._streams_at] = now_open

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families, summed over all processes there were."""
        totals = [0] * self._cells_count
        for path in self._directory.glob(f"{self._prefix}*{SUFFIX}"):
            is_alive = _is_locked(path)
            for index, value in enumerate(_read(path, self._cells_count)):
                totals[index] += value if is_alive or index != self._streams_at else 0
        answered = CounterMetricFamily(
            "tocsin_webhooks",
            "Webhooks answered by this receiver, by source and status code.",
            labels=["source", "code"],
        )
        for name in self._sources:
            for code in CODES:
                answered.add_metric([name, str(code)], totals[self._row[name] + self._column[code]])
        yield answered
        yield self._durations(totals)
        yield GaugeMetricFamily(
            "tocsin_live_streams_open",
            "Pages that this receiver keeps up to date over a stream.",
            value=totals[self._streams_at],
        )

    def _durations(self, totals: Sequence[int]) -> Metric:
        cumulated: list[tuple[str, float]] = []
        count = 0
        for index, bound in enumerate((*BUCKETS, float("inf"))):
            count += totals[self._buckets_at + index]
            cumulated.append(("+Inf" if bound == float("inf") else str(bound), count))
        return HistogramMetricFamily(
            "tocsin_webhook_duration_seconds",
            "Time from the headers of a webhook to its answer, on this receiver.",
            buckets=cumulated,
            sum_value=totals[self._sum_at] / 1e6,
        )

    def _claim(self) -> "memoryview[int]":
        """Take the first file that no living process counts in; the lock on it ends with the process."""
        for slot in range(SLOTS):
            path = self._directory / f"{self._prefix}{slot}{SUFFIX}"
            file = _locked(path)
            if file is None:
                continue
            os.ftruncate(file, self._cells_count * CELL)
            self._file = file
            self._cells = memoryview(mmap.mmap(file, self._cells_count * CELL)).cast("Q")
            self._cells[self._streams_at] = 0  # whoever had them open is dead
            self._pid = os.getpid()
            self._forget_others()
            return self._cells
        raise RuntimeError(f"{SLOTS} processes count in {self._directory} already")

    def _forget_others(self) -> None:
        """Delete the files of other sets of sources that nobody counts in any more."""
        for path in self._directory.glob(f"{PREFIX}*{SUFFIX}"):
            if path.name.startswith(self._prefix):
                continue
            file = _locked(path)
            if file is not None:
                path.unlink(missing_ok=True)
                os.close(file)


def _locked(path: Path) -> int | None:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _is_locked(path: Path) -> bool:
    """Whether a living process counts in a file."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)


def _read(path: Path, cells: int) -> Iterable[int]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    return memoryview(content[: min(len(content) // CELL, cells) * CELL]).cast("Q")


def _digest(sources: Iterable[str]) -> str:
    layout = repr((tuple(sources), CODES, BUCKETS))
    return hashlib.blake2b(layout.encode(), digest_size=6).hexdigest()
