"""What enters the stream beside plain alerts: what people did to alerts elsewhere, actions and facts. Values."""

from datetime import datetime
from enum import StrEnum

import msgspec

from incidents.alert import Alert
from incidents.facts import Fact


class TouchKind(StrEnum):
    """What somebody did to an alert in the system that it came from."""

    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    ESCALATED = "escalated"
    REASSIGNED = "reassigned"
    DELEGATED = "delegated"
    PRIORITY = "priority"
    NOTE = "note"
    STATUS_UPDATE = "status_update"
    RESPONDER = "responder"
    OTHER = "other"
    GONE = "gone"  # its source does not know it any more: no person did anything


class Touch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was done to an alert, by whom; `text` is one line for the timeline."""

    fingerprint: str  # of the alert, as its source names it
    kind: TouchKind
    actor: str = ""  # empty: nobody in particular, an automation
    text: str
    at: datetime | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A corrective action: who did what, of which kind, to which service, when."""

    kind: str
    service: str
    text: str = ""
    actor: str
    at: datetime | None = None
    labels: dict[str, str] = {}  # further labels that rules `on: action` may match


class Incoming(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event that is more than an alert.

    `ids` name its delivery: whatever bears one that was seen in the last 72 hours is a duplicate. `incident_key` is the
    key under which the sender knows the thing; when that is the dedup key of an incident of ours, our own page comes
    back.
    """

    ids: tuple[str, ...] = ()
    incident_key: str = ""
    alert: Alert | None = None
    touch: Touch | None = None
    action: Action | None = None
    fact: Fact | None = None
