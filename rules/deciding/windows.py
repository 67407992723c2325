"""Sliding windows of counting rules: the alerts of an identity, the values of their labels, their changes. Pure.

A window is a set of members, each with the instant at which it last counted, or "now" while it fires. `distinct` has
two of them for a label: its values, and for each value the alerts that share it, so that nothing is ever gone through.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from incidents import keys
from incidents.alert import short_hash
from incidents.clock import from_ms, to_ms
from incidents.commit import FIRING_SCORE, Commit
from incidents.snapshot import FIRING_NOW, MEMBERS_LOADED, Need, Plan, Snapshot
from rules.conditions import Count, Distinct, Flaps
from rules.index import Hit

Counted = Count | Distinct | Flaps
Spans = tuple[timedelta, ...]

SLACK = timedelta(hours=1)
LATEST = 8  # members of a value that are looked at to find when it last fired
MORE = 100  # members that may have moved in the same batch
FIRES = float("inf")
_TICK = timedelta(milliseconds=1)


def window_of(hit: Hit) -> str:
    """Return the key of the window of a rule's alerts for an identity."""
    return keys.window(hit.rule.window_id, hit.identity_key)


def changes_of(hit: Hit) -> str:
    """Return the key of the window of changes between firing and resolved."""
    return keys.window(f"{hit.rule.window_id}-flaps", hit.identity_key)


def values_of(hit: Hit, label: str) -> str:
    """Return the key of the window of a label's values."""
    return keys.window(f"{hit.rule.window_id}-{_hashed(label)}", hit.identity_key)


def sharers_of(hit: Hit, label: str, value: str) -> str:
    """Return the key of the window of the alerts that share a label's value."""
    return keys.window(f"{hit.rule.window_id}-{_hashed(label)}-{_hashed(value)}", hit.identity_key)


@lru_cache(maxsize=4096)
def _hashed(text: str) -> str:
    return short_hash(text)


def plan_windows(plan: Plan, hit: Hit, member: str) -> None:
    """Ask for everything that the windows of a rule need when one of its alerts comes or is judged."""
    rule = hit.rule
    if rule.withins:
        plan.add_window(window_of(hit), rule.withins, member)
    for spread in rule.spreads:
        value = hit.labels.get(spread.label)
        plan.add_window(values_of(hit, spread.label), spread.withins, _hashed(value) if value else None)
        if value:
            sharers = sharers_of(hit, spread.label, value)
            plan.add_window(sharers, spread.withins[-1:], member)
            plan.tops.setdefault(sharers, LATEST)
    if rule.flaps:
        plan.add_window(changes_of(hit), rule.flaps)


class Windows:
    """One batch's copy of the windows, written into its commit."""

    def __init__(self, snapshot: Snapshot, commit: Commit, now: datetime) -> None:
        self._snapshot = snapshot
        self._commit = commit
        self._now = now
        self._scores: dict[str, dict[str, float]] = {}
        self._moved: dict[tuple[str, timedelta], int] = {}
        self._since: dict[timedelta, int] = {}  # spans, and when they began (ms)

    # What happens

    def enter(self, hit: Hit, member: str) -> None:
        """Let an alert that fires into the windows of a rule."""
        rule = hit.rule
        if rule.withins:
            self._move(window_of(hit), rule.withins, member, FIRES)
        for spread in rule.spreads:
            value = hit.labels.get(spread.label)
            if value:
                self._move(sharers_of(hit, spread.label, value), spread.withins[-1:], member, FIRES)
                self._move(values_of(hit, spread.label), spread.withins, _hashed(value), FIRES)

    def leave(self, hit: Hit, member: str, at: datetime) -> None:
        """Note when an alert, or an action, was over; it goes on counting until the window has passed it."""
        rule, score = hit.rule, float(to_ms(at))
        if rule.withins:
            self._move(window_of(hit), rule.withins, member, score)
        for spread in rule.spreads:
            value = hit.labels.get(spread.label)
            if value:
                sharers = sharers_of(hit, spread.label, value)
                self._move(sharers, spread.withins[-1:], member, score)
                if self._count(sharers, spread.withins[-1:], FIRING_NOW) <= 0:
                    self._move(values_of(hit, spread.label), spread.withins, _hashed(value), self._latest(sharers))

    def change(self, hit: Hit, member: str, at: datetime) -> None:
        """Note that an alert changed between firing and resolved."""
        if hit.rule.flaps:
            score = to_ms(at)
            self._write(changes_of(hit), hit.rule.flaps, f"{member}@{score}", float(score), None)

    # What is asked

    def count(self, hit: Hit, within: timedelta) -> int:
        """Return how many different alerts were firing within a span."""
        return self._count(window_of(hit), hit.rule.withins, within)

    def distinct(self, hit: Hit, label: str, within: timedelta) -> int:
        """Return how many different values of a label there were among the alerts within a span."""
        return self._count(values_of(hit, label), _spans(hit, label), within)

    def flaps(self, hit: Hit, within: timedelta) -> int:
        """Return how many changes between firing and resolved there were within a span."""
        return self._count(changes_of(hit), hit.rule.flaps, within)

    def leaves(self, hit: Hit, asked: Counted) -> datetime:
        """Return the first instant at which a number that was reached may be below it again.

        While enough of it fires that is a whole window away, however soon it ends.
        """
        match asked:
            case Count():
                key, spans = window_of(hit), hit.rule.withins
            case Distinct():
                key, spans = values_of(hit, asked.label), _spans(hit, asked.label)
            case Flaps():
                key, spans = changes_of(hit), hit.rule.flaps
        if self._count(key, spans, FIRING_NOW) >= asked.gte:
            return self._now + asked.within
        scores = self._top(key, min(asked.gte + MORE, MEMBERS_LOADED))
        if len(scores) < asked.gte:  # more than are looked at
            return self._now + asked.within / 10
        return from_ms(int(scores[asked.gte - 1])) + asked.within + _TICK

    def members(self, hit: Hit) -> tuple[str, ...]:
        """Return the alerts of a rule's window, those of this batch too; raises `Need` where they are not loaded."""
        key = window_of(hit)
        if key not in self._snapshot.members:
            plan = Plan()
            plan.members[key] = hit.rule.withins[-1]
            raise Need(plan)
        return tuple(dict.fromkeys((*self._snapshot.members[key], *self._scores.get(key, ()))))

    # How it is kept

    def _count(self, key: str, spans: Spans, span: timedelta) -> int:
        loaded = self._snapshot.counts.get((key, span))
        if loaded is None:
            plan = Plan()
            plan.add_window(key, spans)
            raise Need(plan)
        return loaded + self._moved.get((key, span), 0)

    def _move(self, key: str, spans: Spans, member: str, score: float) -> None:
        before = self._scores[key].get(member) if key in self._scores else None
        if before is None:
            if (key, member) not in self._snapshot.scores:
                plan = Plan()
                plan.add_window(key, spans, member)
                raise Need(plan)
            before = self._snapshot.scores[key, member]
        self._write(key, spans, member, score, before)

    def _write(self, key: str, spans: Spans, member: str, score: float, before: float | None) -> None:
        moved = self._moved
        for within in spans:
            since = self._since.get(within)
            if since is None:
                since = self._since[within] = to_ms(self._now - within)
            change = int(score >= since) - int(before is not None and before >= since)
            moved[key, within] = moved.get((key, within), 0) + change
        moved[key, FIRING_NOW] = moved.get((key, FIRING_NOW), 0) + int(score == FIRES) - int(before == FIRES)
        self._scores.setdefault(key, {})[member] = score
        commit = self._commit
        commit.windows.setdefault(key, {})[member] = FIRING_SCORE if score == FIRES else int(score)
        commit.window_spans[key] = spans[-1] + SLACK
        commit.windows_firing[key] = self._count(key, spans, FIRING_NOW)

    def _top(self, key: str, wanted: int) -> list[float]:
        """Return the scores of the latest members, latest first."""
        loaded = self._snapshot.tops.get(key)
        if loaded is None:
            plan = Plan()
            plan.tops[key] = wanted
            raise Need(plan)
        moved = self._scores.get(key, {})
        scores = [score for member, score in loaded if member not in moved]
        return sorted((*scores, *moved.values()), reverse=True)

    def _latest(self, key: str) -> float:
        return next(score for score in self._top(key, LATEST) if score != FIRES)


def _spans(hit: Hit, label: str) -> Spans:
    return next(spread.withins for spread in hit.rule.spreads if spread.label == label)
