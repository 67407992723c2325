"""Whether a store keeps what it is given: looked at before anything is accepted, or done.

It imports as little as it can, for deciders look too, and who takes over from a dead one has half a second.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from incidents import keys
from incidents.clock import utc_now
from incidents.errors import StoreUnavailable, TocsinError
from incidents.store.connection import Links, client_for
from incidents.store.health import Examination, examine
from incidents.store.vitals import clock_ahead
from tocsin.logs import get_log
from tocsin.settings import Settings, without_password

log = get_log(__name__)

CLOCKS_APART = timedelta(seconds=2)


class StoreRefused(TocsinError):
    """The store would forget what it accepted."""


def ensure_durable(
    settings: Settings, url: str, *, patience: float = 10.0, is_stopping: Callable[[], bool] = lambda: False
) -> None:
    """Raise StoreRefused when the store would forget, unless that was allowed; then say it loudly.

    Raises StoreUnavailable when it does not answer within `patience` seconds, or until we are to stop.
    """
    found = _examine(url, settings, patience, is_stopping)
    _refuse_half_restored(url)
    _warn_of_clock(url)
    for warning in found.warnings:
        log.warning("store_not_fully_checked", detail=warning)
    if not found.problems:
        return
    if settings.allow_volatile:
        for problem in found.problems:
            log.warning("STORE_MAY_FORGET", detail=problem, allowed_by="allow_volatile: true")
        return
    listed = "".join(f"\n  - {problem}" for problem in found.problems)
    raise StoreRefused(
        f"the store {without_password(url)} would forget what it accepted:{listed}\n"
        "mend it, or accept the loss with `allow_volatile: true`"
    )


def ensure_durable_if_there(settings: Settings, url: str) -> None:
    """Do the same for a part that may run before its store does: what waits for the store, or ends, is left to it."""
    try:
        ensure_durable(settings, url, patience=0.0)
    except StoreUnavailable as error:
        log.warning("store_away", error=str(error))


def _refuse_half_restored(url: str) -> None:
    with Links(url) as links, links.borrow() as link:
        if link.one("EXISTS", keys.restoring()):
            raise StoreRefused("a restore into this store was broken off: run `tocsin restore FILE --force` again")


def _warn_of_clock(url: str) -> None:
    """Say loudly that the clock of this host is wrong, or that of the store: what waits is judged by it."""
    try:
        with Links(url) as links:
            apart = clock_ahead(links, utc_now())
    except StoreUnavailable:  # a managed one that forbids TIME; one that went away is noticed by whoever needs it
        return
    if abs(apart) > CLOCKS_APART:
        which = "ahead of" if apart > timedelta() else "behind"
        mend = "let NTP or chrony set the clock of every host"
        log.warning("CLOCK_IS_WRONG", detail=f"{abs(apart).total_seconds():.0f} s {which} that of the store", mend=mend)


def _examine(url: str, settings: Settings, patience: float, is_stopping: Callable[[], bool]) -> Examination:
    """Examine the store, which may still be starting."""
    deadline = time.monotonic() + patience
    client = client_for(url)
    try:
        while True:
            try:
                return examine(client, durability=settings.durability.value)
            except StoreUnavailable as error:
                if time.monotonic() >= deadline or is_stopping():
                    raise StoreUnavailable(f"{without_password(url)}: {error}") from error
                log.warning("store_not_there_yet", reason=str(error))
                time.sleep(1.0)
    finally:
        client.close()
