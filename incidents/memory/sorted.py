"""What the store keeps in order: members by score, and the windows of counting rules. Pure."""

import heapq
from bisect import bisect_left, insort
from collections.abc import Mapping

FIRING = float("inf")


class Scored:
    """Members by score, the lowest first; ties in the order of the members."""

    def __init__(self) -> None:
        self.scores: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []  # may hold what was moved or taken away since

    def put(self, member: str, score: int) -> None:
        """Set the score of a member."""
        if self.scores.get(member) != score:
            self.scores[member] = score
            heapq.heappush(self._heap, (score, member))

    def drop(self, member: str) -> None:
        """Take a member away, if it is there."""
        self.scores.pop(member, None)

    def first(self) -> int | None:
        """Return the lowest score."""
        while self._heap and self.scores.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def until(self, score: int, limit: int) -> list[tuple[str, int]]:
        """Return so many members up to a score, which stay."""
        found: dict[str, int] = {}
        while len(found) < limit and (first := self.first()) is not None and first <= score:
            member = heapq.heappop(self._heap)[1]
            found[member] = first
        for member, kept in found.items():
            heapq.heappush(self._heap, (kept, member))
        return list(found.items())


class Window:
    """The alerts of a counting rule and identity by when they last fired; exact, whatever its size."""

    def __init__(self) -> None:
        self.scores: dict[str, float] = {}
        self.expires_ms: int | None = None
        self._ended: list[tuple[float, str]] = []
        self._firing: set[str] = set()

    def move(self, members: Mapping[str, int | str], until: int) -> None:
        """Set the scores of members (`+inf`: fires now), and let go of what ended until then."""
        for member, stored in members.items():
            self._remove(member)
            score = float(stored)
            self.scores[member] = score
            if score == FIRING:
                self._firing.add(member)
            else:
                insort(self._ended, (score, member))
        gone = bisect_left(self._ended, (float(until) + 0.5, ""))
        for _, member in self._ended[:gone]:
            del self.scores[member]
        del self._ended[:gone]

    def count(self, since: int) -> int:
        """Return how many members were firing at or after an instant."""
        return len(self._firing) + len(self._ended) - bisect_left(self._ended, (float(since), ""))

    @property
    def firing(self) -> int:
        """How many fire now."""
        return len(self._firing)

    def firing_now(self, limit: int) -> tuple[str, ...]:
        """Return members that fire now."""
        return tuple(sorted(self._firing)[:limit])

    def latest(self, since: int, limit: int) -> tuple[str, ...]:
        """Return the members that count since an instant, the last ones first."""
        ended = self._ended[bisect_left(self._ended, (float(since), "")) :]
        return (*sorted(self._firing, reverse=True), *(member for _, member in reversed(ended)))[:limit]

    def _remove(self, member: str) -> None:
        before = self.scores.get(member)
        if before is None:
            return
        if before == FIRING:
            self._firing.discard(member)
        else:
            del self._ended[bisect_left(self._ended, (before, member))]
