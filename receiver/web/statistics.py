"""Statistics as pictures and figures; from when, until when and by what stands in the address."""

from collections.abc import Mapping
from urllib.parse import urlencode

from incidents.statistics.pictures import PictureOf, shown_seconds
from incidents.statistics.values import GroupedBy
from receiver.auth import ApiRole
from receiver.web.route import Page, PageRoute, Raw, Redirect, Visit

STRETCHES = ("7d", "30d", "90d", "365d")
DEFAULT = {"since": "90d", "by": GroupedBy.SERVICE.value}
NAMES: Mapping[PictureOf, str] = {
    PictureOf.TIMES: "Times by week",
    PictureOf.LOAD: "Load by week",
    PictureOf.NIGHTS: "Pages at night",
    PictureOf.PRECISION: "What rules declared",
}
SAID: Mapping[PictureOf, str] = {
    PictureOf.TIMES: "Median and ninetieth percentile of each week, to detect, acknowledge, mitigate and resolve",
    PictureOf.LOAD: "Incidents of each week by severity, and pages by day and night",
    PictureOf.NIGHTS: "Pages of each person, at night first; the table of people says the same in figures",
    PictureOf.PRECISION: "Incidents of each rule, resolved and dismissed; the table of rules says the same in figures",
}


def _show(visit: Visit) -> Page | Redirect:
    asked = _asked(visit)
    plain = {name: text for name, text in asked.items() if text and DEFAULT.get(name) != text}
    values = {
        "figures": visit.ask("/statistics", **asked),
        "slos": visit.ask("/slos")["slos"],
        "asked": DEFAULT | {name: text for name, text in asked.items() if text},
        "query": urlencode(plain),
        "stretches": STRETCHES,
        "grouped_by": tuple(GroupedBy),
        "pictures": SAID,
        "names": NAMES,
        "took": shown_seconds,
    }
    return Page("statistics.html", values)


def _picture(visit: Visit) -> Raw:
    of, width = visit.query.get("of", ""), visit.query.get("width", "")
    drawn = visit.ask("/statistics/picture.svg", of=of, width=width, **_asked(visit))
    return Raw(drawn, "image/svg+xml; charset=utf-8")


def _asked(visit: Visit) -> dict[str, str]:
    return {name: visit.query.get(name, "").strip() for name in ("since", "until", "by")}


ROUTES = (
    PageRoute(method="GET", path="/statistics", role=ApiRole.VIEWER, handler=_show),
    PageRoute(method="GET", path="/statistics/picture.svg", role=ApiRole.VIEWER, handler=_picture),
)
