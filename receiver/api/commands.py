"""What people do to an incident over the API: each is an event for the transition table, committed at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from incidents import events
from incidents.errors import MergedAway, StaleVersion, TransitionNotAllowed
from incidents.presentation import instant
from incidents.store.connection import Command
from incidents.store.corrections import Correction, correction_command
from incidents.store.incidents import Done
from incidents.transitions import TABLE, UnfitAction, UnfitObjective, UnmetObjectives
from incidents.values import IncidentStatus
from receiver.api import answers, texts, wire
from receiver.api.incidents import checked_id, headers_of, incident_answer, unnamed
from receiver.api.reading import label_value, unfit, version_in
from receiver.api.route import BASE, Call, Handler, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.problems import Problem
from rules.loading.mends import did_you_mean

DEFAULT_POLICY = "default"
COMMANDS: dict[str, type] = {
    "acknowledge": events.Acknowledge,
    "mitigate": events.Mitigate,
    "resolve": events.Resolve,
    "reopen": events.Reopen,
    "dismiss": events.Dismiss,
    "escalate": events.Escalate,
    "notes": events.Note,
    "actions": events.ActionTaken,
    "unacknowledge": events.Unacknowledge,
    "roles": events.RoleGiven,
    "communications": events.Communicated,
    "stakeholders": events.StakeholderAdded,
    "tasks": events.TaskGiven,
    "merge": events.MergedInto,
    "objectives": events.ObjectiveChecked,
    "post_incident_actions": events.PostIncidentActionWritten,
}


def _acknowledge(services: Services, call: Call) -> Reply:
    """Acknowledge; whoever comes second gets the incident all the same, and is told who was first."""
    done = apply(services, call, events.Acknowledge(actor=call.actor, note=note_of(call.body.note)))
    first = done.incident.acknowledged_by
    note = f"{first} acknowledged it at {instant(done.incident.acknowledged_at)}." if first != call.actor else ""
    return reply_of(done, note)


def _mitigate(services: Services, call: Call) -> Reply:
    return reply_of(apply(services, call, events.Mitigate(actor=call.actor, note=note_of(call.body.note))))


def _resolve(services: Services, call: Call) -> Reply:
    body: wire.ResolveBody = call.body
    event = events.Resolve(actor=call.actor, note=note_of(body.note), override=note_of(body.override))
    return reply_of(apply(services, call, event))


def _reopen(services: Services, call: Call) -> Reply:
    return reply_of(apply(services, call, events.Reopen(actor=call.actor, note=note_of(call.body.note))))


def _dismiss(services: Services, call: Call) -> Reply:
    reason = _required("/reason", call.body.reason)
    return reply_of(apply(services, call, events.Dismiss(actor=call.actor, reason=reason)))


def _escalate(services: Services, call: Call) -> Reply:
    body: wire.EscalateBody = call.body
    if body.page is not None:
        policies = sorted({DEFAULT_POLICY, *services.api.rule_set().oncall.policies})
        if body.page not in policies:
            hint = did_you_mean(body.page, policies) or "Paging policies stand under `paging` in the rule files."
            raise unfit("/page", f"There is no paging policy {body.page!r}: there is {', '.join(policies)}.", hint)
    event = events.Escalate(actor=call.actor, severity=body.severity, page=body.page or "")
    return reply_of(apply(services, call, event))


def _notes(services: Services, call: Call) -> Reply:
    """Write a line; one that corrects an entry is shown beside it, and the entry stays as it is."""
    text, corrects = _required("/text", call.body.text), call.body.corrects
    if corrects is None:
        return reply_of(apply(services, call, events.Note(actor=call.actor, text=text)))
    name = checked_id(call)
    services.api.incidents.get(name)
    if not services.reads.has_entry(name, corrects):
        hint = f"GET {BASE}/incidents/{name}/timeline lists them with their ids."
        raise unfit("/corrects", f"{name} has no entry {corrects!r}.", hint)
    correction = Correction(corrects=corrects, at=call.now, actor=call.actor, text=text)
    event = events.Note(actor=call.actor, text=text, corrects=corrects)
    return reply_of(apply(services, call, event, also=[correction_command(name, correction)]))


def _actions(services: Services, call: Call) -> Reply:
    body: wire.IncidentActionBody = call.body
    action, text = label_value("/kind", body.kind), _required("/text", body.text)
    return reply_of(apply(services, call, events.ActionTaken(actor=call.actor, action=action, text=text)))


def note_of(text: str | None) -> str:
    """Return what somebody wrote beside a command, cleaned."""
    return texts.lines(text or "")


def _required(pointer: str, text: str) -> str:
    cleaned = texts.lines(text)
    if not cleaned:
        raise unfit(pointer, f"{pointer.removeprefix('/')} is empty.".capitalize())
    return cleaned


def reply_of(done: Done, note: str = "") -> Reply:
    """Return the answer to a command: the incident after it."""
    return Reply(incident_answer(done.incident, done.alerts, done.reason, note), headers_of(done.incident))


def apply(services: Services, call: Call, event: events.Event, *, also: Sequence[Command] = ()) -> Done:
    """Let an event happen to the incident of a call, and write what belongs to it with it.

    Raises `Problem` 409 and 412 with what can be done instead.
    """
    name = checked_id(call)
    try:
        with stale():
            version = version_in(call.if_match)
            return services.api.incidents.apply(name, event, now=call.now, also=also, version=version)
    except (UnfitAction, UnfitObjective):
        raise
    except UnmetObjectives as error:
        _refuse_unmet(name, error)
    except TransitionNotAllowed as error:
        named = next((each for each, kind in COMMANDS.items() if kind is type(event)), type(event).__name__)
        error.hint = unnamed(services, call, error.hint)
        refuse(name, named, error)


@contextmanager
def stale() -> Iterator[None]:
    """Answer 412 where somebody changed the incident since the version that was asked for."""
    try:
        yield
    except StaleVersion as error:
        raise Problem(
            412, f"{error}.", hint="Read it again, and send what still fits.", members={"version": error.version}
        ) from error


def _refuse_unmet(name: str, error: UnmetObjectives) -> NoReturn:
    unmet = [{"id": each.id, "text": each.text, "kind": each.kind} for each in error.unmet]
    named = "; ".join(f"{each.id} ({each.text})" for each in error.unmet)
    hint = 'Send {"override": "..."} with the reason why that does not matter.'
    members = {"incident_status": error.status, "objectives": unmet}
    raise Problem(409, f"{name} is not resolved: these objectives are unmet: {named}.", hint=hint, members=members)


def refuse(name: str, named: str, error: TransitionNotAllowed) -> NoReturn:
    """Raise the 409 of a command that an incident does not take, with what it takes."""
    if isinstance(error, MergedAway):
        members = {"incident_status": error.status, "merged_into": error.into}
        hint = f"Do it to {error.into}, which goes on in its place."
        raise Problem(
            409, f"{name} was merged into {error.into} and does not take {named}.", hint=hint, members=members
        )
    takes = [each for each, kind in COMMANDS.items() if (IncidentStatus(error.status), kind) in TABLE]
    reason = f": {error.hint}" if error.hint else ""
    hint = f"An incident that is {error.status} takes {', '.join(takes)}."
    detail = f"{name} is {error.status} and does not take {named}{reason}."
    raise Problem(409, detail, hint=hint, members={"incident_status": error.status, "takes": takes})


def command(
    name: str, summary: str, handler: Handler, body: type, conflict: str = "", *, is_limited: bool = True
) -> Route:
    """Return the route of a command on an incident."""
    status = "The status of the incident does not take it."
    return Route(
        method="POST",
        path=f"/incidents/{{incident_id}}/{name}",
        role=ApiRole.RESPONDER,
        summary=summary,
        handler=handler,
        answer=answers.CommandAnswer,
        body=body,
        problems={409: f"{status} {conflict}".strip(), 412: "If-Match names another version."},
        is_limited=is_limited,
    )


ROUTES = (
    command("acknowledge", "Say that you are on it; paging stops", _acknowledge, wire.NotedBody, is_limited=False),
    command("mitigate", "Say that customers no longer feel it", _mitigate, wire.NotedBody),
    command("resolve", "Say that it is over", _resolve, wire.ResolveBody, "Or objectives are unmet; they are named."),
    command(
        "reopen",
        "Say that it is not over; pages again",
        _reopen,
        wire.NotedBody,
        "Or a later incident of its identity is open.",
    ),
    command("dismiss", "Say that it was no incident", _dismiss, wire.DismissBody),
    command("escalate", "Change the severity, or page more people", _escalate, wire.EscalateBody),
    command("notes", "Write on the timeline", _notes, wire.NoteBody),
    command("actions", "Write on the timeline what was done about it", _actions, wire.IncidentActionBody),
)
