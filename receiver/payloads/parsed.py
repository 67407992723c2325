"""What every payload parser returns and raises."""

from typing import NamedTuple

from incidents.alert import Alert
from incidents.store.intake import Refused


class Parsed(NamedTuple):
    """One webhook's content: `truncated` is how many alerts the sender left out, `receiver` the name it has for us."""

    alerts: list[Alert]
    refused: list[Refused]
    truncated: int
    receiver: str


class BadPayload(Exception):
    """A body that nothing can be made of; `pointer` is the JSON pointer (RFC 6901) to the place, `offset` in bytes."""

    def __init__(self, message: str, pointer: str = "", *, offset: int | None = None, hint: str = "") -> None:
        self.message = message
        self.pointer = pointer
        self.offset = offset
        self.hint = hint
        super().__init__(message)
