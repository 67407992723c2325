"""Asks Prometheus, question by question, as often as each is due; the answers enter the stream as facts.

A few threads of their own wait for Prometheus, so that nothing else does. Where it is away, one question after another
finds that out, and the others are not asked until it is back.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from incidents.errors import StoreUnavailable
from incidents.facts import SOURCE, Fact, fact_id
from incidents.incident import Incident
from incidents.incoming import Incoming
from incidents.store.facts import FactStore
from incidents.store.intake import Intake
from rules.measuring import from_params
from rules.model import RuleSet
from rules.questions import every, question_of, questions_of
from workers.gone_slos import GoneSlos
from workers.prometheus import Answer, Prometheus
from workers.stepping import Stepping

LOG = structlog.get_logger()

AT_ONCE = 4  # questions that wait for Prometheus together
STEP_SECONDS = 0.25
REFRESH_SECONDS = 2.0
FORGET_SECONDS = 600.0
SETTLED = timedelta(seconds=15)  # after its end, the last samples of an incident are there
SPAN_EVERY = 60.0
GIVEN_UP = timedelta(days=1)
SHORTEST_SPAN = timedelta(minutes=1)


class Question(NamedTuple):
    """What is asked: PromQL as of now, or of an incident's end over the time that it was open."""

    promql: str
    at: datetime | None = None
    incident: str = ""
    slo: str = ""


class _Turn:
    """When a question is due, in monotonic time, and what was last told of it."""

    def __init__(self, seconds: float) -> None:
        self.every = seconds
        self.due = 0.0
        self.answer: Fact | None = None  # the last that came
        self.told: tuple[str, bool] | None = None  # why there was no answer, and whether the last was stale by then


class Asking(Stepping):
    """Keeps the questions and their turns. One thread steps."""

    def __init__(
        self,
        *,
        prometheus: Callable[[], Prometheus],
        rule_set: Callable[[], RuleSet],
        store: FactStore,
        intake: Intake,
        least: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__("asking", seconds=STEP_SECONDS, failed="facts_not_asked")
        self._prometheus = prometheus
        self._rule_set = rule_set
        self._store = store
        self._intake = intake
        self._gone = GoneSlos(store, intake)
        self._least = least
        self._now = now
        self._turns: dict[Question, _Turn] = {}
        self._asked: queue.SimpleQueue[Question] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[tuple[Question, datetime, Answer]] = queue.SimpleQueue()
        self._under_way: set[Question] = set()
        self._spans: dict[str, dict[str, tuple[datetime, Answer]]] = {}  # incident -> slo -> answer
        self._failures = 0
        self._away = ""  # why Prometheus is taken to be away
        self._refresh_at = self._forget_at = 0.0
        self._threads: list[threading.Thread] = []

    def step(self) -> None:
        """Take the answers that came in, and ask what is due; never waits for Prometheus."""
        if time.monotonic() >= self._refresh_at:
            self._refresh_at = time.monotonic() + REFRESH_SECONDS  # what raises would do so again at once
            try:
                self._refresh()
            except StoreUnavailable:
                self._refresh_at = 0.0
                raise
        self._append([*self._take(), *self._ask()])

    # Which questions

    def _refresh(self) -> None:
        rule_set, now = self._rule_set(), self._now()
        self._gone.resolve(rule_set, now)
        wanted = [Question(promql) for promql in (*questions_of(rule_set), *self._store.wanted(now))]
        for incident in self._store.awaited():
            wanted += _of_incident(incident, rule_set, now)
        turns = self._turns
        self._turns = {each: turns.get(each) or _Turn(self._every(each)) for each in dict.fromkeys(wanted)}
        self._spans = {name: answers for name, answers in self._spans.items() if self._is_awaited(name)}
        if time.monotonic() >= self._forget_at:
            self._store.forget(frozenset(fact_id(each.promql) for each in self._turns), now)
            self._forget_at = time.monotonic() + FORGET_SECONDS

    def _every(self, question: Question) -> float:
        return SPAN_EVERY if question.incident else every(question.promql, self._least).total_seconds()

    def _is_awaited(self, incident: str) -> bool:
        return any(question.incident == incident for question in self._turns)

    # Asking

    def _ask(self) -> list[Fact]:
        """Hand out what is due, as far as threads are free; where Prometheus is away, one at a time finds out."""
        now = time.monotonic()
        due = sorted(
            (turn.due, place, each) for place, (each, turn) in enumerate(self._turns.items()) if turn.due <= now
        )
        told: list[Fact] = []
        for _, _, question in due:
            if question in self._under_way:
                continue
            turn = self._turns[question]
            if len(self._under_way) < (1 if self._away else AT_ONCE):
                turn.due = now + turn.every
                self._under_way.add(question)
                self._hand_out(question)
            elif self._away and not question.incident:
                turn.due = now + turn.every
                told += self._unanswered(question, turn, self._away)
        return told

    def _hand_out(self, question: Question) -> None:
        if len(self._threads) < AT_ONCE:
            thread = threading.Thread(target=self._wait, name=f"prometheus-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._asked.put(question)

    def _wait(self) -> None:
        prometheus = self._prometheus()
        while True:
            question = self._asked.get()
            at = question.at or self._now()
            self._answered.put((question, at, prometheus.ask(question.promql, question.at)))

    # Answers

    def _take(self) -> list[Fact]:
        facts: list[Fact] = []
        while True:
            try:
                question, at, answer = self._answered.get_nowait()
            except queue.Empty:
                return facts
            self._under_way.discard(question)
            self._heard_of(answer)
            turn = self._turns.get(question)
            if turn is None:
                continue
            if question.incident:
                facts += self._span(question, at, answer)
            elif answer.answered:
                turn.told = None
                if answer.value is None:  # what is not there yet may be there soon
                    turn.due = min(turn.due, time.monotonic() + self._least.total_seconds())
                turn.answer = _fact(question, turn, at, answer)
                facts.append(turn.answer)
            else:
                facts += self._unanswered(question, turn, answer.why)

    def _heard_of(self, answer: Answer) -> None:
        if answer.answered:
            if self._away:
                LOG.info("prometheus_answers_again")
                for turn in self._turns.values():
                    turn.due = 0.0
            self._failures, self._away = 0, ""
            return
        self._failures += 1
        if self._failures == AT_ONCE:
            LOG.warning("prometheus_away", reason=answer.why)
        if self._failures >= AT_ONCE:
            self._away = answer.why

    def _unanswered(self, question: Question, turn: _Turn, why: str) -> list[Fact]:
        """Tell that there was no answer, once, and once more when what was known is stale: that is looked at anew."""
        now = self._now()
        saying = why, turn.answer is not None and now > turn.answer.stale_at
        if turn.told == saying:
            return []
        turn.told = saying
        return [_fact(question, turn, now, Answer(None, why, answered=False))]

    def _span(self, question: Question, at: datetime, answer: Answer) -> list[Fact]:
        """Keep the answer about an incident until all of its SLOs are answered, or given up."""
        if not answer.answered and self._now() - at < GIVEN_UP:
            return []
        answers = self._spans.setdefault(question.incident, {})
        answers[question.slo] = (at, answer)
        wanted = [each for each in self._turns if each.incident == question.incident]
        if any(each.slo not in answers for each in wanted):
            return []
        told = self._spans.pop(question.incident)
        return [
            Fact(id=fact_id(each.promql), at=at, value=told[each.slo][1].value, why=told[each.slo][1].why,
                 incident=each.incident, slo=each.slo)
            for each in wanted
        ]  # fmt: skip

    def _append(self, facts: list[Fact]) -> None:
        if facts:
            incoming = [Incoming(fact=fact) for fact in facts]
            self._intake.append_incoming(source=SOURCE, incoming=incoming, received_at=self._now())


def _fact(question: Question, turn: _Turn, at: datetime, answer: Answer) -> Fact:
    return Fact(
        id=fact_id(question.promql),
        at=at,
        value=answer.value,
        why=answer.why,
        answered=answer.answered,
        every=turn.every,
    )


def _of_incident(incident: Incident, rule_set: RuleSet, now: datetime) -> Iterable[Question]:
    """Return what is asked for an incident: its objectives while it is open, what it burnt once it is over."""
    if incident.is_open:
        for objective in incident.objectives:
            measured = from_params(objective.kind, objective.params)
            promql = question_of(measured, rule_set.slos, incident.identity) if measured is not None else ""
            if promql:
                yield Question(promql)
        return
    ended = incident.resolved_at
    if ended is None or now - ended < SETTLED:
        return
    span = max(ended - incident.declared_at, SHORTEST_SPAN)
    whole = timedelta(seconds=int(span.total_seconds()))
    for name in incident.slos:
        slo = rule_set.slos.get(name)
        if slo is not None:
            yield Question(slo.ratio_over(whole), ended, incident.id, name)
