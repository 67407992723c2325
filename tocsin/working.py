"""What every worker process is made of: an RQ worker on one queue, a ticker, a name, and what becomes of its claims."""

import os
import secrets
import socket

from rq import Queue
from rq.serializers import JSONSerializer

from incidents.clock import utc_now
from incidents.errors import StoreUnavailable
from incidents.store.connection import Link, client_for
from incidents.store.journal import release as release_journal
from incidents.store.lease import owner_prefix, release_of
from incidents.store.pages import unclaim
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from tocsin.garbage import look_seldom
from workers.runtime import RUNTIME
from workers.ticker import Ticker
from workers.worker import LingeringWorker

WORKER_ANSWER_SECONDS = 30.0  # RQ blocks on its queue for seconds: its connection must wait longer


def work(queue: str, url: str) -> int:
    """Run the RQ worker; one that ends without having been told to has lost its store, and is to be restarted.

    Raises StoreUnavailable where no store answers at the start, before RQ complains of that in its way.
    """
    link = Link(url, scripts=ALL)
    link.one("PING")
    ticker = Ticker(link, Waker(client_for(url)), queue=queue, now=utc_now)
    name = f"{queue}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    client = client_for(url, answer_seconds=WORKER_ANSWER_SECONDS)
    jobs = Queue(queue, connection=client, serializer=JSONSerializer)
    worker = LingeringWorker(jobs, name=name, on_stop=RUNTIME.stop)
    ticker.start()
    look_seldom()
    worker.work(logging_level="WARNING")
    ticker.stop()
    return 0 if worker.asked_to_stop else 1


def new_owner() -> str:
    """Return a name for the leases and claims of this process."""
    return owner_prefix(socket.gethostname(), os.getpid()) + secrets.token_hex(4)


def bury(url: str, pid: int) -> None:
    """Take what a dead worker of this host held, so that the next one need not wait for it to run out."""
    link = Link(url, scripts=ALL)
    try:
        prefix = owner_prefix(socket.gethostname(), pid)
        release_of(link, prefix)
        unclaim(link, prefix, utc_now())
        release_journal(link, prefix)
    except StoreUnavailable:
        return
    finally:
        link.drop()
