"""What goes over the wire: the webhook that Alertmanager posts, and the samples of an exposition."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def firing(name: str = "Trouble", **labels: str) -> dict[str, Any]:
    """Return a firing alert of Alertmanager's webhook; critical, of the service `db` unless said."""
    return _alert("firing", name, labels)


def resolved(name: str = "Trouble", **labels: str) -> dict[str, Any]:
    """Return the same alert resolved."""
    return _alert("resolved", name, labels)


def _alert(status: str, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    now = stamp(datetime.now(UTC))
    return {
        "status": status,
        "labels": {"alertname": name, "severity": "critical", "service": "db", **labels},
        "annotations": {"summary": f"{name} of {labels.get('service', 'db')}"},
        "startsAt": now,
        "endsAt": now if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph",
    }


def stamp(at: datetime) -> str:
    """Return an instant as Alertmanager writes it."""
    return at.isoformat().replace("+00:00", "Z")


def notification(alerts: Sequence[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
    """Return the body of a webhook of version 4."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="Trouble"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "tocsin",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org",
        "alerts": list(alerts),
        **fields,
    }


_SAMPLE = re.compile(r"^([a-z_:]+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def samples_of(exposition: str) -> list[tuple[str, dict[str, str], float]]:
    """Return the samples of an exposition: name, labels, value."""
    return [(name, dict(_LABEL.findall(labels)), float(value)) for name, labels, value in _SAMPLE.findall(exposition)]
