"""Corrective actions that people and programs tell of; they go into the stream, where rules `on: action` see them."""

from datetime import UTC, timedelta

from incidents.incoming import Action, Incoming
from receiver.api import answers, texts, wire
from receiver.api.reading import label_value, unfit
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole

SOURCE = "api"  # the source of what is told over the API
AHEAD = timedelta(minutes=5)  # how far the clock of a caller may be ahead of ours
LATE = timedelta(days=30)  # how late an action may be told of


def _act(services: Services, call: Call) -> Reply:
    """Take an action in: the answer is given when the store has it, the decider acts on it at once."""
    body: wire.ActionBody = call.body
    at = body.at if body.at is not None else call.now
    if not call.now - LATE <= at <= call.now + AHEAD:
        days = f"{LATE.days} days"
        raise unfit("/at", f"At lies in the future, or more than {days} back.", "Leave it out for what was just done.")
    action = Action(
        kind=label_value("/kind", body.kind),
        service=label_value("/service", body.service),
        text=texts.lines(body.text or ""),
        actor=call.actor,
        at=min(at, call.now).astimezone(UTC),
    )
    appended = services.deps.intake.append_incoming(
        source=SOURCE, incoming=[Incoming(action=action)], received_at=call.now
    )
    return Reply({"event_id": appended.event_id})


ROUTES = (
    Route(
        method="POST",
        path="/actions",
        role=ApiRole.RESPONDER,
        summary="Tell of a corrective action, to the rules and to the open incidents of the service",
        handler=_act,
        answer=answers.ActionAnswer,
        status=202,
        body=wire.ActionBody,
    ),
)
