"""Runs one test: feeds its events under a virtual clock, and holds what came of them against what is wanted. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from incidents.errors import TransitionNotAllowed
from incidents.values import PageReason
from rules.deciding.work import Arrival, Received
from rules.durations import format_duration
from rules.evaluate import Verdict
from rules.index import Hit
from rules.loading.nodes import Node
from rules.model import RuleSet
from rules.simulation.simulation import Looked, Simulation, UnknownName
from rules.testing.compare import Difference, differences, holds, in_order, shown
from rules.testing.coverage import Seen
from rules.testing.model import Expectation, Failure, Result, Step, Test, Wanted
from rules.testing.observe import Got, entries_of, escalations_of, incidents_of, pages_of, would_be_of
from rules.testing.reasons import Reasons

MOST_UNWANTED = 5


def run_test(file: str, test: Test, rule_set: RuleSet, seen: Seen | None = None) -> Result:
    """Run a test; `seen` collects what it covers."""
    run = _Run(test, rule_set, seen or Seen(rule_set))
    failures: list[Failure] = []
    try:
        failures.extend(run.failures())
    except Exception as error:  # noqa: BLE001 - the border of one test: what goes wrong in it fails it alone
        failures.append(run.broken(error))
    outcome = "failed" if failures else "passed"
    if test.todo:
        outcome = "todo" if failures else "passes_now"
    return Result(
        file=file, line=test.node.line, name=test.name, outcome=outcome, todo=test.todo, failures=tuple(failures)
    )


class _Run:
    def __init__(self, test: Test, rule_set: RuleSet, seen: Seen) -> None:
        self._test = test
        self._seen = seen
        self._heard: dict[tuple[str, str], tuple[datetime, Looked]] = {}
        self._simulation = Simulation(rule_set, test.start, watch=self._hear, beats_go_on=True)
        self._start = self._simulation.now
        self._why = Reasons(self._simulation, self._start, self._heard)

    def _hear(self, hit: Hit, verdict: Verdict, now: datetime) -> None:
        self._heard[hit.rule.id, hit.identity_key] = (now, Looked(hit, verdict))
        self._seen.hear(hit, verdict, now)

    def failures(self) -> Iterator[Failure]:
        """Run to the end, and yield whatever does not hold on the way."""
        steps = [(step.at, 0, step) for step in self._test.steps]
        expectations = [(each.at, 1, each) for each in self._test.expectations]
        ordered = sorted([*steps, *expectations], key=lambda each: each[:2])
        for (at, _), group in groupby(ordered, key=lambda each: each[:2]):
            self._simulation.advance_to(self._start + at)
            happening = [each[2] for each in group]
            yield from self._happen([each for each in happening if isinstance(each, Step)])
            for each in happening:
                if isinstance(each, Expectation):
                    yield from self._expect(each)
            self._seen.look(self._simulation)

    def broken(self, error: Exception) -> Failure:
        """Return what a fault of ours means for the test: it says nothing of the rules."""
        said = f"deciding raised {type(error).__name__}: {error}"
        return self._failure(self._test.node, self._simulation.now - self._start, "event", got=said)

    # Events

    def _happen(self, steps: Sequence[Step]) -> Iterator[Failure]:
        together: list[Arrival | Received] = []
        for step in steps:
            try:
                for event in step.make(self._simulation, step.number):
                    self._seen.feed(event)
                    if isinstance(event, Arrival | Received):
                        together.append(event)
                    else:
                        self._feed(together)
                        self._simulation.feed(event)
            except (TransitionNotAllowed, UnknownName) as error:
                yield self._failure(step.node, step.at, "event", got=str(error))
        self._feed(together)

    def _feed(self, together: list[Arrival | Received]) -> None:
        if together:
            self._simulation.feed_batch(together)
            together.clear()

    # Expectations

    def _expect(self, wanted: Expectation) -> Iterator[Failure]:
        simulation, start = self._simulation, self._start
        if wanted.incidents is not None:
            yield from self._incidents(wanted, wanted.incidents, incidents_of(simulation, start))
        for subject, listed, got in (
            ("would_declare", wanted.would_declare, would_be_of),
            ("pages", wanted.pages, pages_of),
            ("escalations", wanted.escalations, escalations_of),
        ):
            if listed is not None:
                yield from self._all_different(wanted, subject, differences(listed, got(simulation, start)))
        yield from self._timeline(wanted, wanted.timeline, None)
        for entry in wanted.no_timeline:
            for got_entry in entries_of(simulation, start):
                if holds(entry, got_entry):
                    _, said = Difference(None, got_entry).said("timeline")
                    yield self._failure(entry.node, wanted.at, "no_timeline", f"none of {shown(entry.fields)}", said)

    def _incidents(self, wanted: Expectation, listed: Sequence[Wanted], got: Sequence[Got]) -> Iterator[Failure]:
        different = differences(listed, got)
        yield from self._all_different(wanted, "incidents", different)
        missed = [each.wanted for each in different]
        for one in listed:
            if one.timeline and one not in missed:
                names = [each.name for each in got if holds(one, each)]
                yield from self._timeline(wanted, one.timeline, names[:1])

    def _timeline(self, wanted: Expectation, listed: Sequence[Wanted], names: list[str] | None) -> Iterator[Failure]:
        entries = entries_of(self._simulation, self._start, names)
        missing = in_order(listed, entries)
        if missing is not None:
            kind = missing.fields.get("kind")
            alike = [each for each in entries if kind is None or each.fields["kind"] == kind]
            why = [f"there is {Difference(None, each).said('timeline')[1]}" for each in alike[-5:]]
            if any(holds(missing, each) for each in entries):
                why.insert(0, "it is there, but before one that is listed above it")
            none = (f"the timeline has no entry of the kind {kind}" if kind else "the timelines are empty",)
            yield self._failure(missing.node, wanted.at, "timeline", shown(missing.fields), "", tuple(why) or none)

    def _all_different(self, wanted: Expectation, subject: str, found: Sequence[Difference]) -> Iterator[Failure]:
        """Show what differs; of what nobody expected only the first few, for a storm would fill the screen."""
        unwanted = 0
        for each in found:
            unwanted += each.wanted is None
            if unwanted <= MOST_UNWANTED:
                yield self._different(wanted, subject, each)
        if unwanted > MOST_UNWANTED:
            more = f"{unwanted - MOST_UNWANTED} more that are not expected"
            yield self._failure(wanted.node, wanted.at, subject, got=more)

    def _different(self, wanted: Expectation, subject: str, difference: Difference) -> Failure:
        node = difference.wanted.node if difference.wanted is not None else wanted.node
        return self._failure(node, wanted.at, subject, *difference.said(subject), self._reasons(subject, difference))

    def _reasons(self, subject: str, difference: Difference) -> tuple[str, ...]:
        wanted, got = difference
        if got is None:
            fields = wanted.fields if wanted is not None else {}
            if subject == "would_declare":
                return self._why.no_would_be(fields)
            if subject == "incidents":
                return self._why.no_incident(fields)
            return (*self._listed_elsewhere(subject, wanted), *self._why.no_page(fields.get("to", "")))
        if subject == "would_declare":
            return ()
        if subject in {"pages", "escalations"}:
            return self._why.page(got.name, got.fields["at"])
        differing = (
            [name for name, value in wanted.fields.items() if value != got.fields[name]] if wanted is not None else []
        )
        return self._why.incident(got.name, differing)

    def _listed_elsewhere(self, subject: str, wanted: Wanted | None) -> tuple[str, ...]:
        """Say of an escalation that is missing whether it is a page with another reason."""
        if subject != "escalations" or wanted is None:
            return ()
        fields, reason = wanted.fields, PageReason.UNACKNOWLEDGED.value
        for page in pages_of(self._simulation, self._start):
            is_alike = any(name in fields and fields[name] == page.fields[name] for name in ("to", "at"))
            if is_alike and page.fields["reason"] != reason:
                return (f"there is {Difference(None, page).said('pages')[1]}, which is expected under pages",)
        return ()

    def _failure(
        self, node: Node, at: timedelta, subject: str, expected: str = "", got: str = "", why: tuple[str, ...] = ()
    ) -> Failure:
        return Failure(
            line=node.line,
            column=node.column,
            at=format_duration(at),
            subject=subject,
            expected=expected,
            got=got,
            why=why,
        )
