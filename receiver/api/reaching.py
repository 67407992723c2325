"""Who cannot be reached, over the API."""

from incidents.reaching import unreachable
from incidents.store.calendars import CalendarStates
from incidents.store.reaching import last_attempts
from receiver.api.answers import Answer
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole


class UnreachableAnswer(Answer, frozen=True, kw_only=True):
    """A `person`, a `channel`, a `calendar` (of rotations) or a `rotation` by which nobody is reached, and why."""

    what: str
    name: str
    why: str


class UnreachablesAnswer(Answer, frozen=True, kw_only=True):
    """Everybody who could not be reached if something broke now; empty when all is well."""

    unreachable: list[UnreachableAnswer]
    next: None = None


def _list(services: Services, call: Call) -> Reply:
    oncall, links = services.api.rule_set().oncall, services.api.links
    found = unreachable(oncall, last_attempts(links), call.now, CalendarStates(links).known())
    shown = [UnreachableAnswer(what=each.what, name=each.name, why=each.why) for each in found]
    return Reply(UnreachablesAnswer(unreachable=shown))


ROUTES = (
    Route(
        method="GET",
        path="/oncall/unreachable",
        role=ApiRole.VIEWER,
        summary="List who cannot be reached: people without a channel, channels that failed last, gaps",
        handler=_list,
        answer=UnreachablesAnswer,
    ),
)
