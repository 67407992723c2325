"""Writes the audit log: every change that a caller makes, and every credential that is refused.

Refused credentials are counted in memory and written by a thread of their own, one entry an address and minute, so that
whoever tries many of them fills neither the log nor the store, and never waits for it.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request

from incidents.errors import StoreUnavailable
from incidents.redaction import redact
from incidents.store.audit import Audit, AuditEntry, Outcome
from receiver.payloads.loose import line

log = structlog.get_logger(__name__)

WINDOW = timedelta(minutes=1)
MOST_ADDRESSES = 1000  # that are counted apart at a time
OTHERS = "others"  # stands for the addresses beyond those
REFUSALS = (401, 403)
MAX_PATH = 200
TRAIL = "tocsin.audit"
REFUSED = "refused"  # of the request's own values: whose token may not do what was asked


def request_id() -> str:
    """Return the id of the current request; nobody outside can choose it."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    made: str = g.request_id
    return made


class Change:
    """A change that is being made; `target` may become known only on the way."""

    def __init__(self, target: str) -> None:
        self.target = target


class Trail:
    """What this process writes into the audit log. For many threads. Without a store it only logs."""

    def __init__(self, audit: Audit | None, now: Callable[[], datetime]) -> None:
        self._audit = audit
        self._now = now
        self.refusals = Refusals(self._keep, now)

    @contextmanager
    def change(self, actor: str, action: str, target: str = "") -> Iterator[Change]:
        """Note what is done inside the block; what is refused there changes nothing, and is not noted."""
        change = Change(target)
        outcome = Outcome.DONE
        try:
            yield change
        except StoreUnavailable:
            outcome = Outcome.UNKNOWN
            raise
        except Exception:
            outcome = ""
            raise
        finally:
            if outcome:
                self._changed(actor, action, change.target, outcome)

    def _changed(self, actor: str, action: str, target: str, outcome: str) -> None:
        entry = AuditEntry(
            at=self._now(),
            actor=actor,
            action=action,
            target=target,
            outcome=outcome,
            request_id=request_id(),
            address=address(),
        )
        log.info("audit", **_shown(entry))
        self._keep([entry])

    def _keep(self, entries: list[AuditEntry]) -> bool:
        """Write entries; False when the store is away: then the log of the process is all there is."""
        try:
            if self._audit is not None:
                self._audit.append(entries)
        except StoreUnavailable as error:
            log.warning("the audit log could not be written", entries=len(entries), reason=str(error))
            return False
        return True


class Refusals:
    """Counts refused credentials by address, and writes one entry for each address and minute."""

    def __init__(self, keep: Callable[[list[AuditEntry]], bool], now: Callable[[], datetime]) -> None:
        self._keep = keep
        self._now = now
        self._counted: dict[str, AuditEntry] = {}  # since the last entry of an address
        self._written: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._due = threading.Event()
        self._writer_pid = 0

    def note(self, where: str, who: str, what: str, status: int) -> None:
        """Count a refusal; nothing is written here. `who` is empty where the credential is nobody's."""
        with self._lock:
            known = where in self._counted or where in self._written
            if not known and len(self._counted) + len(self._written) >= MOST_ADDRESSES:
                where = OTHERS
            before = self._counted.get(where)
            self._counted[where] = AuditEntry(
                at=self._now(),
                actor=who,
                action=redact(line(what, MAX_PATH)),
                outcome=f"{Outcome.REFUSED} {status}",
                address=where,
                count=before.count + 1 if before else 1,
            )
            if self._writer_pid != os.getpid():
                self._writer_pid = os.getpid()
                threading.Thread(target=self._write_on, name="audit-refusals", daemon=True).start()
            if where not in self._written:
                self._due.set()

    def write(self) -> None:
        """Write what is due: the first of an address at once, those that follow when its minute is over.

        When it returns, what another thread was writing is written as well.
        """
        with self._writing:
            due = self._take_due()
            for entry in due:
                log.warning("credential_refused", **_shown(entry))
            if due:
                self._keep(due)

    def _take_due(self) -> list[AuditEntry]:
        with self._lock:
            now = self._now()
            self._written = {where: at for where, at in self._written.items() if now - at < WINDOW}
            due = [entry for where, entry in self._counted.items() if where not in self._written]
            for entry in due:
                del self._counted[entry.address]
                self._written[entry.address] = now
            return due

    def _write_on(self) -> None:
        while True:
            self._due.wait(timeout=WINDOW.total_seconds() / 6)
            self._due.clear()
            self.write()


def _shown(entry: AuditEntry) -> dict[str, Any]:
    fields = {name: getattr(entry, name) for name in entry.__struct_fields__ if name not in {"v", "at"}}
    return {name: value for name, value in fields.items() if value != ""}


def address() -> str:
    """Return who connected to us; headers that claim another address are not believed."""
    return str(request.environ.get("REMOTE_ADDR", ""))


def trail() -> Trail:
    """Return the trail of the current application."""
    kept: Trail = current_app.extensions[TRAIL]
    return kept


def note_refused(status: int) -> None:
    """Note a credential that is refused with a status of another protocol: 401 and 403 are noted by themselves."""
    trail().refusals.note(address(), "", f"{request.method} {request.path}", status)


def install(app: Flask, kept: Trail) -> None:
    """Let an application note every credential that it refuses."""
    app.extensions[TRAIL] = kept

    @app.after_request
    def note_refusal(response: Response) -> Response:
        if response.status_code in REFUSALS:
            kept.refusals.note(address(), g.get(REFUSED, ""), f"{request.method} {request.path}", response.status_code)
        return response
