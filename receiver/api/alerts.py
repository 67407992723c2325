"""Alerts as they are remembered, and what lies in quarantine."""

from typing import Any

from incidents.errors import NotFound
from incidents.presentation import instant
from incidents.quarantined import Quarantined
from incidents.store.alert_reads import HeardAlert
from incidents.store.quarantine import NotRequeueable, alert_in, cut
from incidents.values import AlertStatus
from receiver.api import answers, wire
from receiver.api.incidents import at_home, check_may_see, checked_id
from receiver.api.reading import AFTER, LIMIT, limit_in, one_of, text_in, words_in
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole

LISTED_TEXT = 500  # characters of an item in a list
MAX_ITEM_ID = 64
OURS = '{"fingerprint":'  # how an alert begins in our own JSON


def _list(services: Services, call: Call) -> Reply:
    incident = text_in(call.query, "incident")
    status = next(iter(words_in(call.query, "status", AlertStatus)), None)
    page = services.alerts.alerts(
        incident_id=_home(services, call, incident) if incident else "",
        status=AlertStatus(status) if status else None,
        after=text_in(call.query, "after"),
        limit=limit_in(call.query),
    )
    names = {name for heard in page.alerts for name in heard.state.incidents}
    hidden = services.reads.hidden(names, call.reader)
    return Reply({"alerts": [_alert(heard, services, call, hidden) for heard in page.alerts], "next": page.next})


def _home(services: Services, call: Call, name: str) -> str:
    """Return the incident whose alerts are asked for: where it was merged, the one that goes on."""
    about = call._replace(path={"incident_id": name})
    check_may_see(services, about)
    return checked_id(at_home(services, about))


def _alert(heard: HeardAlert, services: Services, call: Call, hidden: frozenset[str]) -> dict[str, Any]:
    state, last_seen = heard
    silent = call.now - last_seen
    return {
        "source": state.source,
        "fingerprint": state.fingerprint,
        "status": state.status.value,
        "labels": state.labels,
        "annotations": state.annotations,
        "generator_url": state.generator_url,
        "starts_at": instant(state.starts_at),
        "ends_at": instant(state.ends_at),
        "last_seen": instant(last_seen),
        "stale": state.status is AlertStatus.FIRING and silent > services.api.stale_after,
        "incidents": [name for name in state.incidents if name not in hidden],
    }


def _quarantine(services: Services, call: Call) -> Reply:
    page = services.quarantine.items(after=text_in(call.query, "after"), limit=limit_in(call.query))
    return Reply({"events": [_item(item, LISTED_TEXT, services) for item in page.items], "next": page.next})


def _show(services: Services, call: Call) -> Reply:
    return Reply(_item(services.quarantine.item(_item_id(call)), None, services))


def _requeue(services: Services, call: Call) -> Reply:
    item_id = _item_id(call)
    return Reply({"id": item_id, "event_id": services.quarantine.requeue(item_id, now=call.now)})


def _item_id(call: Call) -> str:
    name = call.path["item_id"]
    if len(name) > MAX_ITEM_ID:
        raise NotFound("item in quarantine", name[:MAX_ITEM_ID])
    return name


def _item(item: Quarantined, longest: int | None, services: Services) -> dict[str, Any]:
    return {
        "id": item.id,
        "at": instant(item.at),
        "source": item.source,
        "reason": item.reason,
        "text": item.text[:longest],
        "requeueable": _is_requeueable(item, services),
    }


def _is_requeueable(item: Quarantined, services: Services) -> bool:
    if cut(item) and services.api.journal is not None:
        return item.text.startswith(OURS)  # the journal has it whole
    try:
        alert_in(item)
    except NotRequeueable:
        return False
    return True


_INCIDENT = Parameter(name="incident", description="Only alerts of this incident.")
_STATUS = Parameter(
    name="status", description="Only alerts of this status.", schema=one_of(status.value for status in AlertStatus)
)

ROUTES = (
    Route(
        method="GET",
        path="/alerts",
        role=ApiRole.VIEWER,
        summary="List alerts, those heard of last first",
        handler=_list,
        answer=answers.AlertsAnswer,
        query=(_INCIDENT, _STATUS, LIMIT, AFTER),
        problems={404: "There is no such incident."},
    ),
    Route(
        method="GET",
        path="/quarantine",
        role=ApiRole.VIEWER,
        summary="List what could not be processed, latest first; texts are cut",
        handler=_quarantine,
        answer=answers.QuarantineAnswer,
        query=(LIMIT, AFTER),
    ),
    Route(
        method="GET",
        path="/quarantine/{item_id}",
        role=ApiRole.VIEWER,
        summary="Show one event in quarantine, whole",
        handler=_show,
        answer=answers.QuarantinedAnswer,
    ),
    Route(
        method="POST",
        path="/quarantine/{item_id}/requeue",
        role=ApiRole.ADMIN,
        summary="Send an alert through the stream once more",
        handler=_requeue,
        answer=answers.RequeuedAnswer,
        body=wire.NothingBody,
        problems={409: "It is no alert of ours; the reason is told."},
    ),
)
