"""What is remembered of alerts, as it is stored: read once, for as long as the store answers the same bytes."""

from incidents.alert import AlertState
from incidents.store.codec import decode_state, encode

KEPT_BYTES = 8 * 1024 * 1024  # as stored; in memory it is some three times as much


class States:
    """Reads and writes states; those that it read or wrote last are at hand. One thread uses it.

    It is no copy of the store: what the store answers is compared, byte by byte, and decides.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._kept: dict[str, tuple[bytes, AlertState]] = {}
        self._size = 0

    def decoded(self, name: str, stored: bytes) -> AlertState:
        """Return a state as the store answered it."""
        kept = self._kept.get(name)
        if kept is not None and kept[0] == stored:
            return kept[1]
        state = decode_state(stored)
        self._keep(name, stored, state)
        return state

    def encoded(self, name: str, state: AlertState) -> bytes:
        """Return a state as it is stored."""
        stored = encode(state)
        self._keep(name, stored, state)
        return stored

    def _keep(self, name: str, stored: bytes, state: AlertState) -> None:
        kept = self._kept.get(name)
        self._size += len(stored) - (len(kept[0]) if kept is not None else 0)
        if self._size > self._kept_bytes:
            self._kept.clear()
            self._size = len(stored)
        self._kept[name] = (stored, state)
