"""Merging over the API: an incident becomes part of another, and both ids lead to that one."""

from datetime import datetime
from typing import NoReturn

from incidents.errors import MergedAway, NotFound, TransitionNotAllowed
from incidents.store.incidents import Done
from receiver.api import wire
from receiver.api.commands import command, note_of, refuse, stale
from receiver.api.incidents import checked_id, checked_name, headers_of, incident_answer
from receiver.api.reading import unfit, version_in
from receiver.api.route import Call, Reply, Services
from receiver.problems import Problem


class MergeBody(wire.Body, frozen=True, kw_only=True):
    """Into which incident this one is merged; that one goes on."""

    into: wire.Name
    note: wire.Text | None = None


def _merge(services: Services, call: Call) -> Reply:
    name, into = checked_id(call), _into(services, call)
    if name == into:
        raise Problem(409, f"{name} cannot be merged into itself.", hint="Name the other one, which goes on.")
    try:
        done = _done(services, call, name, into)
    except MergedAway as error:
        _refuse_merged(name, into, error)
    except TransitionNotAllowed as error:
        if error.event == "TakenIn":
            hint = "Reopen it first, or merge into an incident that is open."
            raise Problem(
                409, f"{into} is {error.status}: only an open incident takes another in.", hint=hint
            ) from error
        refuse(name, "merge", error)
    answer = incident_answer(done.incident, done.alerts, done.reason, f"{name} leads to {into} from now on.")
    return Reply(answer | {"merged_into": into}, headers_of(done.incident))


def _done(services: Services, call: Call, name: str, into: str) -> Done:
    now: datetime = call.now
    with stale():
        return services.api.incidents.merge(
            name, into, actor=call.actor, note=note_of(call.body.note), now=now, version=version_in(call.if_match)
        )


def _into(services: Services, call: Call) -> str:
    """Return the id of the incident that goes on, which the caller has to see."""
    body: MergeBody = call.body
    hint = "Name an open incident, such as INC-2026-0001."
    try:
        name = checked_name(body.into)
        seen = services.api.incidents.home(name)[0].is_seen_by(call.reader)
    except NotFound:
        seen = False
    if not seen:
        raise unfit("/into", f"There is no incident {body.into[:64]!r}.", hint)
    return name


def _refuse_merged(name: str, into: str, error: MergedAway) -> NoReturn:
    if error.name == into:
        hint = f"Merge {name} into {error.into}."
        raise Problem(409, f"{into} was merged into {error.into}.", hint=hint, members={"merged_into": error.into})
    refuse(name, "merge", error)


ROUTES = (
    command(
        "merge",
        "Make it part of another incident, which goes on with the timelines, alerts and findings of both",
        _merge,
        MergeBody,
        "Or the other is not open, or was merged itself.",
    ),
)
