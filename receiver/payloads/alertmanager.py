"""Alertmanager's webhook body (version "4") to alerts. Pure; raises nothing but `BadPayload`.

A well-formed body is decoded in one typed pass. Only when that fails is it read again alert by alert, so that one bad
alert does not spoil its batch. The status of the group is never looked at: after `max_alerts` it says nothing.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from incidents.alert import Alert, fingerprint_of
from incidents.store.intake import Refused
from incidents.values import AlertStatus
from receiver.payloads import clamps, instants
from receiver.payloads.json_text import checked, least_alerts, malformed, mended, refuse_flood
from receiver.payloads.parsed import BadPayload, Parsed
from receiver.payloads.redaction import redact

MAX_REFUSED_TEXT = 64 * 1024
MAX_GROUP_KEY = 1024
SMALL_BODY = clamps.MAX_LABEL_NAME  # nothing in a body this small can be over a bound
LARGE_LABELS = 16 * 1024  # characters; beyond, the byte-wise fingerprint would take too long

BARE_ARRAY_HINT = "Alertmanager posts an object with a list `alerts`."

_is_fingerprint = re.compile(r"[0-9a-f]{16}", re.ASCII).fullmatch


class _Wire(msgspec.Struct, gc=False):
    """An alert as it should be."""

    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: datetime | None = None  # noqa: N815 - the sender's names
    endsAt: datetime | None = None  # noqa: N815
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""


class _Body(msgspec.Struct):
    alerts: list[_Wire]
    truncatedAlerts: int = 0  # noqa: N815
    groupKey: str = ""  # noqa: N815


class _Pieces(msgspec.Struct):
    """The same body when something in it is not as it should be."""

    alerts: msgspec.Raw = msgspec.Raw(b"null")
    truncatedAlerts: msgspec.Raw = msgspec.Raw(b"0")  # noqa: N815
    groupKey: msgspec.Raw = msgspec.Raw(b'""')  # noqa: N815


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_wire = msgspec.json.Decoder(_Wire).decode
_decode_pieces = msgspec.json.Decoder(_Pieces).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


class _Unfit(Exception):
    """Why one alert cannot be taken; `path` is the JSON pointer inside the alert."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(message)


def parse(body: bytes) -> Parsed:
    """Return the alerts of one webhook, and those that cannot be taken; raises `BadPayload` when there is neither."""
    text = checked(body)
    refuse_flood(least_alerts(text))
    try:
        decoded = _decode_body(text)
    except (msgspec.DecodeError, RecursionError):
        return _parse_pieces(body, text)
    small = len(text) <= SMALL_BODY
    alerts: list[Alert] = []
    refused: list[Refused] = []
    for index, wire in enumerate(decoded.alerts):
        try:
            alerts.append(_alert(wire, small=small))
        except _Unfit as reason:
            refused.append(_refusal(index, reason, msgspec.json.encode(wire)))
    return Parsed(alerts, refused, max(decoded.truncatedAlerts, 0), decoded.groupKey[:MAX_GROUP_KEY])


def _alert(wire: _Wire, *, small: bool) -> Alert:
    labels, annotations, url = wire.labels, wire.annotations, wire.generatorURL
    if "" in labels.values():
        # A label with an empty value is a label that is not there.
        labels = {name: value for name, value in labels.items() if value}
    if not labels:
        raise _Unfit("/labels", "an alert needs at least one label that is not empty")
    fingerprint = wire.fingerprint
    if not _is_fingerprint(fingerprint):
        fingerprint = _fingerprint(fingerprint, labels)
    if not small and clamps.oversized(labels, annotations, url):
        labels, annotations, url = clamps.clamp(labels, annotations, url)
    return Alert(
        fingerprint=fingerprint,
        status=wire.status,
        labels=labels,
        annotations=annotations,
        starts_at=instants.normal(wire.startsAt),
        ends_at=instants.normal(wire.endsAt),
        generator_url=url,
    )


def _fingerprint(given: str, labels: Mapping[str, str]) -> str:
    lowered = given.lower()
    if _is_fingerprint(lowered):
        return lowered
    if sum(map(len, labels)) + sum(map(len, labels.values())) <= LARGE_LABELS:
        return fingerprint_of(labels)
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(labels):
        digest.update(f"{name}\xff{labels[name]}\xff".encode())
    return digest.hexdigest()


def _parse_pieces(body: bytes, text: bytes) -> Parsed:
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
    alerts: list[Alert] = []
    refused: list[Refused] = []
    for index, raw in enumerate(raws):
        try:
            alerts.append(_alert(_wire(raw), small=False))
        except _Unfit as reason:
            refused.append(_refusal(index, reason, bytes(raw)))
    return Parsed(alerts, refused, _count(pieces.truncatedAlerts), _text(pieces.groupKey)[:MAX_GROUP_KEY])


def _misshapen(text: bytes, error: msgspec.ValidationError) -> BadPayload:
    first = text.lstrip()[:1]
    if first != b"{":
        return BadPayload(f"The body must be an object: {_plain(error)}.", hint=BARE_ARRAY_HINT)
    return BadPayload(f"`alerts` must be a list of alerts: {_plain(error)}.", "/alerts", hint=BARE_ARRAY_HINT)


def _plain(error: Exception) -> str:
    """The library's sentence without its own notation of places."""
    return str(error).partition(" - at ")[0].replace("`", "")


def _wire(raw: msgspec.Raw) -> _Wire:
    try:
        return _decode_wire(raw)
    except (msgspec.DecodeError, RecursionError):
        return _wire_of_any(_any(raw))


def _any(raw: msgspec.Raw) -> Any:  # noqa: ANN401 - anything can stand there
    try:
        return _decode_any(raw)
    except RecursionError:
        raise _Unfit("", "nested too deeply") from None
    except msgspec.DecodeError as error:
        raise _Unfit("", f"cannot be read: {_plain(error)}") from None


def _wire_of_any(value: object) -> _Wire:
    """Read field by field what the typed pass could not, to take what can be taken and to say where the rest is bad."""
    if not isinstance(value, dict):
        raise _Unfit("", f"an alert must be an object, not {_kind(value)}")
    status = value.get("status")
    if status not in ("firing", "resolved"):
        told = f"{status[:40]!r}" if isinstance(status, str) else _kind(status)
        raise _Unfit("/status", f"must be 'firing' or 'resolved', not {told}")
    return _Wire(
        status=AlertStatus(status),
        labels=_labels(value.get("labels")),
        annotations=_annotations(value.get("annotations")),
        startsAt=_instant(value.get("startsAt"), "/startsAt"),
        endsAt=_instant(value.get("endsAt"), "/endsAt"),
        generatorURL=_string(value.get("generatorURL")),
        fingerprint=_string(value.get("fingerprint")),
    )


def _labels(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _Unfit("/labels", f"must be an object, not {_kind(value)}")
    for name, text in value.items():
        if not isinstance(text, str):
            raise _Unfit(f"/labels/{_token(name)}", f"must be a string, not {_kind(text)}")
    return value


def _annotations(value: object) -> dict[str, str]:
    """Annotations judge nothing, so odd ones are taken as text rather than costing the alert."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Unfit("/annotations", f"must be an object, not {_kind(value)}")
    return {name: text if isinstance(text, str) else msgspec.json.encode(text).decode() for name, text in value.items()}


def _instant(value: object, path: str) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Unfit(path, f"must be a time in RFC 3339, not {_kind(value)}")
    try:
        return instants.read(value)
    except ValueError:
        raise _Unfit(path, f"is no time in RFC 3339: {value[:40]!r}") from None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _text(raw: msgspec.Raw) -> str:
    try:
        return _string(_decode_any(raw))
    except (msgspec.DecodeError, RecursionError):
        return ""


def _count(raw: msgspec.Raw) -> int:
    try:
        value = _decode_any(raw)
    except (msgspec.DecodeError, RecursionError):
        return 0
    return value if isinstance(value, int) and 0 < value < 2**31 else 0


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}
    return names.get(type(value), "a number")


def _token(name: str) -> str:
    """One reference token of a JSON pointer, cut to a readable length."""
    return name[:80].replace("~", "~0").replace("/", "~1")


def _refusal(index: int, reason: _Unfit, raw: bytes) -> Refused:
    text = raw[:MAX_REFUSED_TEXT].decode("utf-8", "replace")
    return Refused(reason=f"/alerts/{index}{reason.path}: {reason.message}", text=redact(text))
