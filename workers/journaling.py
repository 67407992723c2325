"""Writes the journal: what the decider decided, with the events themselves, from the store onto the disk.

It goes its own way beside the decider: events wait in the store until they are on the disk, so that its death or a full
disk costs time and no event. One process writes at a time, under a lease of the store and the lock of the directory.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from incidents import keys
from incidents.errors import StoreUnavailable
from incidents.journal.lines import decode_decided
from incidents.journal.members import entry_id
from incidents.journal.writer import Chunk, JournalBusy, JournalStuck, Writer
from incidents.store.connection import Command, Link, checked
from incidents.store.journal import advance, hold, release, standing, tell_error
from workers.journal_lines import Batch, lines_of, range_commands

LOG = structlog.get_logger()

NICENESS = 5  # the way of an alert goes first
FLUSH_SECONDS = 1.0
FLUSH_BYTES = 1024 * 1024
LOOK_SECONDS = 0.2  # between two looks: woken by each decision it would take a core from the page that this asks for
BATCHES = 50  # read at a time
LINES = 4000  # fetched at a time
PAUSE_SECONDS = 2.0
PRUNE_SECONDS = 3600.0
SKIPPED_TOLD = "the events of a decision were gone before the journal came to them"


class Journaling(threading.Thread):
    """Writes the journal in the background, until stopped."""

    def __init__(
        self,
        *,
        url: str,
        owner: str,
        directory: Path,
        keep: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(name="journal", daemon=True)
        self._link = Link(url)
        self._owner = owner
        self._directory = directory
        self._keep = keep
        self._now = now
        self._stopped = threading.Event()
        self._writer: Writer | None = None
        self._drops = 0
        self._read_up_to = "0-0"
        self._chunk = Chunk()
        self._gone = 0
        self._done_entry = "0-0"
        self._flush_at = self._prune_at = 0.0
        self._told = ""

    def run(self) -> None:
        """Write until stopped; whatever goes wrong is tried again."""
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._stopped.is_set():
            self.step()
        self._end()

    def stop(self, timeout: float = 3.0) -> None:
        """Write what was read, and end."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout)

    def step(self) -> None:
        """Write what there is, or wait a little for it."""
        try:
            if self._writer is None and not self._open():
                self._stopped.wait(PAUSE_SECONDS)
                return
            self._read()
            if self._chunk.lines and (time.monotonic() >= self._flush_at or self._chunk.size >= FLUSH_BYTES):
                self.flush()
            self._prune()
        except StoreUnavailable as error:
            LOG.warning("store_away", error=str(error))
            self._begin_anew()
            self._stopped.wait(PAUSE_SECONDS / 4)
        except JournalStuck as error:
            self._tell(str(error))
            self._begin_anew()
            self._stopped.wait(PAUSE_SECONDS)

    def flush(self) -> None:
        """Write what was read onto the disk, then tell the store; raises `JournalStuck` and `StoreUnavailable`."""
        if self._writer is None or not self._chunk.lines:
            return
        self._chunk.position = entry_id(self._read_up_to)
        self._writer.append(self._chunk)
        lines, gone = len(self._chunk.lines), self._gone
        done, position = self._done_entry, self._read_up_to
        self._begin_chunk()
        self._told = ""
        if not self._advance(position, lines=lines, gone=gone, done_entry=done):
            LOG.warning("journal_written_by_another")
            self._close()

    def _open(self) -> bool:
        """Become the one writer, and go on after what is on the disk; False while another writes."""
        if not hold(self._link, self._owner):
            return False
        try:
            writer = Writer(self._directory)
        except JournalBusy as error:
            LOG.info("journal_busy", reason=str(error))
            release(self._link, self._owner)
            return False
        self._writer = writer
        known = standing(self._link)
        self._drops = known.drops
        behind = entry_id(known.position)
        if writer.position > behind:  # whoever wrote it had no time to tell
            lines = writer.lines_after(known.position)
            self._advance(str(writer.position), lines=lines, gone=0, done_entry="0-0")
        self._read_up_to = str(max(writer.position, behind))
        self._begin_chunk()
        return True

    def _advance(self, position: str, *, lines: int, gone: int, done_entry: str) -> bool:
        return advance(
            self._link,
            self._owner,
            position,
            lines=lines,
            gone=gone,
            drops=self._drops,
            done_entry=done_entry,
            now=self._now(),
        )

    def _read(self) -> None:
        """Read some decisions and the events that they are about."""
        if not hold(self._link, self._owner):
            self._close()
            return
        drops, streams = checked(
            self._link.ask(
                [
                    ("HGET", keys.journal(), "drops"),
                    ("XREAD", "COUNT", BATCHES, "STREAMS", keys.decisions(), self._read_up_to),
                ]
            )
        )
        if int(drops or 0) != self._drops:  # what was read before is counted as missed, and written all the same
            self.flush()
            self._drops = int(drops)
        batches = [_batch(raw) for raw in streams[0][1]] if streams else []
        is_backlog = len(batches) == BATCHES
        while batches:
            some = _some(batches)
            self._take(some, self._fetch(some))
            del batches[: len(some)]
            if self._chunk.size >= FLUSH_BYTES:
                self.flush()
                if self._writer is None:
                    return
        if not is_backlog:
            self._stopped.wait(LOOK_SECONDS)

    def _fetch(self, batches: Sequence[Batch]) -> list[list[Any]]:
        """Return the entries of the intake's stream for each of some batches."""
        commands: list[Command] = []
        counts = []
        for batch in batches:
            asked = range_commands(batch.decided)
            counts.append(len(asked))
            commands += asked
        replies = iter(checked(self._link.ask(commands)) if commands else ())
        return [[raw for _ in range(count) for raw in next(replies)] for count in counts]

    def _take(self, batches: Sequence[Batch], entries: Sequence[list[Any]]) -> None:
        if not self._chunk.lines:
            self._flush_at = time.monotonic() + FLUSH_SECONDS
        for batch, raws in zip(batches, entries, strict=True):
            lines = lines_of(batch, raws)
            for line in lines:
                self._chunk.add(*line)
            self._gone += max(batch.decided.lines - len(lines), 0)
            self._read_up_to = batch.id
            self._done_entry = batch.decided.end.partition("|")[0]
        if self._gone:
            LOG.error("journal_missed_events", events=self._gone, why=SKIPPED_TOLD)

    def _prune(self) -> None:
        if self._writer is None or time.monotonic() < self._prune_at:
            return
        self._prune_at = time.monotonic() + PRUNE_SECONDS
        try:
            gone = self._writer.prune(self._now(), self._keep)
        except OSError as error:
            raise JournalStuck(f"old files of the journal cannot be removed: {error.strerror}") from error
        if gone:
            LOG.info("journal_pruned", days=[day.isoformat() for day in gone])

    def _begin_chunk(self) -> None:
        self._chunk, self._gone = Chunk(), 0

    def _begin_anew(self) -> None:
        """Forget what was read and is not on the disk: it is still in the store."""
        self._link.drop()
        self._begin_chunk()
        if self._writer is not None:
            self._close()

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _tell(self, error: str) -> None:
        if error != self._told:
            LOG.error("journal_stuck", error=error)
            self._told = error
        with contextlib.suppress(StoreUnavailable):
            tell_error(self._link, error)

    def _end(self) -> None:
        try:
            self.flush()
        except (StoreUnavailable, JournalStuck) as error:
            LOG.warning("journal_not_flushed", error=str(error))
        self._close()
        with contextlib.suppress(StoreUnavailable):
            release(self._link, self._owner)
        self._link.drop()


def _batch(raw: list[Any]) -> Batch:
    fields = dict(zip(raw[1][::2], raw[1][1::2], strict=True))
    return Batch(raw[0].decode(), decode_decided(fields[b"d"]))


def _some(batches: Sequence[Batch]) -> Sequence[Batch]:
    """Return as many of the first batches as are fetched together, one at least."""
    lines = 0
    for count, batch in enumerate(batches, 1):
        lines += batch.decided.lines
        if lines >= LINES:
            return batches[:count]
    return batches
