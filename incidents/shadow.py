"""Incidents that rules in shadow mode would have declared: what is kept of them, and how the events of one are noted.

One outage is one of them: it lasts while any of its alerts fires, and for the rule's reopen time after that. Pure.
"""

from datetime import datetime

import msgspec

from incidents.alert import short_hash


class Shadowed(msgspec.Struct, frozen=True):
    """An event that a rule in shadow mode held for, or the end of one (`rule` is empty then).

    Without a severity, the rule did not hold for it: it belongs to what would be there already, and begins nothing.
    """

    id: str  # of the rule and the identity
    member: str  # the alert
    rule: str = ""
    severity: str = ""
    criterion: str = ""
    identity: dict[str, str] = {}
    gap_ms: int = 0
    window: str = ""  # key of the alerts that were counted, which belong to it as well


class WouldBe(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that a rule would have declared; `alerts` counts firings, `firing` what fires now."""

    rule: str
    severity: str
    criterion: str
    identity: dict[str, str]
    first_at: datetime
    last_at: datetime
    alerts: int
    firing: int


def shadow_id(rule: str, identity_key: str) -> str:
    """Return the name of the present would-be incident of a rule and an identity."""
    return short_hash(f"{rule} {identity_key}")
