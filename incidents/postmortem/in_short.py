"""An incident in a few sentences, for whoever reads no further: from the record alone, always in the same words. Pure.

Nothing is judged here, and nothing is said that the numbers and the timeline do not say.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from incidents.post_incident_actions import ActionState
from incidents.postmortem.numbers import Numbers
from incidents.postmortem.record import Record, text_in
from incidents.postmortem.spans import role_spans, severity_spans
from incidents.postmortem.words import moment, plural, told
from incidents.timeline import SYSTEM, EntryKind
from incidents.values import IncidentStatus, Role, Severity

NAMED = 5  # audiences, actions and the like; of more it is said how many they are


def in_short(record: Record, numbers: Numbers) -> tuple[str, ...]:
    """Return the sentences."""
    parts = (_declared, _severities, _commanded, _course, _paged, _done, _audiences, _budgets, _planned)
    return tuple(sentence for part in parts for sentence in part(record, numbers))


def _declared(record: Record, numbers: Numbers) -> Iterator[str]:
    incident = record.incident
    severity = severity_spans(record)[0].what
    who = f"The rule {incident.rule} declared it" if incident.rule else f"{_declarer(record)} declared it by hand"
    late = f", {told(numbers.time_to_detect)} after its first alert began" if numbers.time_to_detect else ""
    yield f"{who} at {moment(incident.declared_at)} as {severity}{late}."


def _declarer(record: Record) -> str:
    return next((entry.actor for entry in record.entries if entry.kind is EntryKind.INCIDENT_DECLARED), "somebody")


def _severities(record: Record, numbers: Numbers) -> Iterator[str]:
    gravest = numbers.severities[0] if len(numbers.severities) > 1 else None
    if gravest is not None:
        last = record.incident.severity
        became = f" and {last} in the end" if last is not gravest.severity else ""
        yield f"It was {gravest.severity} at its gravest, for {told(gravest.seconds)}{became}."


def _commanded(record: Record, numbers: Numbers) -> Iterator[str]:
    del numbers
    spans = [span for span in role_spans(record) if span.role is Role.INCIDENT_COMMANDER]
    names = list(dict.fromkeys(span.person for span in spans))
    yield f"{', then '.join(_few(names))} commanded it." if names else "Nobody commanded it."


def _course(record: Record, numbers: Numbers) -> Iterator[str]:
    took = [
        ("acknowledged", numbers.time_to_acknowledge),
        ("mitigated", numbers.time_to_mitigate),
    ]
    said = [f"{what} after {told(seconds)}" for what, seconds in took if seconds is not None]
    if numbers.time_to_acknowledge is None:
        yield "Nobody acknowledged it."
    match record.incident.status:
        case IncidentStatus.RESOLVED:
            said.append(f"resolved after {told(numbers.time_to_resolve)}")
        case IncidentStatus.DISMISSED:
            said.append(f"dismissed after {told(numbers.time_to_resolve)}: it was no incident")
        case _:
            yield "It is not over yet."
    if said:
        yield f"It was {_joined(said)}."
    if numbers.reopened:
        yield f"It was reopened {_often(numbers.reopened)}."


def _paged(record: Record, numbers: Numbers) -> Iterator[str]:
    del record
    pages = numbers.pages
    if not pages.sent:
        yield "Nobody was paged." if not pages.failed else "No page reached anybody."
        return
    late = f", {pages.late} of them late" if pages.late else ""
    failed = f"; {plural(pages.failed, 'attempt')} failed" if pages.failed else ""
    yield f"{plural(pages.sent, 'page')} went to {plural(pages.people, 'person', 'people')}{late}{failed}."


def _done(record: Record, numbers: Numbers) -> Iterator[str]:
    del numbers
    found = [entry for entry in record.entries if entry.kind is EntryKind.CORRECTIVE_ACTION]
    if found:
        named = _few([f"{text_in(entry.data, 'kind') or 'an action'} ({entry.actor})" for entry in found])
        yield f"What was done about it: {', '.join(named)}."


def _audiences(record: Record, numbers: Numbers) -> Iterator[str]:
    del numbers
    counts = Counter(
        text_in(entry.data, "audience")
        for entry in record.entries
        if entry.kind is EntryKind.COMMUNICATION and entry.actor != SYSTEM and text_in(entry.data, "audience")
    )
    if counts:
        told_to = _few([f"{name} {_often(number)}" for name, number in sorted(counts.items())])
        yield f"Who was told: {', '.join(told_to)}."
    elif record.incident.severity in (Severity.SEV1, Severity.SEV2):
        yield "No audience was told of it."


def _budgets(record: Record, numbers: Numbers) -> Iterator[str]:
    del numbers
    for burnt in record.incident.burnt[:NAMED]:
        if burnt.minutes is not None:
            much = f"{burnt.minutes:.3g} of the {burnt.of_minutes:.4g} minutes"
            yield f"It burnt {much} of the error budget of {burnt.slo}."


def _planned(record: Record, numbers: Numbers) -> Iterator[str]:
    del numbers
    plan = record.incident.post_incident_actions
    if plan:
        waiting = [each for each in plan if each.state is ActionState.OPEN]
        said = [
            f"{number} {what}"
            for what, number in (
                ("done", sum(each.state is ActionState.DONE for each in plan)),
                ("open without an owner", sum(not each.owner for each in waiting)),
                ("open without a due date", sum(each.due is None for each in waiting)),
            )
            if number
        ]
        stand = "stands" if len(plan) == 1 else "stand"
        yield f"{plural(len(plan), 'post-incident action')} {stand} in the plan" + (
            f", {_joined(said)}." if said else "."
        )


def _often(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _few(names: Sequence[str]) -> list[str]:
    return [*names[:NAMED], *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])]


def _joined(parts: Sequence[str]) -> str:
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
