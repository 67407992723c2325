"""How the calendars of rotations were read last, kept beside what was read of them."""

from collections.abc import Collection

import msgspec

from incidents import keys
from incidents.calendars import CalendarStatus
from incidents.store.connection import Links

_ENCODER = msgspec.json.Encoder()
decode_calendar_status = msgspec.json.Decoder(CalendarStatus).decode


class CalendarStates:
    """Keeps how reading went. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def known(self) -> dict[str, CalendarStatus]:
        """Return how each calendar was read last, by its id; raises `StoreUnavailable`."""
        with self._links.borrow() as link:
            flat = link.one("HGETALL", keys.calendars_status())
        return {name.decode(): decode_calendar_status(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}

    def keep(self, name: str, status: CalendarStatus) -> None:
        """Remember how reading a calendar went."""
        with self._links.borrow() as link:
            link.one("HSET", keys.calendars_status(), name, _ENCODER.encode(status))

    def forget_all_but(self, names: Collection[str]) -> None:
        """Forget the calendars that no rotation has any more."""
        with self._links.borrow() as link:
            gone = [name for name in link.one("HKEYS", keys.calendars_status()) if name.decode() not in names]
            if gone:
                link.one("HDEL", keys.calendars_status(), *gone)
