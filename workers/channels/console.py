"""The `console` channel: prints each message where the page worker runs. For the quick start and for trying rules."""

import sys
from datetime import datetime
from typing import TextIO

from incidents.notices import is_notice
from incidents.page_test import is_test
from workers.channels.errors import DeliveryError
from workers.channels.message import Message, MessageType, Receipt

_WIDTH = 78


class ConsoleSender:
    """Prints messages to a stream, standard output unless told otherwise."""

    provider = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: Message, now: datetime) -> Receipt:
        """Print one message in one write, so that blocks of several threads do not mix; raises DeliveryError."""
        stream = self._stream or sys.stdout
        encoding = stream.encoding or "utf-8"
        try:
            stream.write(_block(message, now).encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except (OSError, ValueError) as error:
            raise DeliveryError(f"the console cannot be written to: {error}", permanent=True) from error
        return Receipt(answer="printed")


def _block(message: Message, now: datetime) -> str:
    lines = [_heading(message, now), *message.text.splitlines()]
    lines += _what_to_do(message)
    body = "\n".join(f"| {_printable(line)}" for line in lines)
    return f"\n+{'-' * _WIDTH}\n{body}\n+{'-' * _WIDTH}\n"


def _what_to_do(message: Message) -> list[str]:
    incident = message.incident["id"]
    if is_notice(incident):
        return []
    if is_test(incident):
        return [f"acknowledge: {message.acknowledge_url}"] if message.acknowledge_url else []
    acknowledge = [f"acknowledge: tocsin incidents acknowledge {incident}"] if message.type is MessageType.PAGE else []
    on_the_web = [f"             {message.incident_url}"] if message.incident_url else []
    return [*acknowledge, f"look at it:  tocsin incidents show {incident}", *on_the_web]


def _heading(message: Message, now: datetime) -> str:
    role = f" ({message.role})" if message.role else ""
    at = f"{now:%H:%M:%S} UTC"
    if message.type is MessageType.PAGE_RESOLVED:
        return f"OVER for {message.person}{role}, {at}"
    repeat = ", a repeat" if message.repeat else ""
    return (
        f"PAGE for {message.person}{role}, {at}: {message.reason}, step {message.step}, round {message.round}{repeat}"
    )


def _printable(line: str) -> str:
    """Return a line without control characters: the text of alerts is foreign, and may not command a terminal."""
    return "".join(character if character.isprintable() else " " for character in line)
