"""Waits until what a store was told is on its disk: with `everysec`, one whose disk stalls runs two seconds ahead."""

from incidents.store.connection import Link, checked

SECONDS = 60.0


def wait_until_on_disk(url: str) -> None:
    """Return once all that the store has taken so far would survive its death."""
    link = Link(url)
    try:
        # WAITAOF waits for the last write of its own connection, before which all others lie.
        _, (synced, _) = checked(link.ask([("INCR", "on-disk"), ("WAITAOF", 1, 0, 0)], timeout=SECONDS))
        assert synced == 1
        link.one("DEL", "on-disk")
    finally:
        link.drop()
