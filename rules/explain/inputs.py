"""Reads what a person pastes as an alert: a webhook's body, one alert, its labels, in JSON or YAML, or words. Pure."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from incidents.alert import Alert, fingerprint_of
from incidents.values import AlertStatus
from rules.loading.nodes import Kind, Node, Problem
from rules.loading.yaml import read_yaml

MOST_ALERTS = 200
WORD = re.compile(r"([A-Za-z_:][A-Za-z0-9_:.]*)=(.*)", re.DOTALL)


class NotAnAlert(ValueError):
    """A text that cannot be read as alerts; says what would be."""


class _Pasted(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as senders and people write it."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    status: str = "firing"
    starts_at: datetime | None = msgspec.field(name="startsAt", default=None)


def of_words(words: Iterable[str]) -> Alert:
    """Return the alert with labels given as `name=value`; raises `NotAnAlert`."""
    labels = {}
    for word in words:
        found = WORD.fullmatch(word)
        if found is None:
            raise NotAnAlert(f"{word!r} is no label: write it as name=value")
        labels[found[1]] = found[2].strip('"')
    return _alert(_Pasted(labels=labels))


def of_text(text: bytes, name: str) -> list[Alert]:
    """Return the alerts in the text of a file, one at least; raises `NotAnAlert`."""
    value = _value(text, name)
    if isinstance(value, Mapping) and isinstance(value.get("alerts"), list):
        value = value["alerts"]
    items = value if isinstance(value, list) else [value]
    if not items:
        raise NotAnAlert(f"{name} holds no alert")
    if len(items) > MOST_ALERTS:
        raise NotAnAlert(f"{name} holds {len(items)} alerts; {MOST_ALERTS} at most are explained together")
    return [_alert(_pasted(item, name)) for item in items]


def _value(text: bytes, name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    if text.lstrip().startswith((b"{", b"[")):
        with contextlib.suppress(msgspec.DecodeError, RecursionError):  # YAML may look like this too
            return msgspec.json.decode(text)
    problems: list[Problem] = []
    node = read_yaml(text, name, problems)
    if problems:
        raise NotAnAlert(str(problems[0]))
    return _plain(node)


def _plain(node: Node) -> Any:  # noqa: ANN401 - whatever the file holds
    if node.kind is Kind.MAPPING:
        return {name: _plain(value) for name, value in node.entries.items()}
    if node.kind is Kind.LIST:
        return [_plain(item) for item in node.items]
    return node.text


def _pasted(item: Any, name: str) -> _Pasted:  # noqa: ANN401 - whatever the file holds
    if not isinstance(item, Mapping):
        raise NotAnAlert(f"{name} holds no alert: write its labels as name: value, or paste the body of a webhook")
    if not isinstance(item.get("labels"), Mapping):
        item = {"labels": item}
    labels = {str(key): _text(value) for key, value in item["labels"].items()}
    if not labels:
        raise NotAnAlert(f"an alert in {name} has no labels")
    try:
        return msgspec.convert({**item, "labels": labels}, _Pasted, strict=False)
    except msgspec.ValidationError as error:
        raise NotAnAlert(f"an alert in {name} cannot be read: {error}") from None


def _text(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _alert(pasted: _Pasted) -> Alert:
    starts_at = pasted.starts_at
    if starts_at is not None and (starts_at.tzinfo is None or starts_at.year <= 1):
        starts_at = None
    return Alert(
        fingerprint=fingerprint_of(pasted.labels),
        status=AlertStatus.RESOLVED if pasted.status == "resolved" else AlertStatus.FIRING,
        labels=pasted.labels,
        annotations=pasted.annotations,
        starts_at=starts_at,
    )
