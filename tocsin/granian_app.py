"""Runs the receiver's WSGI application on granian, so that none of its processes outlives the one that started it.

granian's processes share the port by SO_REUSEPORT and outlive their parent by default; a second server would then
answer beside the first without an error.
"""

import logging
import os
import resource
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from tocsin.garbage import look_seldom
from tocsin.logs import configure_logs
from tocsin.ports import ensure_free
from tocsin.processes import die_with_spawner
from tocsin.settings import Durability, Listen, Settings

BACKLOG = 2048
# Also ends idle keep-alive connections; a sender that drips its headers holds a connection, but no thread.
AT_END = "at_end"  # the extension of an application that is called when its process is about to stop
HEADER_TIMEOUT_MS = 10_000
# A head that does not fit (or has more than 100 headers) is refused with 431; the buffer may grow to about twice this.
HEADER_BUFFER = 64 * 1024
MOST_FILES = 65_536
STOP_SECONDS = 4
SLOW_STOP = f"a process took more than {STOP_SECONDS} s to stop and was ended; who got no answer will send again"
THREADS = 4
THREADS_FSYNC = 16  # fsyncs are shared by those who wait for them
# Added to that of whoever starts us. Intake is cheaper than deciding: with too little CPU for both it would let the
# decider starve and a backlog grow. It still gets whatever the others leave. Threads that start later have it too.
NICENESS = 10


class OurWords(logging.Filter):
    """Keeps granian's advice to have fewer threads out of the log: all but a few of ours wait for news to stream.

    A process that was ended because a stop took it too long is told of with what that means: nothing is lost.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is to be logged."""
        text = record.getMessage()
        if text.startswith("Killing worker-"):
            record.msg, record.args = SLOW_STOP, None
        return "Python threads, which seems" not in text


# granian configures logging anew in each process: its lines go the way of ours.
_GRANIAN_LOGS = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "filters": {"words": {"()": OurWords}},
    "loggers": {"_granian": {"propagate": True, "filters": ["words"]}, "granian.access": {"propagate": True}},
}

AppLoader = Callable[[], Any]


def run_receiver(
    app_loader: AppLoader,
    listen: Listen,
    *,
    workers: int = 2,
    blocking_threads: int = 1,
    process: str = "receiver",
    output: str | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT and return 0; raises PortUnusable.

    `app_loader` is called once in each of the `workers` processes and returns the WSGI application; it is a function of
    a module, or a `functools.partial` of one with plain arguments, so that it can be sent to another process.
    `output` is how it logs, as in `configure_logs`.
    """
    ensure_free(listen)
    _allow_connections()
    server = Server(
        target="tocsin receiver",
        address=listen.host or "0.0.0.0",  # noqa: S104 - asked for
        port=listen.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=blocking_threads,
        http=HTTPModes.http1,
        backlog=BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=HEADER_BUFFER),
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=_GRANIAN_LOGS,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    configure_logs(process, output=output)
    server.serve(target_loader=partial(_load, app_loader, process, output), wrap_loader=False)
    return 0


def threads(settings: Settings) -> int:
    """Return how many requests one receiver process answers at a time."""
    return THREADS_FSYNC if settings.durability is Durability.FSYNC else THREADS


def _allow_connections() -> None:
    """Raise the soft limit of open files as far as we may: the usual 1024 would be the limit of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _load(app_loader: AppLoader, process: str, output: str | None) -> Any:  # noqa: ANN401 - a WSGI application
    """Load the application in a process of granian's."""
    die_with_spawner()
    # Who is told to stop before it answers ends at once: the handlers of the process that forked it do nothing here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    configure_logs(process, output=output)
    app = app_loader()
    look_seldom()
    # Only now: beside a busy machine a nice process would need minutes to load what it is to answer with.
    os.nice(NICENESS)
    end = getattr(app, "extensions", {}).get(AT_END)
    if end is not None:
        _call_on_signal(end)
    return app


def _call_on_signal(act: Callable[[], None]) -> None:
    """Call something in a thread of its own when a signal ends this process; granian's own handler goes on."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def wait() -> None:
        while int.from_bytes(os.read(reading, 1)) not in {signal.SIGTERM, signal.SIGINT}:
            pass
        act()

    threading.Thread(target=wait, name="ending", daemon=True).start()
