"""The post-mortem for people: read, written section by section with versions, reviewed, published, and printed."""

from collections.abc import Mapping
from typing import Any

import msgspec

from incidents.document.versions import difference
from incidents.errors import TransitionNotAllowed
from incidents.postmortem.draft import Draft
from incidents.postmortem.markdown import budget_rows, number_rows, objective_rows, roles_told
from incidents.postmortem.values import TITLES, PostmortemState, Section
from receiver.auth import ApiRole
from receiver.problems import Problem, problem_of
from receiver.web.incident import SIGNS, seen
from receiver.web.route import Page, PageRoute, Raw, Redirect, Visit

LINES = 200  # of the timeline; all of them stand in what is printed
VERSIONS = 50
_OF_INCIDENT = "/incidents/{incident_id}"
_PATH = f"{_OF_INCIDENT}/postmortem"
# Where each state may lead, with the word on the button.
STEPS: Mapping[PostmortemState, tuple[tuple[PostmortemState, str], ...]] = {
    PostmortemState.DRAFT: ((PostmortemState.REVIEW, "Give to review"), (PostmortemState.PUBLISHED, "Publish")),
    PostmortemState.REVIEW: (
        (PostmortemState.PUBLISHED, "Publish"),
        (PostmortemState.DRAFT, "Back to draft"),
    ),
    PostmortemState.PUBLISHED: ((PostmortemState.DRAFT, "Take back to draft"),),
}
_TOLD = {
    PostmortemState.DRAFT: "It is a draft again.",
    PostmortemState.REVIEW: "It is in review.",
    PostmortemState.PUBLISHED: "Published: what comes later is not in it.",
}


def _show(visit: Visit, problem: Problem | None = None) -> Page:
    """Return the post-mortem; `problem` is of an edit that was refused, whose text stands in its field."""
    incident, _ = seen(visit)
    draft = msgspec.convert(visit.ask(_PATH), Draft, strict=False)
    values = {
        "incident": incident,
        "draft": draft,
        "numbers": [*number_rows(draft), *budget_rows(draft)],
        "objectives": objective_rows(draft),
        "people": [(each, roles_told(each)) for each in draft.people],
        "lines": draft.timeline[:LINES],
        "lines_left_out": max(len(draft.timeline) - LINES, 0) + draft.entries_left_out,
        "steps": STEPS[draft.state],
        "signs": SIGNS,
        "etag": f'"{draft.version}"',
        "problem": problem,
        "conflicts": problem.members.get("conflicts", {}) if problem is not None else {},
        "typed": visit.form if problem is not None else {},
    }
    return Page("postmortem.html", values, problem.status if problem else 200)


def _get(visit: Visit) -> Page | Redirect:
    return _show(visit)


def _write(visit: Visit) -> Page | Redirect:
    body = {section.value: visit.form[section.value] for section in Section if section.value in visit.form}
    return _changed(visit, "PATCH", _PATH, body, "Saved.")


def _move(visit: Visit) -> Page | Redirect:
    state = visit.form.get("state", "")
    told = _TOLD.get(PostmortemState(state), "") if state in set(PostmortemState) else ""
    return _changed(visit, "POST", f"{_PATH}/state", {"state": state}, told)


def _changed(visit: Visit, method: str, path: str, body: Mapping[str, Any], told: str) -> Page | Redirect:
    try:
        visit.perform(method, path, body, visit.form.get("etag", ""))
    except (Problem, TransitionNotAllowed) as refused:
        return _show(visit, problem_of(refused))
    return Redirect(f"/incidents/{visit.path['incident_id']}/postmortem", told)


def _versions(visit: Visit) -> Page | Redirect:
    incident, _ = seen(visit)
    versions = visit.ask(f"{_PATH}/versions")["versions"]
    rows = []
    for place, version in enumerate(versions[:VERSIONS]):
        before = versions[place + 1]["sections"] if place + 1 < len(versions) else {}
        rows.append({**version, "changes": list(_changes(before, version["sections"]))})
    return Page(
        "postmortem_versions.html", {"incident": incident, "versions": rows, "left_out": len(versions) - len(rows)}
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the sections that a version changed, with lines that begin with what became of them: `+`, `-` or blank."""
    found = []
    for section in Section:
        old, new = (str(each.get(section.value, {}).get("text", "")) for each in (before, after))
        if old != new:
            lines = difference(old, new, names=("before", "after")).splitlines()[2:]
            found.append((TITLES[section], [line for line in lines if line not in {"", "-"} and line[:2] != "@@"]))
    return found


def _print(visit: Visit) -> Raw:
    seen(visit)
    return Raw(visit.ask(f"{_PATH}.html"), "text/html; charset=utf-8")


def _markdown(visit: Visit) -> Raw:
    seen(visit)
    return Raw(visit.ask(f"{_PATH}.md"), "text/plain; charset=utf-8")


def _wanted(visit: Visit) -> Page | Redirect:
    answer = visit.ask("/postmortems", after=visit.query.get("after", ""))
    return Page("postmortems.html", {"wanted": answer["postmortems"], "next": answer["next"]})


ROUTES = (
    PageRoute(method="GET", path="/postmortems", role=ApiRole.VIEWER, handler=_wanted),
    PageRoute(method="GET", path=_PATH, role=ApiRole.VIEWER, handler=_get),
    PageRoute(method="POST", path=_PATH, role=ApiRole.RESPONDER, handler=_write),
    PageRoute(method="POST", path=f"{_PATH}/state", role=ApiRole.RESPONDER, handler=_move),
    PageRoute(method="GET", path=f"{_PATH}/versions", role=ApiRole.VIEWER, handler=_versions),
    PageRoute(method="GET", path=f"{_PATH}/print", role=ApiRole.VIEWER, handler=_print),
    PageRoute(method="GET", path=f"{_PATH}.md", role=ApiRole.VIEWER, handler=_markdown),
)
