"""The errors of the domain and its store.

TocsinError
  TransitionNotAllowed    an event that the incident's status has no row for
    MergedAway            the same, for it is part of another incident
  NotFound                an id that names nothing
  StaleVersion            somebody changed it since it was read
  StoreError
    StoreUnavailable      away, full, read-only or too slow: try again later
    StoreConflict         somebody else kept changing the same incident
    LeaseLost             another decider took over
"""


class TocsinError(Exception):
    """The root of every error that Tocsin raises on purpose."""


class TransitionNotAllowed(TocsinError):
    """An event that the incident's status has no row for in the transition table."""

    def __init__(self, status: str, event: str, hint: str = "") -> None:
        self.status = status
        self.event = event
        self.hint = hint
        super().__init__(f"an incident that is {status} cannot take the event {event}" + (f": {hint}" if hint else ""))


class MergedAway(TransitionNotAllowed):
    """An event for an incident that was merged into another one, which goes on in its place."""

    def __init__(self, name: str, into: str, status: str, event: str) -> None:
        self.name, self.into = name, into
        super().__init__(status, event, f"{name} was merged into {into}")


class NotFound(TocsinError):
    """An id that names nothing."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        super().__init__(f"there is no {kind} {name!r}")


class StaleVersion(TocsinError):
    """Somebody changed an incident since it was read."""

    def __init__(self, name: str, version: int, wanted: int) -> None:
        self.version = version
        self.wanted = wanted
        super().__init__(f"{name} is at version {version}, not {wanted}: somebody changed it")


class StoreError(TocsinError):
    """Something between us and the store."""


class StoreUnavailable(StoreError):
    """The store is away, full, read-only or too slow; nothing was written, or it is not known whether it was."""


class StoreConflict(StoreError):
    """Somebody else kept changing the same incident while we tried to."""


class LeaseLost(StoreError):
    """Another decider took over, so this one may not commit."""
