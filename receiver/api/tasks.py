"""What the commander gives people to do during an incident, over the API; to whom a task is given is told."""

from typing import Annotated

import msgspec

from incidents import events
from incidents.incident import Incident
from receiver.api import texts, wire
from receiver.api.commands import apply, command, reply_of
from receiver.api.reading import unfit
from receiver.api.route import Call, Reply, Services

MAX_TASK = 2000


class TaskBody(wire.Body, frozen=True, kw_only=True):
    """A task, or what became of one: by its `id`, or by its words where it is `done`; to nobody with `person` empty."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_TASK)] | None = None
    person: Annotated[str, msgspec.Meta(max_length=wire.MAX_NAME)] | None = None
    done: bool | None = None
    id: wire.Name | None = None


def _task(services: Services, call: Call) -> Reply:
    body: TaskBody = call.body
    text, person = texts.one_line(body.text or ""), body.person
    if not text and body.id is None:
        raise unfit("/text", "A task needs a text.", "To change a task, send its id.")
    if body.id is not None:
        _check_id(services, call, body.id)
    event = events.TaskGiven(
        actor=call.actor,
        text=text,
        person=None if person is None else texts.one_line(person),
        done=body.done,
        task=body.id or "",
    )
    done = apply(services, call, event)
    return reply_of(done, " ".join(filter(None, (_said(done.incident, event), _warning(services, event)))))


def _check_id(services: Services, call: Call, task: str) -> None:
    incident, _ = services.api.incidents.get(call.path["incident_id"])
    known = [each.id for each in incident.tasks]
    if task not in known:
        raise unfit("/id", f"There is no task {task[:64]!r}: there is {', '.join(known) or 'none'}.")


def _said(incident: Incident, event: events.TaskGiven) -> str:
    """Say which task was ticked off by its words: they may be those of none that was given."""
    if not event.done or event.task:
        return ""
    said = event.text.casefold()
    named = [each for each in incident.tasks if each.done_at is not None and each.text.casefold() == said]
    last = max(named, key=lambda each: each.done_at or each.at)
    if last.done_at == last.at:
        return f"No open task has these words: {last.id} was written down as done."
    return f"{last.id} is done."


def _warning(services: Services, event: events.TaskGiven) -> str:
    """Say where a person cannot be told."""
    if not event.person or event.done:
        return ""
    people = services.api.rule_set().oncall.people
    if event.person not in people:
        return f"{event.person} is nobody whom the rule files know, and was not told."
    return "" if people[event.person].channels else f"{event.person} has no channel, and was not told."


ROUTES = (command("tasks", "Give a task, or tick one off", _task, TaskBody, "Or it has as many tasks as it takes."),)
