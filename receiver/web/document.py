"""The live state document on the page of an incident: its parts, and the form that edits two of them."""

from collections.abc import Mapping
from typing import Any

from incidents.document.versions import tag_of
from incidents.incident import Incident
from receiver.problems import Problem
from receiver.web.route import Visit

_OF_INCIDENT = "/incidents/{incident_id}"


def document_values(visit: Visit, incident: Incident, problem: Problem | None) -> dict[str, Any]:
    """Return what the templates of the document show; `problem` is of an edit that was refused."""
    return {
        "document": visit.ask(f"{_OF_INCIDENT}/document"),
        "objectives": visit.ask(f"{_OF_INCIDENT}/objectives")["objectives"],
        "etag": f'"{tag_of(incident)}"',
        "conflicts": problem.members.get("conflicts", {}) if problem is not None else {},
        "audiences": tuple(visit.services.api.rule_set().oncall.audiences),
    }


def edit(visit: Visit) -> Mapping[str, Any]:
    """Write the parts in a form anew; raises `Problem` 409 with both texts where somebody else has meanwhile."""
    body = {name: visit.form[name] for name in ("summary", "status_report") if name in visit.form}
    answer: Mapping[str, Any] = visit.perform("PATCH", f"{_OF_INCIDENT}/document", body, visit.form.get("etag", ""))
    return answer
