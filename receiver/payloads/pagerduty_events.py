"""PagerDuty's Events API v2 to events, as a stand-in for PagerDuty's own address. Pure.

Who may post stands in the body: `read` gives the routing key, the caller finds whose it is, and only then is the rest
looked at. The key goes no further: nothing that is made of an event holds it.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from incidents.alert import Alert
from incidents.incoming import Action, Incoming, Touch, TouchKind
from incidents.redaction import REDACTED
from incidents.store.intake import Refused
from incidents.values import AlertStatus
from receiver.payloads import clamps, instants
from receiver.payloads.loose import Object, decode, line, list_at, object_at, text_at
from receiver.payloads.pagerduty_event_labels import MAX_NAME, annotations_of, detail_labels, labels_of
from receiver.payloads.wire import Unfit, alert_of, refusal, wire_of_value

ACTIONS = ("trigger", "acknowledge", "resolve")
MAX_DEDUP_KEY = 255
MAX_SUMMARY = 1024
LEAST_SECRET = 8  # characters; a shorter one would stand in ordinary words
MAX_SINGLE = 10_000  # alerts in one event

_WRITTEN = ("labels", "annotations", "generator_url", "service", "text", "actor")
_ZONE_TWICE = re.compile(r"([+-]\d\d:?\d\d)Z$")


class Invalid(Exception):
    """An event that PagerDuty would refuse; `errors` are its sentences."""

    def __init__(self, *errors: str) -> None:
        self.errors = errors
        super().__init__("; ".join(errors))


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it was read; `routing_key` is a secret."""

    routing_key: str
    event: dict[str, Any]

    def __repr__(self) -> str:
        return "Read(...)"


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What an event means: the events for the stream, and the key to answer with."""

    dedup_key: str
    incoming: list[Incoming]
    refused: list[Refused] = []


def read(body: bytes, header_key: str = "") -> Read:
    """Return the event and its routing key; raises `BadPayload` for what is no JSON and `Invalid` for no event.

    `header_key` is the key in the header, for old clients that send it there.
    """
    value = decode(body)
    if not isinstance(value, dict):
        raise Invalid("The event must be a JSON object")
    key = value.pop("routing_key", None) or header_key
    if not isinstance(key, str) or not key:
        raise Invalid("'routing_key' is missing or blank")
    return Read(routing_key=key, event=value)


def take(read: Read, key_hash: bytes, new_key: str) -> Taken:
    """Return what an alert event means; `key_hash` scopes it, `new_key` is the dedup key where it brings none."""
    event = read.event
    action = text_at(event, "event_action")
    errors = [] if action in ACTIONS else [_choice("event_action", action, ACTIONS)]
    dedup_key = _dedup_key(event, action, new_key, errors)
    payload = object_at(event, "payload")
    if action == "trigger":
        if not payload:
            errors.append("'payload' is missing or blank")
        else:
            errors += [
                f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not _has(payload, name)
            ]
    if errors:
        raise Invalid(*errors)
    return _Maker(read, key_hash, dedup_key).make(action, payload)


def take_change(read: Read, source: str) -> Taken:
    """Return what a change event means: an action; `source` did it where nobody is named."""
    payload = object_at(read.event, "payload")
    if not _has(payload, "summary"):
        raise Invalid("'payload.summary' is missing or blank" if payload else "'payload' is missing or blank")
    details = object_at(payload, "custom_details")
    where = line(text_at(payload, "source"), MAX_NAME)
    actor = next(
        (text_at(details, name) for name in ("actor", "author", "user", "deployer") if _has(details, name)), ""
    )
    labels = detail_labels(details)
    if where:
        labels.setdefault("host", where)
    made = Action(
        kind="change",
        service=line(text_at(details, "service") or text_at(payload, "component") or where, MAX_NAME) or source,
        text=line(text_at(payload, "summary"), MAX_SUMMARY),
        actor=line(actor, MAX_NAME) or where or source,
        at=_instant(payload),
        labels=dict(list(labels.items())[: clamps.MAX_LABELS]),
    )
    return Taken(dedup_key="", incoming=[Incoming(action=_without(read.routing_key, made))])


def scoped(key_hash: bytes, name: str) -> str:
    """Return the fingerprint of what one routing key calls `name`: no other key can speak of it."""
    digest = hashlib.blake2b(digest_size=8, person=b"pd-events", key=key_hash[:64])
    digest.update(name.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class _Maker:
    """Makes the events for the stream out of one event."""

    def __init__(self, read: Read, key_hash: bytes, dedup_key: str) -> None:
        self._event = read.event
        self._secret = read.routing_key
        self._hash = key_hash
        self._dedup_key = dedup_key
        # A key that holds the secret is answered with, but not kept.
        self._incident_key = "" if self._secret in dedup_key else dedup_key

    def make(self, action: str, payload: Object) -> Taken:
        """Return everything that the event means."""
        if action == "acknowledge":
            return self._taken([self._incoming(touch=self._acknowledged())])
        details = object_at(payload, "custom_details")
        singles = [(each, AlertStatus.FIRING) for each in list_at(details, "firing")]
        singles += [(each, AlertStatus.RESOLVED) for each in list_at(details, "resolved")]
        if singles:
            return self._singles(singles)
        status = AlertStatus.FIRING if action == "trigger" else AlertStatus.RESOLVED
        return self._taken([self._incoming(alert=self._alert(status, payload, details))])

    def _taken(self, incoming: list[Incoming], refused: Sequence[Refused] = ()) -> Taken:
        return Taken(dedup_key=self._dedup_key, incoming=incoming, refused=list(refused))

    def _incoming(self, *, alert: Alert | None = None, touch: Touch | None = None) -> Incoming:
        return Incoming(
            incident_key=self._incident_key,
            alert=None if alert is None else _without(self._secret, alert),
            touch=touch,
        )

    def _acknowledged(self) -> Touch:
        return Touch(
            fingerprint=scoped(self._hash, self._dedup_key),
            kind=TouchKind.ACKNOWLEDGED,
            text="Acknowledged through the Events API",
        )

    def _singles(self, singles: list[tuple[Any, AlertStatus]]) -> Taken:
        """The alerts of a group, where the sender lists them whole (Alertmanager from 0.30 on)."""
        incoming: list[Incoming] = []
        refused: list[Refused] = []
        for index, (value, status) in enumerate(singles[:MAX_SINGLE]):
            try:
                alert = alert_of(wire_of_value(value, status), bounded=False)
            except Unfit as reason:
                place = f"/payload/custom_details/{status.value}/{index}"
                refused.append(self._aside(place, reason, value))
                continue
            scoped_alert = msgspec.structs.replace(alert, fingerprint=scoped(self._hash, alert.fingerprint))
            incoming.append(self._incoming(alert=scoped_alert))
        return self._taken(incoming, refused)

    def _aside(self, place: str, reason: Unfit, value: object) -> Refused:
        made = refusal(place, reason, msgspec.json.encode(value))
        return Refused(
            reason=made.reason.replace(self._secret, REDACTED), text=made.text.replace(self._secret, REDACTED)
        )

    def _alert(self, status: AlertStatus, payload: Object, details: Object) -> Alert:
        summary = line(text_at(payload, "summary"), MAX_SUMMARY)
        labels = labels_of(self._event, payload, details, summary) if payload else {}
        url = text_at(self._event, "client_url")
        annotations = annotations_of(self._event, payload, details, summary)
        kept_labels, kept_annotations, kept_url = clamps.clamp(labels, annotations, url)
        return Alert(
            fingerprint=scoped(self._hash, self._dedup_key),
            status=status,
            labels=kept_labels,
            annotations=kept_annotations,
            # When it happened stands in an annotation: a clock of the sender's that is behind ours must not make a
            # trigger after a resolve look late, for here it opens a new alert.
            generator_url=kept_url,
        )


def _dedup_key(event: Object, action: str, new_key: str, errors: list[str]) -> str:
    given = event.get("dedup_key")
    if given is None or given == "":
        if action in ("acknowledge", "resolve"):
            errors.append("'dedup_key' is missing or blank")
        return new_key
    if not isinstance(given, str):
        errors.append("'dedup_key' must be a string")
        return new_key
    if len(given) > MAX_DEDUP_KEY:
        errors.append(f"Length of 'dedup_key' is incorrect (should be no more than {MAX_DEDUP_KEY} characters)")
    return given


def _choice(name: str, given: str, choices: Sequence[str]) -> str:
    if not given:
        return f"'{name}' is missing or blank"
    return f"'{name}' is invalid (must be one of the following: {', '.join(repr(each) for each in choices)})"


def _instant(payload: Object) -> datetime | None:
    # PagerDuty's own client writes an offset and a Z after it.
    try:
        return instants.read(_ZONE_TWICE.sub(r"\1", text_at(payload, "timestamp").strip()))
    except ValueError:
        return None


def _without(secret: str, made: Any) -> Any:  # noqa: ANN401 - an alert or an action, the same again
    """The same value without the secret in any text that its sender wrote."""
    if len(secret) < LEAST_SECRET:
        return made
    changed: dict[str, Any] = {}
    for name in _WRITTEN:
        value = getattr(made, name, None)
        if isinstance(value, str):
            changed[name] = value.replace(secret, REDACTED)
        elif isinstance(value, dict):
            changed[name] = {
                word.replace(secret, REDACTED): text.replace(secret, REDACTED) for word, text in value.items()
            }
    return msgspec.structs.replace(made, **changed)


def _has(payload: Object, name: str) -> bool:
    return bool(text_at(payload, name).strip())
