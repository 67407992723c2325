"""Any JSON to alerts, by the mapping of its source. Pure; raises nothing but `BadPayload`."""

import hashlib
from typing import Any, NamedTuple

import msgspec

from incidents.alert import Alert
from incidents.incoming import Incoming
from incidents.redaction import redact
from incidents.store.intake import Refused
from incidents.values import AlertStatus
from receiver.payloads import clamps
from receiver.payloads.loose import decode
from receiver.payloads.mapping import Mapping, instant_of
from receiver.payloads.parsed import BadPayload
from receiver.payloads.wire import MAX_REFUSED_TEXT, Unfit, Wire, alert_of, refusal

MAX_ITEMS = 10_000
MAX_ID = 256
MAX_SHOWN = 2048


class Mapped(NamedTuple):
    """What a mapping made of one body."""

    incoming: list[Incoming]
    refused: list[Refused]


def parse(body: bytes, mapping: Mapping) -> Mapped:
    """Return the events of one body; raises `BadPayload` when it is no JSON or holds nothing that can be mapped."""
    value = decode(body)
    try:
        aside = _aside(value, mapping, body)
        if aside is not None:
            return Mapped([], [aside])
        items = _items(value, mapping)
    except Unfit as reason:
        raise BadPayload(f"The mapping does not fit this body: {reason.message}.") from None
    incoming: list[Incoming] = []
    refused: list[Refused] = []
    for index, item in enumerate(items):
        try:
            made = _incoming(item, mapping, index)
        except Unfit as reason:
            refused.append(refusal(f"/{index}", reason, msgspec.json.encode(item)))
            continue
        if made is not None:
            incoming.append(made)
    return Mapped(incoming, refused)


def _aside(value: object, mapping: Mapping, body: bytes) -> Refused | None:
    for rule in mapping.refuse:
        if rule.when.of(value):
            shown = rule.show.text_of(value)[:MAX_SHOWN] if rule.show is not None else ""
            text = body[:MAX_REFUSED_TEXT].decode("utf-8", "replace")
            return Refused(reason=f"{rule.reason} {shown}".strip(), text=redact(text))
    return None


def _items(value: object, mapping: Mapping) -> list[Any]:
    found = value if mapping.items is None else mapping.items.of(value)
    if mapping.items is None and not isinstance(found, dict | list):
        raise BadPayload("The body must be an object, or a list of them.")
    items = found if isinstance(found, list) else [] if found is None else [found]
    if len(items) > MAX_ITEMS:
        raise BadPayload(f"The body holds more than {MAX_ITEMS} alerts.")
    return items


def _incoming(item: object, mapping: Mapping, index: int) -> Incoming | None:
    status = mapping.status.of(item)
    if status is None:
        return None
    delivery = mapping.id.text_of(item)[:MAX_ID] if mapping.id is not None else ""
    if delivery and index:
        # The id may be that of the whole delivery: the others of its alerts are no duplicates of the first.
        delivery = f"{delivery}/{index}"
    return Incoming(ids=(delivery,) if delivery else (), alert=_alert(item, mapping, status))


def _alert(item: object, mapping: Mapping, status: AlertStatus) -> Alert:
    labels = {name: text for name, each in mapping.labels.items() if (text := each.text_of(item))}
    if mapping.more_labels is not None:
        more = mapping.more_labels.of(item)
        for name, value in more.items() if isinstance(more, dict) else ():
            if isinstance(value, str) and value and name:
                labels.setdefault(name, value)
    annotations = {name: text for name, each in mapping.annotations.items() if (text := each.text_of(item))}
    identity = mapping.identity.text_of(item) if mapping.identity is not None else ""
    if mapping.identity is not None and not identity:
        raise Unfit("/identity", f"the expression {mapping.identity.text[:80]!r} finds nothing")
    wire = Wire(
        status=status,
        labels=labels,
        annotations=annotations,
        startsAt=None if mapping.starts_at is None else instant_of(mapping.starts_at.of(item)),
        endsAt=None if mapping.ends_at is None else instant_of(mapping.ends_at.of(item)),
        generatorURL="" if mapping.url is None else mapping.url.text_of(item)[: clamps.MAX_URL],
        fingerprint=_fingerprint(identity) if identity else "",
    )
    return alert_of(wire, bounded=False)


def _fingerprint(identity: str) -> str:
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8, person=b"generic").hexdigest()


def with_id(incoming: Incoming, delivery: str) -> Incoming:
    """Return an event that also bears the id of its delivery."""
    return msgspec.structs.replace(incoming, ids=(*incoming.ids, delivery))
