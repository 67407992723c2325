"""Gives commands the store itself: one's own, that of a running `tocsin serve`, or the embedded one for a while."""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from incidents.errors import TocsinError
from incidents.store.health import is_answering
from tocsin.embedded import EmbeddedStore
from tocsin.locks import DirectoryLock
from tocsin.logs import configure_logs
from tocsin.redis_urls import STORE_DIRECTORY, store_url
from tocsin.serve import store_spec
from tocsin.settings import Settings
from tocsin.supervisor import Supervisor


class NoStore(TocsinError):
    """There is no store where one is needed."""


class AtHand(NamedTuple):
    """The URL of a store that answers, and whether somebody asked us to stop."""

    url: str
    is_stopping: Callable[[], bool]


@contextlib.contextmanager
def store_at_hand(settings: Settings, holder: str, *, alone: bool) -> Iterator[AtHand]:
    """Lend the store for as long as the block runs; `alone`: never that of a running `tocsin serve`.

    `holder` names this process to others. Raises `NoStore`, `StoreNotStarted`, what
    `DirectoryLock` raises, and OSError.
    """
    url = store_url(settings)
    if settings.redis_url is not None or (not alone and is_answering(url)):
        yield AtHand(url, lambda: False)
        return
    if not alone and not (settings.data_dir / STORE_DIRECTORY).is_dir():
        raise NoStore(f"there is no store in {settings.data_dir}; which one is meant? see --config and data_dir")
    with DirectoryLock(settings.data_dir, holder), Supervisor() as supervisor:
        configure_logs(holder, stream=sys.stderr, level=logging.WARNING)
        supervisor.start([store_spec(EmbeddedStore(settings))])
        yield AtHand(url, lambda: supervisor.is_stopping)
