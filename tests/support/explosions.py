"""Ends what explodes: an input that is made to take minutes, hours or for ever where something is wrong.

It is no measure of speed, which belongs to the bench: where all is well, seconds at most are used on any machine.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 60.0


@contextmanager
def cut_off_if_it_explodes() -> Iterator[None]:
    """Fail once the block has used a minute of processor time; what the machine does meanwhile does not count."""

    def exploded(*_: object) -> None:
        raise AssertionError(f"it has used {SECONDS:g} s of processor time, and has not ended")

    before = signal.signal(signal.SIGVTALRM, exploded)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
