"""What rules in shadow mode would have declared."""

from datetime import timedelta
from typing import Any

from incidents.presentation import instant
from incidents.shadow import WouldBe
from incidents.store.shadow import would_be
from receiver.api import answers
from receiver.api.reading import LIMIT, bad_parameter, limit_in, text_in
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole
from rules.durations import parse_duration

SINCE = "7d"


def _list(services: Services, call: Call) -> Reply:
    since = call.now - _span(text_in(call.query, "since") or SINCE)
    found = would_be(services.api.links, since, limit_in(call.query, default=200))
    return Reply({"shadow_incidents": [_shown(each) for each in found], "next": None})


def _span(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise bad_parameter("since", f"{error}.") from None


def _shown(each: WouldBe) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "severity": each.severity,
        "criterion": each.criterion,
        "identity": each.identity,
        "first_at": instant(each.first_at),
        "last_at": instant(each.last_at),
        "alerts": each.alerts,
        "firing": each.firing,
    }


ROUTES = (
    Route(
        method="GET",
        path="/shadow",
        role=ApiRole.VIEWER,
        summary="List the incidents that rules in shadow mode would have declared, latest first",
        handler=_list,
        answer=answers.ShadowAnswer,
        query=(Parameter(name="since", description=f"How far back, such as 12h; by default {SINCE}."), LIMIT),
    ),
)
