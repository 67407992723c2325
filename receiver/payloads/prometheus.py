"""What Prometheus posts to an Alertmanager (API v2) to alerts. Pure; raises nothing but `BadPayload`.

No alert has a status: it fires until its `endsAt`, which is in the future while it does, and is over without a fresh
post by then. What is missing is filled in as Alertmanager does.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from incidents.alert import Alert
from incidents.store.intake import Refused
from incidents.values import AlertStatus
from receiver.payloads.json_text import MAX_COMMAS_PER_ALERT, checked, malformed, mended, refuse_flood
from receiver.payloads.parsed import BadPayload, Parsed
from receiver.payloads.wire import Unfit, Wire, alert_of, plain, refusal, value_of, wire_of_value

RESOLVE_TIMEOUT = timedelta(minutes=5)  # Alertmanager's default for alerts that do not say when they end


class _Posted(msgspec.Struct, gc=False):
    """An alert as it should be."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: datetime | None = None  # noqa: N815 - the sender's names
    endsAt: datetime | None = None  # noqa: N815
    generatorURL: str = ""  # noqa: N815


_decode_body = msgspec.json.Decoder(list[_Posted]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def parse(body: bytes, now: datetime) -> Parsed:
    """Return the alerts of one post, and those that cannot be taken; raises `BadPayload` when there is neither."""
    text = checked(body)
    refuse_flood(text.count(b",") // MAX_COMMAS_PER_ALERT)
    try:
        posted = _decode_body(text)
    except (msgspec.DecodeError, RecursionError):
        return _parse_pieces(body, mended(text), now)
    refuse_flood(len(posted))
    alerts: list[Alert] = []
    refused: list[Refused] = []
    for index, each in enumerate(posted):
        wire = Wire(AlertStatus.FIRING, each.labels, each.annotations, each.startsAt, each.endsAt, each.generatorURL)
        try:
            alerts.append(_timed(alert_of(wire, bounded=False), now))
        except Unfit as reason:
            refused.append(refusal(f"/{index}", reason, msgspec.json.encode(each)))
    return Parsed(alerts, refused, 0, "")


def _parse_pieces(body: bytes, text: bytes, now: datetime) -> Parsed:
    try:
        raws = _decode_list(text)
    except msgspec.ValidationError as error:
        raise BadPayload(f"The body must be a list of alerts: {plain(error)}.") from None
    except RecursionError:
        raise BadPayload("The body is nested too deeply.") from None
    except msgspec.DecodeError as error:
        raise malformed(body, text, error) from None
    refuse_flood(len(raws))
    alerts: list[Alert] = []
    refused: list[Refused] = []
    for index, raw in enumerate(raws):
        try:
            wire = wire_of_value(value_of(raw), AlertStatus.FIRING)
            wire.fingerprint = ""  # its labels are the whole of its identity
            alerts.append(_timed(alert_of(wire, bounded=False), now))
        except Unfit as reason:
            refused.append(refusal(f"/{index}", reason, bytes(raw)))
    return Parsed(alerts, refused, 0, "")


def _timed(alert: Alert, now: datetime) -> Alert:
    """Fill in the times as Alertmanager does, and make the status of them."""
    starts_at, ends_at = alert.starts_at, alert.ends_at
    if starts_at is None:
        starts_at = now if ends_at is None else min(ends_at, now)
    if ends_at is None:
        ends_at = max(now + RESOLVE_TIMEOUT, starts_at)
    if ends_at < starts_at:
        raise Unfit("/endsAt", "is before startsAt")
    if ends_at <= now:
        return replace(alert, status=AlertStatus.RESOLVED, starts_at=starts_at, ends_at=ends_at)
    return replace(alert, starts_at=starts_at, ends_at=None, expires_at=ends_at)
