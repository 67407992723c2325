"""Alertmanager's webhook body (version "4") to alerts. Pure; raises nothing but `BadPayload`.

A well-formed body is decoded in one typed pass. Only when that fails, or something is over its bound, is it read again
alert by alert, so that one bad alert does not spoil its batch. The status of the group is never looked at: after
`max_alerts` it says nothing.
"""

import re

import msgspec

from incidents.alert import Alert
from incidents.store.intake import Refused
from receiver.payloads.json_text import checked, least_alerts, malformed, mended, refuse_flood
from receiver.payloads.parsed import BadPayload, Parsed
from receiver.payloads.wire import Bounded, Unfit, alert_of, plain, refusal, text_of, wire_of

MAX_RECEIVER = 256
BARE_ARRAY_HINT = "Alertmanager posts an object with a list `alerts`."


class _Body(msgspec.Struct):
    alerts: list[Bounded]
    truncatedAlerts: int = 0  # noqa: N815
    receiver: str = ""


class _Pieces(msgspec.Struct):
    """The same body when something in it is not as it should be."""

    alerts: msgspec.Raw = msgspec.Raw(b"null")
    truncatedAlerts: msgspec.Raw = msgspec.Raw(b"0")  # noqa: N815
    receiver: msgspec.Raw = msgspec.Raw(b'""')


class Pieces(msgspec.Struct):
    """A body of which the alerts are still to be read, one by one."""

    alerts: list[msgspec.Raw]
    truncated: int
    receiver: str


_QUOTED = re.compile(r"\\(.)", re.DOTALL)
_decode_body = msgspec.json.Decoder(_Body).decode
_decode_pieces = msgspec.json.Decoder(_Pieces).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def parse(body: bytes) -> Parsed:
    """Return the alerts of one webhook, and those that cannot be taken; raises `BadPayload` when there is neither."""
    text = checked(body)
    refuse_flood(least_alerts(text))
    try:
        decoded = _decode_body(text)
    except (msgspec.DecodeError, RecursionError):
        return _parse_pieces(pieces_of(body, text))
    alerts: list[Alert] = []
    refused: list[Refused] = []
    for index, wire in enumerate(decoded.alerts):
        try:
            alerts.append(alert_of(wire, bounded=True))
        except Unfit as reason:
            refused.append(refusal(f"/alerts/{index}", reason, msgspec.json.encode(wire)))
    return Parsed(alerts, refused, max(decoded.truncatedAlerts, 0), receiver_of(decoded.receiver))


def _parse_pieces(pieces: Pieces) -> Parsed:
    alerts: list[Alert] = []
    refused: list[Refused] = []
    for index, raw in enumerate(pieces.alerts):
        try:
            alerts.append(alert_of(wire_of(raw), bounded=False))
        except Unfit as reason:
            refused.append(refusal(f"/alerts/{index}", reason, bytes(raw)))
    return Parsed(alerts, refused, pieces.truncated, pieces.receiver)


def pieces_of(body: bytes, text: bytes) -> Pieces:
    """Return the parts of a body (`text`: as `checked` gave it); raises `BadPayload` when it has no list of alerts."""
    text = mended(text)
    try:
        pieces = _decode_pieces(text)
        raws = _decode_list(pieces.alerts)
    except msgspec.ValidationError as error:
        raise _misshapen(text, error) from None
    except RecursionError:
        raise BadPayload("The body is nested too deeply.") from None
    except msgspec.DecodeError as error:
        raise malformed(body, text, error) from None
    refuse_flood(len(raws))
    return Pieces(raws, _count(pieces.truncatedAlerts), receiver_of(_text(pieces.receiver)))


def receiver_of(quoted: str) -> str:
    """Return a receiver's name as the configuration has it: it is sent quoted, for use in a regular expression."""
    return _QUOTED.sub(r"\1", quoted[:MAX_RECEIVER])


def _misshapen(text: bytes, error: msgspec.ValidationError) -> BadPayload:
    first = text.lstrip()[:1]
    if first != b"{":
        return BadPayload(f"The body must be an object: {plain(error)}.", hint=BARE_ARRAY_HINT)
    return BadPayload(f"`alerts` must be a list of alerts: {plain(error)}.", "/alerts", hint=BARE_ARRAY_HINT)


def _text(raw: msgspec.Raw) -> str:
    try:
        return text_of(_decode_any(raw))
    except (msgspec.DecodeError, RecursionError):
        return ""


def _count(raw: msgspec.Raw) -> int:
    try:
        value = _decode_any(raw)
    except (msgspec.DecodeError, RecursionError):
        return 0
    return value if isinstance(value, int) and 0 < value < 2**31 else 0
