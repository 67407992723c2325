"""Post-incident actions: what people will do once an incident is over, by when, and where it is tracked. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import StrEnum

import msgspec


class ActionState(StrEnum):
    """Where a post-incident action stands."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class PostIncidentAction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be done after an incident; `due` is the last day for it, in UTC."""

    id: str  # of the incident's own count: "1", "2"
    text: str
    owner: str = ""
    due: date | None = None
    link: str = ""  # where it is tracked
    state: ActionState = ActionState.OPEN
    at: datetime  # when it was written down
    by: str
    changed_at: datetime | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is still open on the day after it was due."""
        return is_overdue(self.state, self.due, now)


class OpenAction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An open action as it is indexed: of which incident and rule, and by when."""

    incident: str
    rule: str = ""
    due: date | None = None
    restricted: bool = False  # never told of on another incident


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """How many actions of an earlier incident of the same rule were overdue when an incident was declared."""

    incident: str
    count: int


def is_overdue(state: ActionState, due: date | None, now: datetime) -> bool:
    """Whether what was due on a day is open still, the day after."""
    return state is ActionState.OPEN and due is not None and due < now.astimezone(UTC).date()


def overdue_of(rule: str, actions: Iterable[OpenAction], now: datetime) -> tuple[Overdue, ...]:
    """Return which incidents of a rule have overdue actions, and how many, oldest first; no restricted ones."""
    counts: dict[str, int] = {}
    for action in actions:
        if action.rule == rule and not action.restricted and is_overdue(ActionState.OPEN, action.due, now):
            counts[action.incident] = counts.get(action.incident, 0) + 1
    return tuple(Overdue(incident=name, count=counts[name]) for name in sorted(counts))
