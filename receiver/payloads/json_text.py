"""The traps of JSON as bytes: encodings, half characters, floods, and where a mistake stands. Pure."""

import re

from receiver.payloads.parsed import BadPayload

BOM = b"\xef\xbb\xbf"
FLOOD_FROM = 1024 * 1024  # bytes; a smaller body cannot hold enough to hurt
MAX_ALERTS = 100_000
MAX_COMMAS_PER_ALERT = 64

# An escaped half of a surrogate pair means no character. Escapes are read from the left, so that `\\ud800` stays text.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_REPLACEMENT = rb"\ufffd"
_OFFSET = re.compile(r" \(byte (\d+)\)$")


def checked(body: bytes) -> bytes:
    """Return the body without a byte order mark; raises `BadPayload` when it is empty or no UTF-8."""
    text = body.removeprefix(BOM)
    if not text:
        raise BadPayload("The body is empty.", offset=len(body))
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            offset = error.start + len(body) - len(text)
            raise BadPayload(f"The body is not UTF-8: byte {offset} begins no character.", offset=offset) from None
    return text


def least_alerts(text: bytes) -> int:
    """Return how many alerts a body holds, roughly and quickly, before anything of it is decoded."""
    if len(text) <= FLOOD_FROM:
        return 0
    # The group has a status of its own. Commas bound what else may stand in the list.
    return max(text.count(b'"status"') - 1, text.count(b",") // MAX_COMMAS_PER_ALERT)


def refuse_flood(alerts: int) -> None:
    """Raise `BadPayload` for more alerts than one delivery may hold: small parts take far more memory than bytes."""
    if alerts > MAX_ALERTS:
        raise BadPayload(f"The body holds more than {MAX_ALERTS} alerts.", "/alerts")


def mended(text: bytes) -> bytes:
    """Return JSON text in which each escaped lone surrogate is the replacement character; offsets stay the same."""
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda match: _REPLACEMENT if match[1] else match[0], text)


def malformed(body: bytes, text: bytes, error: Exception) -> BadPayload:
    """Return the error for text that is no JSON, with the offset in the body as it was sent."""
    message = str(error)
    found = _OFFSET.search(message)
    offset = (int(found[1]) if found else len(text)) + len(body) - len(text)
    reason = "it ends too early" if found is None else message[: found.start()].removeprefix("JSON is malformed: ")
    return BadPayload(f"The body is not JSON: {reason} at byte {offset}.", offset=offset)
