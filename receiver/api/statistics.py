"""Statistics over the API: as JSON, and as pictures that stand by themselves or in a page."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from incidents.statistics.figures import statistics_of
from incidents.statistics.pictures import PictureOf, PictureWidth, picture_of
from incidents.statistics.values import Group, GroupedBy, Statistics
from incidents.store import statistics as store
from receiver.api.reading import bad_parameter, one_of, text_in, words_in
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole
from rules.durations import parse_duration

SINCE = "90d"
LONGEST = timedelta(days=5 * 366)
NAMES_TOLD = 10
Word = TypeVar("Word", bound=StrEnum)


def _show(services: Services, call: Call) -> Reply:
    return Reply(_asked(services, call))


def _draw(services: Services, call: Call) -> Reply:
    of = _word(call.query, "of", PictureOf, PictureOf.TIMES)
    width = _word(call.query, "width", PictureWidth, PictureWidth.WIDE)
    statistics = _asked(services, call)
    return Reply(picture_of(statistics, of, _group(statistics, text_in(call.query, "name")), width).encode())


def _asked(services: Services, call: Call) -> Statistics:
    """Return the statistics of the stretch that is asked for, as whoever asks may see them."""
    until = _instant(call.query, "until", call.now, "0s")
    since = _instant(call.query, "since", call.now, SINCE)
    if since >= until:
        raise bad_parameter("since", "since must be before until.")
    if until - since > LONGEST:
        raise bad_parameter("since", f"A stretch has {LONGEST.days} days at most.", "Ask for one year after the other.")
    links = services.api.links
    return statistics_of(
        store.summaries(links, since, until, restricted=call.reader is None),
        store.paged(links),
        since=since,
        until=until,
        by=_word(call.query, "by", GroupedBy, GroupedBy.SERVICE),
    )


def _instant(query: Mapping[str, tuple[str, ...]], name: str, now: datetime, default: str) -> datetime:
    """Return an instant that is given as such, as a day, or as a duration back from now."""
    text = text_in(query, name) or default
    try:
        if text[:4].isdigit() and text[4:5] == "-":
            at = datetime.fromisoformat(text)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return now - parse_duration(text)
    except (ValueError, OverflowError):
        hint = "Write a duration back from now, such as 90d, or an instant, such as 2026-11-02T03:00:00Z or 2026-11-02."
        raise bad_parameter(name, f"{name}={text[:40]!r} is no instant.", hint) from None


def _word(query: Mapping[str, tuple[str, ...]], name: str, kind: type[Word], default: Word) -> Word:
    words = words_in(query, name, kind)
    return kind(next(iter(words))) if words else default


def _group(statistics: Statistics, name: str) -> Group | None:
    """Return the group of a name, None where none is asked for; raises `Problem` 400 for one that is not there."""
    if not name:
        return None
    for group in statistics.groups:
        if group.name == name:
            return group
    known = ", ".join(group.name for group in statistics.groups[:NAMES_TOLD] if group.name)
    hint = f"There is {known}." if known else "There are no incidents in this time."
    raise bad_parameter("name", f"No {statistics.by.value} {name[:64]!r} has incidents in this time.", hint)


def _one_of(kind: type[StrEnum]) -> dict[str, Any]:
    return one_of(each.value for each in kind)


STRETCH = (
    Parameter(name="since", description=f"From when on: a duration back from now, an instant or a day; else {SINCE}."),
    Parameter(name="until", description="Until when, likewise; else now."),
    Parameter(
        name="by",
        description="What the incidents are grouped by; `person` is who commanded them. Else `service`.",
        schema=_one_of(GroupedBy),
    ),
)

ROUTES = (
    Route(
        method="GET",
        path="/statistics",
        role=ApiRole.VIEWER,
        summary="Show times, load, nights and the precision of rules",
        handler=_show,
        answer=Statistics,
        query=STRETCH,
    ),
    Route(
        method="GET",
        path="/statistics/picture.svg",
        role=ApiRole.VIEWER,
        summary="Draw statistics",
        handler=_draw,
        answer=bytes,
        media_type="image/svg+xml",
        query=(
            *STRETCH,
            Parameter(name="of", description="What is drawn; else `times`.", schema=_one_of(PictureOf)),
            Parameter(name="name", description="Times or load of this one group alone."),
            Parameter(name="width", description="`narrow` for a phone; else `wide`.", schema=_one_of(PictureWidth)),
        ),
    ),
)
