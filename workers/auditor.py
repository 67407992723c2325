"""The auditor: a thread of the page worker that proves every 15 s that nobody is forgotten, and tells the outside.

It mends what it finds missing and counts it. While all is well it pings an address outside, so that silence alarms.
"""

import threading

import structlog

from incidents.errors import StoreUnavailable
from incidents.store.auditing import Audited, all_is_well, audit_steps, claim_audit
from incidents.store.connection import Link
from workers.channels.errors import DeliveryError
from workers.channels.http import HttpClient

EVERY_SECONDS = 15.0

LOG = structlog.get_logger()


class Auditor(threading.Thread):
    """Audits while the process lives; of all processes of an installation one does it at a time."""

    def __init__(
        self, link: Link, *, heartbeat_url: str, client: HttpClient, every_seconds: float = EVERY_SECONDS
    ) -> None:
        super().__init__(name="auditor", daemon=True)
        self._link = link
        self._heartbeat_url = heartbeat_url
        self._client = client
        self._every = every_seconds
        self._stopped = threading.Event()

    def run(self) -> None:
        """Audit until stopped."""
        while not self._stopped.wait(self._every):
            self.look()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def look(self) -> Audited | None:
        """Audit once, unless another process does, and ping; None where nothing was looked at."""
        try:
            if not claim_audit(self._link, self._every):
                return None
            audited = audit_steps(self._link)
            if audited.repaired:
                LOG.error("paging_steps_were_missing", incidents=audited.repaired)
            well = all_is_well(self._link)
        except StoreUnavailable as error:
            LOG.warning("audit_store_away", error=str(error))
            self._link.drop()
            return None
        if well and self._heartbeat_url:
            self._ping()
        return audited

    def _ping(self) -> None:
        """A ping that fails changes nothing here: whoever waits for it notices."""
        try:
            answer = self._client.get(self._heartbeat_url)
        except DeliveryError as error:
            LOG.warning("heartbeat_not_sent", reason=error.reason)
            return
        if not 200 <= answer.status_code < 300:
            LOG.warning("heartbeat_not_taken", answer=answer.status)
