"""The post-mortem as Markdown: valid CommonMark with tables, in which nothing foreign can become markup. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from incidents.incident import Incident
from incidents.markdown import inline, link, paragraph
from incidents.postmortem.draft import Draft, Line
from incidents.postmortem.numbers import MergedTimes
from incidents.postmortem.people import Participant
from incidents.postmortem.values import PostmortemState
from incidents.postmortem.words import moment, plural, told
from incidents.texts import one_line

PICTURE = "picture.svg"
_NONE = "None."
STATES = {
    PostmortemState.DRAFT: "Draft",
    PostmortemState.REVIEW: "In review",
    PostmortemState.PUBLISHED: "Published",
}


def as_markdown(draft: Draft, *, picture: str = PICTURE) -> str:
    """Return a post-mortem as Markdown; `picture` is where the picture of the incident is, empty for none."""
    parts = [
        f"# Post-mortem of {draft.id}: {inline(draft.title)}",
        _standing(draft),
        "## In short",
        " ".join(map(inline, draft.in_short)),
        "## Summary",
        paragraph(draft.summary) or "_Nobody wrote a summary._",
        *([f"![The incident from its first alert to its end]({picture})"] if picture else []),
        *_sections(draft, first=True),
        "## Numbers",
        _table(
            ("what", "how much"),
            [*number_rows(draft), *((inline(what), inline(much)) for what, much in budget_rows(draft))],
        ),
        "## What was missing",
        _listed(f"**{moment(gap.at)}:** {inline(gap.text)}{_ids(gap.entries)}" for gap in draft.gaps),
        "## People",
        _table(("who", "roles", "paged", "entries"), [_person(each) for each in draft.people])
        if draft.people
        else _NONE,
        "### Who had to know",
        _listed(
            f"{inline(each.name)} ({inline(each.kind)}{', outside' * each.external})" for each in draft.stakeholders
        ),
        "### What was told",
        _listed(f"{moment(line.at)}, {inline(line.actor)}: {inline(line.text)}" for line in draft.communications),
        "## Objectives",
        _listed(f"{inline(text)}: {inline(met)}" for text, met in objective_rows(draft)),
        *_sections(draft, first=False),
        "## Action plan",
        *_plan(draft),
        "## Timeline",
        *_timeline(draft),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _standing(draft: Draft) -> str:
    said = [
        f"{STATES[draft.state]}, version {draft.version}",
        f"{draft.severity} {draft.status}",
        f"criterion {inline(draft.criterion)}",
        f"team {inline(draft.team)}",
        *([f"rules {inline(', '.join(draft.rules))}"] if draft.rules else ["declared by hand"]),
        *(f"{inline(name)} = {inline(value)}" for name, value in draft.identity.items()),
    ]
    runbook = f"\n\nRunbook: {link(draft.runbook, draft.runbook)}" if draft.runbook else ""
    return " · ".join(said) + runbook


def _sections(draft: Draft, *, first: bool) -> Iterator[str]:
    """Yield the sections for people: the first stands before the numbers, the others after the objectives."""
    for section in draft.sections[:1] if first else draft.sections[1:]:
        yield f"## {section.title}"
        yield paragraph(section.text) or f"_{section.prompt}_"


def number_rows(draft: Draft) -> list[tuple[str, str]]:
    """Return the numbers as pairs of what and how much."""
    numbers, pages = draft.numbers, draft.numbers.pages
    return [
        ("began", moment(numbers.began_at) or "not known: no alert told of it"),
        ("declared", moment(numbers.declared_at)),
        *((f"{each.incident}, merged into it", _merged(each, draft.id)) for each in numbers.merged),
        ("time to detect, from the start of its first alert until declared", told(numbers.time_to_detect)),
        ("time to declare, from when its first alert arrived", told(numbers.time_to_declare)),
        ("time to acknowledge, from declared", _took(numbers.time_to_acknowledge)),
        ("time to mitigate, from declared", _took(numbers.time_to_mitigate)),
        ("time to resolve, from declared", _took(numbers.time_to_resolve)),
        *((f"time in {each.severity}", told(each.seconds)) for each in numbers.severities),
        ("alerts", str(numbers.alerts)),
        ("pages sent", f"{pages.sent} to {plural(pages.people, 'person', 'people')}"),
        ("pages late", str(pages.late)),
        ("attempts failed", f"{pages.failed}, given up: {pages.given_up}"),
        ("reopened", plural(numbers.reopened, "time")),
    ]


def _merged(times: MergedTimes, into: str) -> str:
    declared = f"declared {moment(times.declared_at)} as {times.severity}, " if times.declared_at else ""
    return f"{declared}merged {moment(times.merged_at)}; the times below are those of {into} alone"


def budget_rows(draft: Draft) -> list[tuple[str, str]]:
    """Return how much of each error budget was burnt, as pairs of what and how much."""
    return [
        (
            f"error budget burnt of {burnt.slo}",
            f"{burnt.minutes:.3g} of {burnt.of_minutes:.4g} min"
            if burnt.minutes is not None
            else burnt.why or "not known",
        )
        for burnt in draft.error_budgets
    ]


def _took(seconds: float | None) -> str:
    return "it was not" if seconds is None else told(seconds)


def _person(person: Participant) -> tuple[str, str, str, str]:
    return inline(person.person), roles_told(person), str(person.paged), str(person.entries)


def roles_told(person: Participant) -> str:
    """Return the roles of somebody, with from when until when."""
    return "; ".join(
        f"{held.role.value.replace('_', ' ')} {_clock(held.since)} to {_clock(held.until) or 'the end'}"
        for held in person.roles
    )


def objective_rows(draft: Draft) -> list[tuple[str, str]]:
    """Return the objectives with what became of each."""
    return [
        (
            each.text,
            f"met {moment(each.met_at)}" + (f" by {each.met_by}" if each.met_by else "") if each.met else "unmet",
        )
        for each in draft.objectives
    ]


def _plan(draft: Draft) -> Iterator[str]:
    if not draft.action_plan:
        yield "_Nothing was planned. What has to change so that it does not happen again, who does it, and until when?_"
        return
    yield _table(
        ("what", "owner", "due", "state", "where"),
        [
            (inline(each.text), inline(each.owner) or "nobody", each.due, each.state, link(each.link, each.link))
            for each in draft.action_plan
        ],
    )


def _timeline(draft: Draft) -> Iterator[str]:
    yield _table(COLUMNS, (line_cells(line) for line in draft.timeline))
    if draft.entries_left_out:
        yield f"{plural(draft.entries_left_out, 'more entry', 'more entries')} stand in the timeline itself."


COLUMNS = ("at (UTC)", "by its source", "what", "who", "text", "entry")


def timeline_head(incident: Incident) -> str:
    """Return what stands above the rows of a whole timeline."""
    return f"# Timeline of {incident.id}: {inline(incident.title)}\n\n" + _table(COLUMNS, ()) + "\n"


def timeline_rows(lines: Iterable[Line]) -> str:
    """Return rows of a timeline, each with its line break."""
    return "".join(f"{_row(line_cells(line))}\n" for line in lines)


def line_cells(line: Line, *, escaped: bool = True) -> tuple[str, ...]:
    """Return the cells of a line, as Markdown or as they are."""
    shown = inline if escaped else one_line
    said = (f"{shown(each.actor)} corrects it: {shown(each.text)}" for each in line.corrections)
    corrected = "".join(f" ({each})" for each in said)
    at = f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    source = f"{line.source_at:%Y-%m-%d %H:%M:%S}" if line.source_at else ""
    return at, source, line.kind.value.replace("_", " "), shown(line.actor), shown(line.text) + corrected, line.id


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of cells that are Markdown already: what is foreign in them is escaped."""
    head = tuple(columns)
    return "\n".join((_row(head), "|" + " --- |" * len(head), *map(_row, rows)))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ids(entries: tuple[str, ...]) -> str:
    return f" ({', '.join(entries)})" if entries else ""


def _listed(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items) or _NONE


def _clock(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
