"""What could not be processed: listed, shown as it came, and sent through the stream once more by an admin."""

from receiver.auth import ApiRole
from receiver.problems import Problem
from receiver.web.rendering import plainly
from receiver.web.route import Page, PageRoute, Redirect, Visit

ROWS = "50"
_ITEM = "/quarantine/{item_id}"


def _list(visit: Visit) -> Page | Redirect:
    answer = visit.ask("/quarantine", after=visit.query.get("after", ""), limit=ROWS)
    return Page("quarantine.html", {"events": answer["events"], "next": answer["next"], "plainly": plainly})


def _show(visit: Visit, problem: Problem | None = None) -> Page:
    values = {"event": visit.ask(_ITEM), "plainly": plainly, "problem": problem}
    return Page("quarantined.html", values, problem.status if problem else 200)


def _requeue(visit: Visit) -> Page | Redirect:
    try:
        answer = visit.perform("POST", f"{_ITEM}/requeue", {})
    except Problem as problem:
        return _show(visit, problem)
    return Redirect("/quarantine", f"{answer['id']} is in the stream again, as {answer['event_id']}.")


ROUTES = (
    PageRoute(method="GET", path="/quarantine", role=ApiRole.VIEWER, handler=_list),
    PageRoute(method="GET", path=_ITEM, role=ApiRole.VIEWER, handler=_show),
    PageRoute(method="POST", path=f"{_ITEM}/requeue", role=ApiRole.ADMIN, handler=_requeue),
)
