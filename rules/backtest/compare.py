"""Holds what two rule sets make of the same past against each other. Pure."""

from datetime import datetime, timedelta

import msgspec

from rules.backtest.outcome import Outcome, WouldBe

SLACK = timedelta(hours=1)  # declared so much earlier or later is the same incident


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The same incident by both rule sets."""

    here: WouldBe
    there: WouldBe


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What changes from one rule set (`there`) to another (`here`).

    `removed` are incidents whose alerts belong to another incident now; of those that are `missed` no alert makes an
    incident any more: look at these before you merge.
    """

    added: tuple[WouldBe, ...]
    removed: tuple[WouldBe, ...]
    missed: tuple[WouldBe, ...]
    severity_changed: tuple[Pair, ...]
    same: int
    pages: int  # more than before
    night_pages: int


def compare(here: Outcome, there: Outcome) -> Comparison:
    """Return what `here` adds to, and takes from, what `there` made of the same past."""
    pairs, added = _paired(here, there)
    known = {pair.there.id for pair in pairs}
    gone = [incident for incident in there.incidents if incident.id not in known]
    covered = _alerts_of(here)
    missed = tuple(incident for incident in gone if not _is_covered(incident, covered))
    lost = {incident.id for incident in missed}
    return Comparison(
        added=tuple(added),
        removed=tuple(incident for incident in gone if incident.id not in lost),
        missed=missed,
        severity_changed=tuple(pair for pair in pairs if pair.here.severity is not pair.there.severity),
        same=sum(pair.here.severity is pair.there.severity for pair in pairs),
        pages=len(here.pages) - len(there.pages),
        night_pages=here.night_pages - there.night_pages,
    )


def _paired(here: Outcome, there: Outcome) -> tuple[list[Pair], list[WouldBe]]:
    """Pair incidents of one identity whose times overlap, the earliest first, each at most once."""
    waiting: dict[str, list[WouldBe]] = {}
    for incident in sorted(there.incidents, key=_declared_at):
        waiting.setdefault(incident.identity_key, []).append(incident)
    pairs: list[Pair] = []
    added: list[WouldBe] = []
    for incident in sorted(here.incidents, key=_declared_at):
        candidates = waiting.get(incident.identity_key, [])
        twin = next((other for other in candidates if _overlap(incident, other)), None)
        if twin is None:
            added.append(incident)
        else:
            candidates.remove(twin)
            pairs.append(Pair(here=incident, there=twin))
    return pairs, added


def _declared_at(incident: WouldBe) -> datetime:
    return incident.declared_at


def _overlap(one: WouldBe, other: WouldBe) -> bool:
    return _begins_before_end(one, other) and _begins_before_end(other, one)


def _begins_before_end(one: WouldBe, other: WouldBe) -> bool:
    return other.ended_at is None or one.declared_at <= other.ended_at + SLACK


def _alerts_of(outcome: Outcome) -> dict[str, list[WouldBe]]:
    held: dict[str, list[WouldBe]] = {}
    for incident in outcome.incidents:
        for alert in incident.alerts:
            held.setdefault(alert, []).append(incident)
    return held


def _is_covered(incident: WouldBe, held: dict[str, list[WouldBe]]) -> bool:
    return any(_overlap(incident, other) for alert in incident.alerts for other in held.get(alert, ()))
