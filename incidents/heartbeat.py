"""A heartbeat: a signal that must keep coming, as it is remembered. Pure values."""

from datetime import datetime

import msgspec

from incidents.alert import Alert, short_hash
from incidents.values import AlertStatus

MISSED = "HeartbeatMissed"  # the name of the alert that stands for the silence
SOURCE = "tocsin"


class HeartbeatState(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a heartbeat."""

    v: int = 1
    id: str
    labels: dict[str, str]
    last_at: datetime  # when it was heard last; for one that never was, when it was first expected
    heard: bool
    listed: bool  # by the rule files; others are heartbeats because they were heard
    missed: bool = False


def silence_of(state: HeartbeatState, status: AlertStatus, ends_at: datetime | None = None) -> Alert:
    """Return the alert that stands for a heartbeat's silence."""
    summary = f"No signal of the heartbeat {state.id}: monitoring may be blind"
    if not state.heard:
        summary = f"The heartbeat {state.id} never came: monitoring may be blind"
    return Alert(
        fingerprint=short_hash(f"heartbeat {state.id}")[:16],
        status=status,
        labels={**state.labels, "alertname": MISSED, "heartbeat": state.id},
        annotations={"summary": summary},
        starts_at=state.last_at,
        ends_at=ends_at,
    )
