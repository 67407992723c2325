"""Labels and annotations of an event of PagerDuty's Events API v2, from its payload and its custom details. Pure."""

import re

from receiver.payloads.loose import Object, as_text, line, list_at, text_at

MAX_NAME = 256  # characters of a label
SEVERITIES = ("critical", "error", "warning", "info")
UNKNOWN_SEVERITY = "error"

# What Alertmanager and Grafana put into custom_details beside what the user chose.
_GROUP_DETAILS = ("firing", "resolved", "num_firing", "num_resolved", "error")
_COUNTED = re.compile(r"^\[(?:FIRING|RESOLVED)(?::\d+)?[^\]]*\]\s*", re.IGNORECASE)
_NOT_WORD = re.compile(r"[^a-zA-Z0-9_]+")
_LISTED = re.compile(r"^ - ([a-zA-Z_][a-zA-Z0-9_]{0,255}) = (.*)$")


def labels_of(event: Object, payload: Object, details: Object, summary: str) -> dict[str, str]:
    """Return the labels of an alert: what it says of itself before what its notification says of it."""
    listed = _listed_labels(text_at(details, "firing") or text_at(details, "resolved"))
    severity = text_at(payload, "severity").strip().lower()
    where = line(text_at(payload, "source"), MAX_NAME)
    labels = {
        "alertname": line(text_at(payload, "class") or _COUNTED.sub("", summary), MAX_NAME),
        "severity": severity if severity in SEVERITIES else UNKNOWN_SEVERITY,
        # Alertmanager and Grafana name themselves here.
        "host": "" if where == text_at(event, "client") else where,
        "component": line(text_at(payload, "component"), MAX_NAME),
        "group": line(text_at(payload, "group"), MAX_NAME),
        "class": line(text_at(payload, "class"), MAX_NAME),
    }
    labels = {**{name: text for name, text in labels.items() if text}, **listed}
    for name, text in detail_labels(details).items():
        labels.setdefault(name, text)
    return labels


def annotations_of(event: Object, payload: Object, details: Object, summary: str) -> dict[str, str]:
    """Return the annotations of an alert, with the details that are too long for labels."""
    links = [f"{text_at(each, 'text')} {text_at(each, 'href')}".strip() for each in list_at(event, "links")[:16]]
    images = [text_at(each, "src") for each in list_at(event, "images")[:16]]
    annotations = {
        "summary": summary,
        "client": line(text_at(event, "client"), MAX_NAME),
        "timestamp": line(text_at(payload, "timestamp"), 64),
        "links": "\n".join(filter(None, links)),
        "images": "\n".join(filter(None, images)),
    }
    for name, value in details.items():
        if not _is_label(name, value):
            annotations.setdefault(name or "details", as_text(value))
    return {name: text for name, text in annotations.items() if text}


def detail_labels(details: Object) -> dict[str, str]:
    """Return the short texts among the details, under names that rules can write."""
    labels: dict[str, str] = {}
    for name, value in details.items():
        if _is_label(name, value) and (word := _NOT_WORD.sub("_", name).strip("_")):
            labels.setdefault(word[:MAX_NAME], value)
    return labels


def _is_label(name: str, value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and "\n" not in value and name not in _GROUP_DETAILS


def _listed_labels(text: str) -> dict[str, str]:
    """The labels that all alerts have in common in Alertmanager's list of them as text (up to 0.29)."""
    common: dict[str, str] | None = None
    labels: dict[str, str] = {}
    is_inside = False
    for row in [*text.splitlines(), "Labels:"]:
        if row == "Labels:":
            if labels:
                common = labels if common is None else dict(common.items() & labels.items())
            labels, is_inside = {}, True
        elif is_inside and (found := _LISTED.match(row)):
            labels[found[1]] = found[2][:MAX_NAME]
        else:
            is_inside = False
    return {name: value for name, value in (common or {}).items() if value}
