"""What deciding says of each event of a batch, noted for the journal. Pure; nothing is noted where nobody asks.

Noting costs little while it is done and its words are made at the end, for a batch may be decided several times over.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from incidents.clock import from_ms
from incidents.commit import TIMER_BEATS, Commit
from incidents.journal.lines import CODES, Answer, Became, Decided, Decision, Did, Said, TimerRan
from incidents.page import Page
from incidents.timeline import Entry
from rules.deciding.work import DueTimer
from rules.index import Hit
from rules.verdicts import Trace, Verdict

_NONE_ASIDE: Mapping[int, str] = {}
_ALL_READ: Mapping[str, str] = {}
REMEMBERED = 20_000
_ASKED: dict[int, tuple[object, str, str]] = {}
MOST = 200  # answers and incidents that are spelled out for one event


class Judged(NamedTuple):
    """What a rule said of an event, and the open incident that the event belongs to by that."""

    hit: Hit
    verdict: Verdict
    incident: str | None


class _Noted(NamedTuple):
    """What is known of one event once it was decided."""

    judged: Sequence[Judged]
    entries: Sequence[tuple[str, Entry]]
    pages: Sequence[Page]


class Notes:
    """The notes of one batch; each time that it is decided they begin anew."""

    def __init__(self) -> None:
        self.begin(Commit(from_ms(0)))

    def begin(self, commit: Commit) -> None:
        """Begin to note what fills a commit."""
        self._commit = commit
        self._judged: list[Judged] = []
        self._entries = self._pages = 0
        self._events = 0
        self._became: dict[int, Became] = {}  # by place; what is not here repeats what was known
        self._noted: dict[int, _Noted] = {}
        self._timers: list[tuple[DueTimer, _Noted]] = []

    def judged(self, hit: Hit, verdict: Verdict, incident: str | None) -> None:
        """Note what a rule said of the event that is being decided, and the incident that it belongs to by that."""
        self._judged.append(Judged(hit, verdict, incident))

    def event(self, became: Became) -> None:
        """Note that the next event of the batch is decided."""
        place = self._events
        self._events = place + 1
        if became is not Became.REPEATED:
            self._became[place] = became
        if self._judged or len(self._commit.entries) != self._entries or len(self._commit.pages) != self._pages:
            self._noted[place] = self._since()

    def timer(self, timer: DueTimer) -> None:
        """Note that a timer ran."""
        noted = self._since()
        if timer.member != TIMER_BEATS:
            self._timers.append((timer, noted))

    def _since(self) -> _Noted:
        entries, pages = self._commit.entries, self._commit.pages
        noted = _Noted(self._judged, entries[self._entries :], pages[self._pages :])
        self._judged, self._entries, self._pages = [], len(entries), len(pages)
        return noted

    def decided(
        self,
        *,
        start: str,
        end: str,
        at: datetime,
        rules: str,
        aside: Mapping[int, str] = _NONE_ASIDE,
        unreadable: Mapping[str, str] = _ALL_READ,
    ) -> Decided:
        """Return what was decided about the events between two cursors, and about the timers.

        `aside` says why some of the events, by their place among all, were not decided but quarantined.
        """
        places = [place for place in range(self._events + len(aside)) if place not in aside] if aside else None
        became = bytearray(CODES[Became.REPEATED].encode() * (self._events + len(aside)))
        for place, word in self._became.items():
            became[places[place] if places else place] = ord(CODES[word])
        decisions = {places[place] if places else place: _decision(noted) for place, noted in self._noted.items()}
        told = self._since()  # of what could not be judged
        for place, error in aside.items():
            became[place] = ord(CODES[Became.QUARANTINED])
            decisions[place] = Decision(error=error, did=_did(told.entries, told.pages))
        return Decided(
            start=start,
            end=end,
            at=at,
            rules=rules,
            became=became.decode(),
            decisions=decisions,
            unreadable=dict(unreadable),
            timers=tuple(
                TimerRan(timer=timer.member, due_at=timer.due_at, decision=_decision(noted))
                for timer, noted in self._timers
            ),
        )


def _decision(noted: _Noted) -> Decision:
    said = tuple(said_of(each) for each in noted.judged[:MOST])
    return Decision(said=said, did=_did(noted.entries, noted.pages) if noted.entries or noted.pages else ())


def said_of(judged: Judged) -> Said:
    """Return what a rule said as it is kept and told."""
    hit, verdict, incident = judged
    tier = verdict.tier
    return Said(
        rule=hit.rule.id,
        outcome=verdict.outcome,
        tier=tier.index if tier is not None else 0,
        incident=incident or "",
        due=verdict.due,
        error=verdict.error,
        answers=answers_of(verdict.conditions) if verdict.conditions else (),
    )


def answers_of(traces: Iterable[Trace]) -> tuple[Answer, ...]:
    """Return the answers of conditions as they are kept and told."""
    return tuple([_answer(trace) for trace in traces][:MOST])


def _answer(trace: Trace) -> Answer:
    tier, asked, state, due = trace.tier, trace.asked, trace.state, trace.due
    known = _ASKED.get(id(asked))
    if known is None or known[0] is not asked:
        known = _ask(trace)
    wanted = trace.wanted if trace.failed is not None else known[2]
    return Answer(tier=tier, condition=known[1], state=state, got=trace.got, wanted=wanted, due=due)


def _ask(trace: Trace) -> tuple[object, str, str]:
    """Remember the words for a condition of a rule, which is held so that no other takes its place meanwhile."""
    if len(_ASKED) >= REMEMBERED:
        _ASKED.clear()
    known = (trace.asked, trace.condition, trace.wanted if trace.failed is None else "")
    if trace.failed is None:
        _ASKED[id(trace.asked)] = known
    return known


def absorbed_in(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the rules whose findings a storm took in, by what was written on its timeline."""
    return tuple([entry.data["rule"] for entry in entries if "absorbed" in entry.data])


def _did(entries: Sequence[tuple[str, Entry]], pages: Sequence[Page]) -> tuple[Did, ...]:
    written: dict[str, list[str]] = {}
    paged: dict[str, list[str]] = {}
    for incident, entry in entries:
        written.setdefault(incident, []).append(entry.kind.value)
    for page in pages:
        if page.over:  # tells, and expects nothing back
            continue
        paged.setdefault(page.incident_id, []).append(page.person)
    names = list(dict.fromkeys((*written, *paged)))[:MOST]
    return tuple(
        Did(
            incident=name,
            entries=tuple(written.get(name, ())),
            paged=tuple(paged.get(name, ())),
            absorbed=absorbed_in(entry for incident, entry in entries if incident == name),
        )
        for name in names
    )
