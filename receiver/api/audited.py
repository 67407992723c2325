"""The audit log as the API shows it: who changed what, and which credentials were refused."""

from typing import Any

from incidents.presentation import instant
from incidents.store.audit import Audited
from receiver.api import answers
from receiver.api.reading import AFTER, LIMIT, limit_in, text_in
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole


def _list(services: Services, call: Call) -> Reply:
    page = services.audit.entries(after=text_in(call.query, "after"), limit=limit_in(call.query))
    return Reply({"entries": [_entry(each) for each in page.entries], "next": page.next})


def _entry(audited: Audited) -> dict[str, Any]:
    entry = audited.entry
    return {
        "id": audited.id,
        "at": instant(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "outcome": entry.outcome,
        "request_id": entry.request_id,
        "address": entry.address,
        "count": entry.count,
    }


ROUTES = (
    Route(
        method="GET",
        path="/audit",
        role=ApiRole.ADMIN,
        summary="List who changed what, and which credentials were refused, latest first",
        handler=_list,
        answer=answers.AuditAnswer,
        query=(LIMIT, AFTER),
    ),
)
