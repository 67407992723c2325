"""`tocsin serve`: everything in one, supervised. It knows the order of things, and leaves what they are to others."""

import signal
import sys
import time
from collections.abc import Callable, Sequence

import msgspec

from incidents.errors import StoreUnavailable, TocsinError
from tocsin.children import Alive, ChildSpec
from tocsin.durability import ensure_durable
from tocsin.embedded import EmbeddedStore
from tocsin.locks import DirectoryLock
from tocsin.logs import get_log
from tocsin.ports import ensure_free, is_answered
from tocsin.redis_urls import store_url
from tocsin.settings import Settings, with_default_credentials
from tocsin.supervisor import Supervisor

STORE_STAGE, WORKER_STAGE, RECEIVER_STAGE = 0, 1, 2

log = get_log(__name__)


class ReceiverNotStarted(TocsinError):
    """The receiver ended before it listened."""


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """What the rest of the application does when something happens here; each gets the URL of the store.

    `prepare` runs once the store answers and before anything else starts (put the rules in force); it may raise
    TocsinError. `on_death(url, name, pid)` runs when a child died and before it is started again; it must return within
    a second. `reload` runs for SIGHUP. `started` runs when everything has been started (print what to do next).
    """

    prepare: Callable[[str], None]
    on_death: Callable[[str, str, int], None]
    reload: Callable[[str], None]
    started: Callable[[str], None] = lambda _: None


def serve(settings: Settings, hooks: Hooks, *, children: Sequence[ChildSpec]) -> int:
    """Run everything until SIGTERM or SIGINT; returns 0. Raises TocsinError or OSError when it cannot start."""
    with DirectoryLock(settings.data_dir, "tocsin serve"):
        ensure_free(settings.listen)
        settings = with_default_credentials(settings)
        url = store_url(settings)
        supervisor = Supervisor(
            on_child_death=lambda name, pid: hooks.on_death(url, name, pid),
            on_reload=lambda: hooks.reload(url),
        )
        with supervisor:
            if settings.redis_url is None:
                supervisor.start([store_spec(EmbeddedStore(settings))])
            if _keeps(settings, url, supervisor):
                hooks.prepare(url)
                supervisor.start(children)
            if not supervisor.is_stopping:
                hooks.started(url)
            supervisor.run()
        log.info("stopped")
    return 0


def _keeps(settings: Settings, url: str, supervisor: Supervisor) -> bool:
    """Wait for the store and see to it that it keeps what it is given; False when we are to stop before it answers."""
    try:
        if not supervisor.is_stopping:
            ensure_durable(settings, url, is_stopping=lambda: supervisor.is_stopping)
    except StoreUnavailable:
        if not supervisor.is_stopping:
            raise
    return not supervisor.is_stopping


def store_spec(store: EmbeddedStore) -> ChildSpec:
    """Return the embedded store as a child."""
    return ChildSpec(
        name="store",
        command=store.command(),
        stage=STORE_STAGE,
        stop_within=5.0,
        # When we are killed it writes out what it has, and then goes.
        death_signal=signal.SIGTERM,
        prepare=store.prepare,
        wait_ready=store.wait_ready,
        hear=store.hear,
    )


def default_children(settings: Settings, output: str | None) -> list[ChildSpec]:
    """Return the processes of Tocsin itself: the same configuration and environment, and logs in the same form."""
    more = [*(("--config", str(settings.config_path)) if settings.config_path else ())]
    more += ("--output", output) if output else ()
    receiver = own_child("receiver", ("receiver", *more), RECEIVER_STAGE)
    return [
        own_child("decide", ("worker", "decide", *more), WORKER_STAGE),
        # A second one stands by: it takes over in a quarter of a second, while starting Python takes twice that.
        own_child("decide-standby", ("worker", "decide", *more), WORKER_STAGE),
        own_child("pages", ("worker", "pages", *more), WORKER_STAGE),
        own_child("facts", ("worker", "facts", *more), WORKER_STAGE),
        msgspec.structs.replace(receiver, wait_ready=_until_answered(settings)),
    ]


def own_child(name: str, arguments: Sequence[str], stage: int) -> ChildSpec:
    """Return a sub-command of ours as a child."""
    command = (sys.executable, "-m", "tocsin", *arguments)
    return ChildSpec(name=name, command=command, stage=stage, stop_within=6.0)


def _until_answered(settings: Settings) -> Callable[[Alive, Alive], bool]:
    """Return what waits until the receiver takes connections."""

    def wait(is_alive: Alive, is_stopping: Alive) -> bool:
        while not is_answered(settings.listen):
            if is_stopping():
                return False
            if not is_alive():
                raise ReceiverNotStarted(
                    f"the receiver ended before it listened on {settings.listen}; see what it said"
                )
            time.sleep(0.02)
        return True

    return wait
