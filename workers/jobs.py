"""The only functions that RQ calls. They carry no data: each says "look now"."""

from workers.runtime import RUNTIME


def decide() -> None:
    """Decide over the stream for a while."""
    RUNTIME.job("decide").linger()


def fetch_facts() -> None:
    """Hold what we know against what our senders know, for a while."""
    RUNTIME.job("facts").linger()


def deliver_pages() -> None:
    """Deliver the pages that are due for a while."""
    RUNTIME.job("pages").linger()
