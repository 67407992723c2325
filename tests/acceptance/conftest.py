"""What the acceptance tests share: real programs in a directory of the test, all of them gone when it ends."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import SOURCE_TOKEN, Installation
from monitoring import Alertmanager, Exporter
from page_sink_fixture import page_sink
from programs import Programs

__all__ = ["page_sink"]

PROGRAMS = pytest.StashKey[Programs]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the logs of all processes to the report of a test that fails."""
    report = yield
    programs = item.stash.get(PROGRAMS, None)
    if programs is not None and report.failed:
        report.sections += [(f"log of {name}", text) for name, text in programs.logs()]
    return report


@pytest.fixture
def programs(request, page_sink) -> Iterator[Programs]:
    """Where programs are started; at the end every one of them is killed, whatever happened."""
    with tempfile.TemporaryDirectory(prefix="tocsin-") as directory:
        programs = Programs(Path(directory))
        request.node.stash[PROGRAMS] = programs
        try:
            yield programs
        finally:
            programs.end()


@pytest.fixture
def tocsin(page_sink, programs) -> Installation:
    """An installation that pages amira and bo at the page sink; nothing runs yet."""
    return Installation(programs, page_sink.url)


@pytest.fixture
def serving(tocsin):
    """The same, with `tocsin serve` running."""
    return tocsin.serve()


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    """A gauge that the test sets, for a Prometheus to scrape."""
    exporter = Exporter()
    try:
        yield exporter
    finally:
        exporter.close()


@pytest.fixture
def alertmanager(tocsin, programs) -> Alertmanager:
    """A real Alertmanager that posts to the installation."""
    return Alertmanager(programs, tocsin.webhook, SOURCE_TOKEN)
