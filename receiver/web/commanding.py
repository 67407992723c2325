"""What people do by a form: each is the call of the API of the same name. What was typed is never lost to a refusal."""

from collections.abc import Mapping
from typing import Any

import msgspec

from receiver.api import ROUTES as CALLS
from receiver.api.route import Route
from receiver.auth import ApiRole
from receiver.problems import Problem
from receiver.web import document
from receiver.web.incident import show
from receiver.web.route import Handler, Page, PageRoute, Redirect, Visit

_OF_INCIDENT = "/incidents/{incident_id}/"
_DONE: Mapping[str, str] = {
    "noted": "Written on the timeline.",
    "acknowledged": "Acknowledged: you are on it, and paging has stopped.",
    "mitigated": "Mitigated: customers no longer feel it.",
    "resolved": "Resolved: it is over.",
    "dismissed": "Dismissed: it was no incident.",
}
_UNMET_HINT = "Say below why that does not matter, or have them met first."


def body_in(form: Mapping[str, str], kind: type) -> dict[str, Any]:
    """Return the body of a call from the fields of a form; an empty one is left out, or null where one is asked for."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        text = form.get(field.encode_name)
        if text is None or (not text.strip() and not field.required):
            continue
        if bool in (field.type, *getattr(field.type, "__args__", ())):
            found[field.encode_name] = text == "true"
        else:
            found[field.encode_name] = text if text.strip() or not _may_be_null(field.type) else None
    return found


def _may_be_null(kind: Any) -> bool:  # noqa: ANN401 - an annotation
    return type(None) in getattr(kind, "__args__", ())


def _command(call: Route) -> Handler:
    """Return the handler of a form that is a command on an incident."""
    kind = call.body
    assert kind is not None  # noqa: S101 - commands are posted

    def handler(visit: Visit) -> Page | Redirect:
        try:
            answer = visit.perform(call.method, call.path, body_in(visit.form, kind))
        except Problem as problem:
            if "objectives" in problem.members:
                problem.hint = _UNMET_HINT  # that of the API speaks of JSON
            return show(visit, problem=problem, typed=visit.form, refused=call.path.removeprefix(_OF_INCIDENT))
        told = _told(str(answer.get("outcome", "done")), visit.form)
        return Redirect(f"/incidents/{visit.path['incident_id']}", f"{told} {answer.get('note', '')}".strip())

    return handler


def _told(outcome: str, form: Mapping[str, str]) -> str:
    """Return what was done in words."""
    if outcome == "communicated" and form.get("send") != "true":
        return "Written down; nothing was sent."
    return _DONE.get(outcome, f"{outcome[:1].upper()}{outcome[1:]}.")


def _edit(visit: Visit) -> Page | Redirect:
    try:
        document.edit(visit)
    except Problem as problem:
        return show(visit, problem=problem, typed=visit.form)
    return Redirect(f"/incidents/{visit.path['incident_id']}", "Saved.")


def _form_of_declaring(visit: Visit) -> Page | Redirect:
    del visit
    return Page("declare.html", {"typed": {}, "problem": None})


def _declare(visit: Visit) -> Page | Redirect:
    form = visit.form
    body: dict[str, Any] = {"title": form.get("title", ""), "severity": form.get("severity", "")}
    body |= {"summary": form["summary"]} if form.get("summary", "").strip() else {}
    service = form.get("service", "").strip()
    body |= {"identity": {"service": service}} if service else {}
    try:
        answer = visit.perform("POST", "/incidents", body)
    except Problem as problem:
        return Page("declare.html", {"typed": form, "problem": problem}, problem.status)
    return Redirect(f"/incidents/{answer['id']}", "Declared; whoever is on call is being paged.")


COMMANDS = (
    "acknowledge",
    "unacknowledge",
    "mitigate",
    "resolve",
    "reopen",
    "dismiss",
    "escalate",
    "notes",
    "actions",
    "roles",
    "tasks",
    "stakeholders",
    "communications",
    "objectives",
    "post_incident_actions",
    "merge",
)
_BY_NAME = {call.path.removeprefix(_OF_INCIDENT): call for call in CALLS if call.path.startswith(_OF_INCIDENT)}

ROUTES = (
    PageRoute(method="GET", path="/declare", role=ApiRole.RESPONDER, handler=_form_of_declaring),
    PageRoute(method="POST", path="/declare", role=ApiRole.RESPONDER, handler=_declare),
    PageRoute(method="POST", path=f"{_OF_INCIDENT}document", role=ApiRole.RESPONDER, handler=_edit),
    *(
        PageRoute(
            method="POST",
            path=f"{_OF_INCIDENT}{name}",
            role=_BY_NAME[name].role,
            handler=_command(_BY_NAME[name]),
            is_limited=_BY_NAME[name].is_limited,
        )
        for name in COMMANDS
    ),
)
