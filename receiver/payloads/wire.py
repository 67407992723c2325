"""One alert as Alertmanager's family of senders writes it, field by field. Pure.

The typed pass over a whole body is quick; what it cannot read comes here, so that one bad alert does not spoil its
batch and the place of what is bad can be named.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from incidents.alert import Alert, fingerprint_of
from incidents.redaction import redact
from incidents.store.intake import Refused
from incidents.values import AlertStatus
from receiver.payloads import clamps, instants

MAX_REFUSED_TEXT = 64 * 1024
LARGE_LABELS = 16 * 1024  # characters; beyond, the byte-wise fingerprint would take too long

_is_fingerprint = re.compile(r"[0-9a-f]{16}", re.ASCII).fullmatch
_decode_any = msgspec.json.Decoder().decode


class Wire(msgspec.Struct, gc=False):
    """An alert as it should be."""

    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: datetime | None = None  # noqa: N815 - the sender's names
    endsAt: datetime | None = None  # noqa: N815
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""


_Name = Annotated[str, msgspec.Meta(max_length=clamps.MAX_LABEL_NAME)]
_Labels = Annotated[
    dict[_Name, Annotated[str, msgspec.Meta(max_length=clamps.MAX_LABEL_VALUE)]],
    msgspec.Meta(max_length=clamps.MAX_LABELS),
]
_Annotations = Annotated[
    dict[_Name, Annotated[str, msgspec.Meta(max_length=clamps.MAX_ANNOTATION_VALUE)]],
    msgspec.Meta(max_length=clamps.MAX_ANNOTATIONS),
]


class Bounded(Wire, gc=False):
    """An alert with nothing in it over its bound: asked while it is decoded, which costs next to nothing."""

    labels: _Labels
    annotations: _Annotations = {}
    generatorURL: Annotated[str, msgspec.Meta(max_length=clamps.MAX_URL)] = ""  # noqa: N815


_decode_wire = msgspec.json.Decoder(Wire).decode


class Unfit(Exception):
    """Why one alert cannot be taken; `path` is the JSON pointer inside the alert."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(message)


def alert_of(wire: Wire, *, bounded: bool) -> Alert:
    """Return the alert within its bounds; `bounded` skips asking whether it is. Raises `Unfit`."""
    labels, annotations, url = wire.labels, wire.annotations, wire.generatorURL
    if "" in labels.values():
        # A label with an empty value is a label that is not there.
        labels = {name: value for name, value in labels.items() if value}
    if not labels:
        raise Unfit("/labels", "an alert needs at least one label that is not empty")
    fingerprint = wire.fingerprint
    if not _is_fingerprint(fingerprint):
        fingerprint = _fingerprint(fingerprint, labels)
    if not bounded and clamps.oversized(labels, annotations, url):
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


def wire_of(raw: msgspec.Raw) -> Wire:
    """Read one alert; raises `Unfit`."""
    try:
        return _decode_wire(raw)
    except (msgspec.DecodeError, RecursionError):
        return wire_of_value(value_of(raw))


def value_of(raw: msgspec.Raw) -> Any:  # noqa: ANN401 - anything can stand there
    """Read any value; raises `Unfit`."""
    try:
        return _decode_any(raw)
    except RecursionError:
        raise Unfit("", "nested too deeply") from None
    except msgspec.DecodeError as error:
        raise Unfit("", f"cannot be read: {plain(error)}") from None


def wire_of_value(value: object, status: AlertStatus | None = None) -> Wire:
    """Read field by field what the typed pass could not, to take what can be taken and to say where the rest is bad.

    A given `status` stands for the alert's own.
    """
    if not isinstance(value, dict):
        raise Unfit("", f"an alert must be an object, not {kind_of(value)}")
    return Wire(
        status=status or _status(value.get("status")),
        labels=labels_of(value.get("labels")),
        annotations=annotations_of(value.get("annotations")),
        startsAt=instant_of(value.get("startsAt"), "/startsAt"),
        endsAt=instant_of(value.get("endsAt"), "/endsAt"),
        generatorURL=text_of(value.get("generatorURL")),
        fingerprint=text_of(value.get("fingerprint")),
    )


def _status(status: object) -> AlertStatus:
    if status not in ("firing", "resolved"):
        told = f"{status[:40]!r}" if isinstance(status, str) else kind_of(status)
        raise Unfit("/status", f"must be 'firing' or 'resolved', not {told}")
    return AlertStatus(status)


def labels_of(value: object) -> dict[str, str]:
    """Return labels; raises `Unfit` unless all of them are text."""
    if not isinstance(value, dict):
        raise Unfit("/labels", f"must be an object, not {kind_of(value)}")
    for name, text in value.items():
        if not isinstance(text, str):
            raise Unfit(f"/labels/{token(name)}", f"must be a string, not {kind_of(text)}")
    return value


def annotations_of(value: object) -> dict[str, str]:
    """Return annotations; they judge nothing, so odd ones are taken as text rather than costing the alert."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unfit("/annotations", f"must be an object, not {kind_of(value)}")
    return {name: text if isinstance(text, str) else msgspec.json.encode(text).decode() for name, text in value.items()}


def instant_of(value: object, path: str) -> datetime | None:
    """Return an instant, `None` where none is given; raises `Unfit`."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Unfit(path, f"must be a time in RFC 3339, not {kind_of(value)}")
    try:
        return instants.read(value)
    except ValueError:
        raise Unfit(path, f"is no time in RFC 3339: {value[:40]!r}") from None


def text_of(value: object) -> str:
    """Return text, empty for anything else."""
    return value if isinstance(value, str) else ""


def kind_of(value: object) -> str:
    """Return what a value is, in words that fit after "not"."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}
    return names.get(type(value), "a number")


def token(name: str) -> str:
    """Return one reference token of a JSON pointer, cut to a readable length."""
    return name[:80].replace("~", "~0").replace("/", "~1")


def plain(error: Exception) -> str:
    """Return the library's sentence without its own notation of places."""
    return str(error).partition(" - at ")[0].replace("`", "")


def refusal(place: str, reason: Unfit, raw: bytes) -> Refused:
    """Return what goes to quarantine for an alert at `place` (a JSON pointer) of its body."""
    text = raw[:MAX_REFUSED_TEXT].decode("utf-8", "replace")
    return Refused(reason=f"{place}{reason.path}: {reason.message}", text=redact(text))
