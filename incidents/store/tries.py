"""Tries a change again until nothing came between its WATCH and its EXEC."""

from collections.abc import Callable
from typing import TypeVar

from incidents.errors import StoreConflict, StoreUnavailable, TocsinError
from incidents.store.connection import Link

TRIES = 50
Done = TypeVar("Done")


def until_done(link: Link, attempt: Callable[[], Done | None], what: str) -> Done:
    """Return what an attempt returns that is not None; one that raises leaves nothing watched on the link.

    Raises whatever an attempt raises, and `StoreConflict` after many tries: `what` kept changing.
    """
    for _ in range(TRIES):
        try:
            done = attempt()
        except StoreUnavailable:
            raise
        except TocsinError:
            link.one("UNWATCH")
            raise
        if done is not None:
            return done
    raise StoreConflict(f"{what} kept changing")
