"""The fixture `page_sink`: a conftest imports it, and a page that no assertion claimed fails the test."""

from collections.abc import Iterator

import pytest
from page_sink import PageSink


@pytest.fixture
def page_sink() -> Iterator[PageSink]:
    """A page sink of this test alone."""
    sink = PageSink()
    try:
        yield sink
        sink.assert_all_claimed()
    finally:
        sink.close()
