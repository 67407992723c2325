"""An explanation as plain values: what the API answers, and what the command line writes in words. Pure."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Basis(StrEnum):
    """Where an explanation comes from."""

    RECORDED = "recorded"  # the journal: what was decided then
    NOW = "now"  # the state as it is now
    PASTED = "pasted"  # nothing but what was given: as if nothing else had ever happened


class ConditionTold(msgspec.Struct, frozen=True, kw_only=True):
    """One condition: what it had, what it wants, and what is missing, in words."""

    tier: int
    condition: str
    state: str  # yes, no, unknown
    got: str
    wanted: str
    missing: str = ""
    due: datetime | None = None  # when passing time alone could change the answer


class RuleTold(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that looked at the event."""

    rule: str
    criterion: str = ""
    mode: str = ""
    outcome: str
    tier: int = 0  # the one that holds, 0 for none
    tiers: int = 0
    severity: str | None = None
    incident: str = ""
    due: datetime | None = None
    result: str  # what came of it, in words
    conditions: tuple[ConditionTold, ...] = ()


class RuleMissed(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that does not match, why, and how many of its matchers do not hold."""

    rule: str
    why: str
    misses: int = 0


class HappenedTold(msgspec.Struct, frozen=True, kw_only=True):
    """What an event wrote on the timeline of an incident, and who was paged."""

    incident: str
    entries: tuple[str, ...] = ()
    paged: tuple[str, ...] = ()


class AheadTold(msgspec.Struct, frozen=True, kw_only=True):
    """What would come next."""

    at: datetime
    text: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why one event was, or was not, an incident."""

    id: str
    kind: str
    basis: Basis
    source: str = ""
    labels: dict[str, str] = {}
    normalized: dict[str, str] = {}  # labels that rules see otherwise than the sender wrote them
    received_at: datetime | None = None
    at: datetime  # of the decision, or of the look
    became: str = ""
    rules_hash: str = ""
    rules_changed: bool | None = None  # since then; None where nobody knows
    rules: tuple[RuleTold, ...] = ()
    missed: tuple[RuleMissed, ...] = ()
    happened: tuple[HappenedTold, ...] = ()
    ahead: tuple[AheadTold, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()
