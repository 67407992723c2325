"""PagerDuty's V3 webhooks to events. Pure; raises nothing but `BadPayload`, which says why a body makes no sense.

An alert stands for an incident of PagerDuty. Its fingerprint is made of PagerDuty's incident id, for notes, responders
and tasks name nothing else; the incident key goes along, and tells our own pages when they come back.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

from incidents.alert import Alert
from incidents.incoming import Incoming, Touch, TouchKind
from incidents.values import AlertStatus
from receiver.payloads import clamps, instants
from receiver.payloads.loose import Object, as_text, decode, line, list_at, object_at, text_at
from receiver.payloads.parsed import BadPayload

MAX_ID = 256
MAX_TITLE = 256

_OLD = (
    "The body is one of PagerDuty's V1 or V2 webhooks (`messages`), which PagerDuty no longer supports.",
    "Make a V3 webhook subscription (Integrations > Generic Webhooks (v3)) and remove the old extension.",
)
_STATUS = {
    "triggered": AlertStatus.FIRING,
    "acknowledged": AlertStatus.FIRING,
    "resolved": AlertStatus.RESOLVED,
}


def parse(body: bytes, webhook_id: str = "") -> Incoming:
    """Return what one webhook says; an event of a type that says nothing to us has ids and no more."""
    value = decode(body)
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        raise BadPayload(_OLD[0], "/messages", hint=_OLD[1])
    event = object_at(value, "event")
    if not event:
        raise BadPayload("The body has no object `event`.", "/event")
    kind = text_at(event, "event_type")
    if not kind:
        raise BadPayload("The event has no `event_type`.", "/event/event_type")
    ids = tuple(dict.fromkeys(each[:MAX_ID] for each in (webhook_id, text_at(event, "id")) if each))
    subject, _, what = kind.partition(".")
    data = object_at(event, "data")
    if subject != "incident" or (what not in _TOUCHES and what not in _STATES):
        return Incoming(ids=ids)
    return _of_incident(event, what, data, ids)


def _of_incident(event: Object, what: str, data: Object, ids: tuple[str, ...]) -> Incoming:
    is_whole = data.get("type") == "incident" or ("status" in data and "title" in data)
    incident_id = text_at(data, "id") if is_whole else _referred(data)
    if not incident_id:
        raise BadPayload("The event names no incident.", "/event/data")
    fingerprint = fingerprint_of(incident_id)
    at = _instant(event, "occurred_at")
    return Incoming(
        ids=ids,
        incident_key=text_at(data, "incident_key")[:MAX_ID] if is_whole else "",
        alert=_alert(what, data, fingerprint, at) if is_whole else None,
        touch=_touch(event, what, data, fingerprint, at),
    )


def fingerprint_of(incident_id: str) -> str:
    """Return the fingerprint of the alert that stands for an incident of PagerDuty."""
    text = incident_id.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8, person=b"pagerduty").hexdigest()


def _referred(data: Object) -> str:
    """The incident that something belongs to: it stands in the thing, or in the items of its list."""
    found = text_at(data, "incident", "id")
    if not found:
        found = next((text_at(each, "incident", "id") for each in list_at(data, "incident_role_assignments")), "")
    return found


def _alert(what: str, data: Object, fingerprint: str, at: datetime | None) -> Alert | None:
    status = _STATES.get(what) or _STATUS.get(text_at(data, "status"))
    if status is None:
        return None
    title = line(text_at(data, "title"), clamps.MAX_ANNOTATION_VALUE)
    labels = {
        "alertname": line(title, MAX_TITLE) or "PagerDuty incident",
        "service": _name(data, "service"),
        "urgency": line(text_at(data, "urgency"), 64),
        "priority": _name(data, "priority"),
        "team": next((_name({"team": team}, "team") for team in list_at(data, "teams")), ""),
        "incident_type": line(text_at(data, "incident_type", "name"), 64),
        "pagerduty_incident": line(text_at(data, "id"), 64),
    }
    url = text_at(data, "html_url")
    annotations = {
        "summary": title,
        "url": url,
        "number": text_at(data, "number"),
        "escalation_policy": _name(data, "escalation_policy"),
        "assignees": _names(data, "assignees"),
        "conference_url": text_at(data, "conference_bridge", "conference_url"),
    }
    kept_labels, kept_annotations, kept_url = clamps.clamp(_there(labels), _there(annotations), url)
    return Alert(
        fingerprint=fingerprint,
        status=status,
        labels=kept_labels,
        annotations=kept_annotations,
        starts_at=_began(what, data, at),
        ends_at=at if status is AlertStatus.RESOLVED else None,
        generator_url=kept_url,
    )


def _began(what: str, data: Object, at: datetime | None) -> datetime | None:
    """An incident that was reopened began anew then; before that it had ended."""
    reopened = _instant(data, "reopened_at")
    if what == "reopened":
        return reopened or at
    return reopened or _instant(data, "created_at") or at


def _touch(event: Object, what: str, data: Object, fingerprint: str, at: datetime | None) -> Touch | None:
    known = _TOUCHES.get(what)
    if known is None:
        return None
    kind, describe = known
    text = describe(data)
    return Touch(fingerprint=fingerprint, kind=kind, actor=_actor(event), text=line(text), at=at) if text else None


def _actor(event: Object) -> str:
    """The person behind an event; integrations, services and automations are nobody in particular."""
    agent = object_at(event, "agent")
    is_person = text_at(agent, "type").startswith("user")
    return line(text_at(agent, "summary"), 128) if is_person else ""


def _to(data: Object) -> str:
    names = _names(data, "assignees")
    return f" to {names}" if names else ""


def _priority(data: Object) -> str:
    name = _name(data, "priority")
    return f"Priority in PagerDuty is now {name}" if name else "Priority in PagerDuty was removed"


def _note(data: Object) -> str:
    return f"Note in PagerDuty: {text_at(data, 'content')}{' (cut)' if data.get('trimmed') is True else ''}"


def _status_update(data: Object) -> str:
    return f"Status update in PagerDuty: {text_at(data, 'message')}{' (cut)' if data.get('trimmed') is True else ''}"


def _responder(data: Object) -> str:
    who = _name(data, "user") or _name(data, "escalation_policy") or "somebody"
    state = text_at(data, "state")
    message = text_at(data, "message")
    told = f" ({state})" if state else ""
    return f"Responder in PagerDuty: {who}{told}" + (f": {message}" if message else "")


def _roles(data: Object) -> str:
    given = [
        f"{_name(each, 'role') or 'a role'}: {_name(each, 'assignee') or 'nobody'}"
        for each in list_at(data, "incident_role_assignments")[:16]
    ]
    return "Roles in PagerDuty: " + ", ".join(given) if given else "Roles in PagerDuty changed"


def _fields(data: Object) -> str:
    changed = list_at(data, "changed_custom_fields")
    names = {text_at(each, "name") for each in changed}
    now = [
        f"{text_at(each, 'name')} = {as_text(object_at(each).get('value'))[:128]}"
        for each in list_at(data, "custom_fields")[:64]
        if not names or text_at(each, "name") in names
    ]
    return "Fields in PagerDuty: " + ", ".join(now[:16])


def _task(data: Object) -> str:
    name = text_at(data, "name") or text_at(data, "summary")
    status = text_at(data, "status")
    return f"Task in PagerDuty: {name}" + (f" ({status})" if status else "") + _to(data)


def _bridge(data: Object) -> str:
    url = text_at(data, "conference_url")
    return f"Conference bridge in PagerDuty: {url}" if url else "Conference bridge in PagerDuty changed"


def _workflow(data: Object) -> str:
    return f"Workflow in PagerDuty: {_name(data, 'incident_workflow') or text_at(data, 'summary')}"


def _invocation(data: Object) -> str:
    return f"Automation in PagerDuty: {_name(data, 'action')} ({text_at(data, 'state') or 'changed'})"


def _resolved(data: Object) -> str:
    reason = object_at(data, "resolve_reason")
    if text_at(reason, "type").startswith("merge"):
        into = _name(reason, "incident") or text_at(reason, "incident", "id")
        return "Resolved in PagerDuty: merged" + (f" into {into}" if into else " into another incident")
    return "Resolved in PagerDuty"


def _says(text: str) -> Callable[[Object], str]:
    return lambda _: text


# The state that an event puts an incident in, whatever else its data says.
_STATES = {
    "triggered": AlertStatus.FIRING,
    "reopened": AlertStatus.FIRING,
    "unacknowledged": AlertStatus.FIRING,
    "resolved": AlertStatus.RESOLVED,
}

_TOUCHES: dict[str, tuple[TouchKind, Callable[[Object], str]]] = {
    "acknowledged": (TouchKind.ACKNOWLEDGED, _says("Acknowledged in PagerDuty")),
    "unacknowledged": (TouchKind.UNACKNOWLEDGED, _says("The acknowledgement in PagerDuty has ended")),
    "escalated": (TouchKind.ESCALATED, lambda data: f"Escalated in PagerDuty{_to(data)}"),
    "reassigned": (TouchKind.REASSIGNED, lambda data: f"Reassigned in PagerDuty{_to(data)}"),
    "delegated": (
        TouchKind.DELEGATED,
        lambda data: f"Delegated in PagerDuty to {_name(data, 'escalation_policy') or 'another policy'}",
    ),
    "priority_updated": (TouchKind.PRIORITY, _priority),
    "annotated": (TouchKind.NOTE, _note),
    "status_update_published": (TouchKind.STATUS_UPDATE, _status_update),
    "responder.added": (TouchKind.RESPONDER, _responder),
    "responder.replied": (TouchKind.RESPONDER, _responder),
    "reopened": (TouchKind.OTHER, _says("Reopened in PagerDuty")),
    "resolved": (TouchKind.OTHER, _resolved),
    "service_updated": (TouchKind.OTHER, lambda data: f"Service in PagerDuty is now {_name(data, 'service')}"),
    "incident_type.changed": (
        TouchKind.OTHER,
        lambda data: f"Incident type in PagerDuty is now {text_at(data, 'incident_type', 'name')}",
    ),
    "conference_bridge.updated": (TouchKind.OTHER, _bridge),
    "custom_field_values.updated": (TouchKind.OTHER, _fields),
    "role.assigned": (TouchKind.OTHER, _roles),
    "task.created": (TouchKind.OTHER, _task),
    "task.updated": (TouchKind.OTHER, _task),
    "task.completed": (TouchKind.OTHER, _task),
    "workflow.started": (TouchKind.OTHER, _workflow),
    "workflow.completed": (TouchKind.OTHER, _workflow),
    "action_invocation.created": (TouchKind.OTHER, _invocation),
    "action_invocation.terminated": (TouchKind.OTHER, _invocation),
    "action_invocation.updated": (TouchKind.OTHER, _invocation),
}


def _name(value: object, key: str) -> str:
    """The name that a reference carries."""
    return line(text_at(value, key, "summary"), MAX_TITLE)


def _names(data: Object, key: str) -> str:
    return ", ".join(filter(None, (line(text_at(each, "summary"), 128) for each in list_at(data, key)[:16])))


def _there(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _instant(value: object, key: str) -> datetime | None:
    try:
        return instants.read(text_at(value, key))
    except ValueError:
        return None
