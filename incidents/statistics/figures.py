"""Computes statistics from the summaries of incidents and the counted pages. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from incidents.statistics.nights import NIGHT
from incidents.statistics.summary import Summary
from incidents.statistics.values import Group, GroupedBy, Load, Precision, Spread, Statistics, Times, Week
from incidents.values import IncidentStatus, Severity

GROUPS_SHOWN = 200
WEEK = timedelta(weeks=1)
_MEDIAN, _P90 = 0.5, 0.9
_FIRST_MONDAY = date(1970, 1, 5)
_FIRST_MONDAY_MS, _WEEK_MS = 4 * 86_400_000, 7 * 86_400_000


class Paged(NamedTuple):
    """How many pages reached a person on a day (UTC), at night or by day of the person's own clock."""

    day: date
    time: str
    person: str
    number: int


def statistics_of(
    summaries: Sequence[Summary], paged: Iterable[Paged], *, since: datetime, until: datetime, by: GroupedBy
) -> Statistics:
    """Return what incidents and pages come to; those that were declared, or reached somebody, in between.

    What was merged is part of another incident; it says nothing but that its rule declared something that was one.
    """
    found, summaries = summaries, [summary for summary in summaries if not summary.merged]
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    pages = [each for each in paged if first <= each.day <= last]
    groups = _groups(summaries, pages, by)
    statuses = Counter(summary.status for summary in summaries)
    return Statistics(
        since=_told(since),
        until=_told(until),
        by=by,
        incidents=len(summaries),
        open=_open(statuses),
        resolved=statuses[IncidentStatus.RESOLVED],
        dismissed=statuses[IncidentStatus.DISMISSED],
        pages=_pages(pages),
        night_pages=_at_night(pages),
        times=times_of(summaries),
        weeks=_weeks(summaries, pages, _mondays(first, last)),
        groups=groups[:GROUPS_SHOWN],
        groups_left_out=max(len(groups) - GROUPS_SHOWN, 0),
        rules=_precisions(found),
        people=_loads(summaries, pages),
    )


def times_of(summaries: Iterable[Summary]) -> Times:
    """Return how long it took; what was dismissed was no incident and took no time."""
    real = [summary for summary in summaries if summary.status is not IncidentStatus.DISMISSED]
    return Times(
        detect=_spread((summary.began, summary.declared) for summary in real),
        acknowledge=_spread((summary.declared, summary.acknowledged) for summary in real),
        mitigate=_spread((summary.declared, summary.mitigated) for summary in real),
        resolve=_spread(
            (summary.declared, summary.resolved) for summary in real if summary.status is IncidentStatus.RESOLVED
        ),
    )


def _spread(spans: Iterable[tuple[int | None, int | None]]) -> Spread:
    seconds = sorted(max(end - start, 0) / 1000 for start, end in spans if start is not None and end is not None)
    if not seconds:
        return Spread()
    return Spread(median=quantile(seconds, _MEDIAN), p90=quantile(seconds, _P90), count=len(seconds))


def quantile(ordered: Sequence[float], part: float) -> float:
    """Return the value below which a part of the ordered values lies, interpolated between neighbours."""
    place = (len(ordered) - 1) * part
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (place - below), 3)


def _told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Weeks


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _mondays(first: date, last: date) -> list[date]:
    begins = monday_of(first)
    return [begins + WEEK * number for number in range((monday_of(last) - begins).days // 7 + 1)]


def _weeks(summaries: Iterable[Summary], pages: Iterable[Paged] | None, mondays: Iterable[date]) -> list[Week]:
    by_week: dict[date, list[Summary]] = defaultdict(list)
    for number, members in _by_week_number(summaries).items():
        by_week[_FIRST_MONDAY + WEEK * number] = members
    pages_by_week: dict[date, list[Paged]] = defaultdict(list)
    for each in pages or ():
        pages_by_week[monday_of(each.day)].append(each)
    return [_week(monday, by_week[monday], None if pages is None else pages_by_week[monday]) for monday in mondays]


def _by_week_number(summaries: Iterable[Summary]) -> dict[int, list[Summary]]:
    """Return incidents by how many weeks after the first Monday of the epoch they were declared."""
    found: dict[int, list[Summary]] = defaultdict(list)
    for summary in summaries:
        found[(summary.declared - _FIRST_MONDAY_MS) // _WEEK_MS].append(summary)
    return found


def _week(monday: date, summaries: list[Summary], pages: list[Paged] | None) -> Week:
    severities = Counter(summary.severity for summary in summaries)
    return Week(
        begins_on=monday.isoformat(),
        incidents=len(summaries),
        severities={severity: severities[severity] for severity in Severity},
        pages=None if pages is None else _pages(pages),
        night_pages=None if pages is None else _at_night(pages),
        times=times_of(summaries),
    )


# Groups

_NAMES: Mapping[GroupedBy, Callable[[Summary], str]] = {
    GroupedBy.SERVICE: lambda summary: summary.service,
    GroupedBy.RULE: lambda summary: summary.rule or "",
    GroupedBy.SEVERITY: lambda summary: summary.severity.value,
    GroupedBy.PERSON: lambda summary: summary.commander or "",
}


def _groups(summaries: Iterable[Summary], pages: Iterable[Paged], by: GroupedBy) -> list[Group]:
    """Return the groups, those with the most incidents first; by severity, the gravest first."""
    members: dict[str, list[Summary]] = defaultdict(list)
    for summary in summaries:
        members[_NAMES[by](summary)].append(summary)
    own_pages: dict[str, list[Paged]] = defaultdict(list)
    for each in pages if by is GroupedBy.PERSON else ():
        own_pages[each.person].append(each)
    groups = [
        _group(name, members.get(name, []), own_pages.get(name, []) if by is GroupedBy.PERSON else None)
        for name in dict.fromkeys((*members, *own_pages))
    ]
    if by is GroupedBy.SEVERITY:
        return sorted(groups, key=lambda group: group.name)
    return sorted(groups, key=lambda group: (-group.incidents, -(group.pages or 0), group.name))


def _group(name: str, summaries: list[Summary], pages: list[Paged] | None) -> Group:
    statuses = Counter(summary.status for summary in summaries)
    mondays = {_FIRST_MONDAY + WEEK * number for number in _by_week_number(summaries)}
    mondays |= {monday_of(each.day) for each in pages or ()}
    return Group(
        name=name,
        incidents=len(summaries),
        open=_open(statuses),
        resolved=statuses[IncidentStatus.RESOLVED],
        dismissed=statuses[IncidentStatus.DISMISSED],
        times=times_of(summaries),
        weeks=_weeks(summaries, pages, sorted(mondays)),
        pages=None if pages is None else _pages(pages),
        night_pages=None if pages is None else _at_night(pages),
    )


def _open(statuses: Counter[IncidentStatus]) -> int:
    return statuses.total() - statuses[IncidentStatus.RESOLVED] - statuses[IncidentStatus.DISMISSED]


# Rules and people


def _precisions(summaries: Iterable[Summary]) -> list[Precision]:
    """Return how precise each rule was, the least precise first."""
    statuses: dict[str, Counter[IncidentStatus]] = defaultdict(Counter)
    for summary in summaries:
        if summary.rule is not None:
            statuses[summary.rule][summary.status] += 1
    found = [_precision(rule, counts) for rule, counts in statuses.items()]
    return sorted(found, key=lambda each: (2 if each.precision is None else each.precision, -each.declared, each.rule))


def _precision(rule: str, counts: Counter[IncidentStatus]) -> Precision:
    resolved, dismissed = counts[IncidentStatus.RESOLVED], counts[IncidentStatus.DISMISSED]
    closed = resolved + dismissed
    return Precision(
        rule=rule,
        declared=counts.total(),
        open=_open(counts),
        resolved=resolved,
        dismissed=dismissed,
        precision=round(resolved / closed, 4) if closed else None,
    )


def _loads(summaries: Iterable[Summary], pages: Iterable[Paged]) -> list[Load]:
    """Return what each person had, whoever was woken most first."""
    commanded = Counter(summary.commander for summary in summaries if summary.commander)
    paged: dict[str, list[Paged]] = defaultdict(list)
    for each in pages:
        paged[each.person].append(each)
    found = [
        Load(
            person=person,
            pages=_pages(paged.get(person, ())),
            night_pages=_at_night(paged.get(person, ())),
            incidents=commanded[person],
        )
        for person in dict.fromkeys((*paged, *commanded))
    ]
    return sorted(found, key=lambda each: (-each.night_pages, -each.pages, -each.incidents, each.person))


def _pages(pages: Iterable[Paged]) -> int:
    return sum(each.number for each in pages)


def _at_night(pages: Iterable[Paged]) -> int:
    return sum(each.number for each in pages if each.time == NIGHT)
