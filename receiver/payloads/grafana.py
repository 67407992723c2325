"""Grafana's webhook body to alerts. Pure; raises nothing but `BadPayload`.

It is Alertmanager's with more in it: what helps people is kept as annotations. The fingerprint is Grafana's own, for it
was made of labels that Grafana does not send.
"""

from typing import Any

from msgspec.structs import replace

from incidents.alert import Alert
from incidents.store.intake import Refused
from receiver.payloads import clamps
from receiver.payloads.alertmanager import pieces_of
from receiver.payloads.json_text import checked, least_alerts, refuse_flood
from receiver.payloads.loose import as_text, object_at, text_at
from receiver.payloads.parsed import BadPayload, Parsed
from receiver.payloads.wire import Unfit, alert_of, refusal, value_of, wire_of_value

EXTRAS = {
    "silenceURL": "silence_url",
    "dashboardURL": "dashboard_url",
    "panelURL": "panel_url",
    "imageURL": "image_url",
    "valueString": "value_string",
    "ruleUID": "rule_uid",
}
LEGACY_HINT = "Use a contact point of Grafana's unified alerting, and no custom payload."


def parse(body: bytes) -> Parsed:
    """Return the alerts of one webhook, and those that cannot be taken; raises `BadPayload` when there is neither."""
    text = checked(body)
    refuse_flood(least_alerts(text))
    try:
        pieces = pieces_of(body, text)
    except BadPayload as error:
        raise BadPayload(error.message, error.pointer, offset=error.offset, hint=LEGACY_HINT) from None
    alerts: list[Alert] = []
    refused: list[Refused] = []
    for index, raw in enumerate(pieces.alerts):
        try:
            value = value_of(raw)
            alerts.append(_with_extras(alert_of(wire_of_value(value), bounded=False), value))
        except Unfit as reason:
            refused.append(refusal(f"/alerts/{index}", reason, bytes(raw)))
    return Parsed(alerts, refused, pieces.truncated, pieces.receiver)


def _with_extras(alert: Alert, value: Any) -> Alert:  # noqa: ANN401 - the alert as it came
    extras = {name: text for key, name in EXTRAS.items() if (text := text_at(value, key))}
    values = object_at(value, "values")
    if values:
        extras["values"] = as_text(values)
    annotations = {**extras, **alert.annotations}
    if annotations == alert.annotations:
        return alert
    if clamps.oversized(alert.labels, annotations, alert.generator_url):
        _, annotations, _ = clamps.clamp(alert.labels, annotations, alert.generator_url)
    return replace(alert, annotations=annotations)
