"""Links to the status page of an incident over the API: made, listed and ended.

A link itself is a secret: it is shown once, to whoever made it.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from incidents.incident import Incident
from incidents.presentation import instant
from incidents.status_page import LONGEST, KeptLink, StatusLink, kept_as, seal
from incidents.store.links import signing_key
from incidents.store.status_links import TooManyLinks, end_link, end_links, keep_link, links_that_hold
from receiver.api import wire
from receiver.api.answers import Answer, Instant
from receiver.api.incidents import at_home, checked_id
from receiver.api.reading import unfit
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.deps import Deps
from receiver.problems import Problem
from rules.loading.mends import did_you_mean

PATH = "/incidents/{incident_id}/status_links"


class StatusLinkBody(wire.Body, frozen=True, kw_only=True):
    """Whose communications the page shows (all of them, where no audience is named), and for how many days."""

    audience: Annotated[str, msgspec.Meta(max_length=wire.MAX_NAME)] | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST.days)] = 1


class StatusLinkAnswer(Answer, frozen=True, kw_only=True):
    """A link to the status page; its address is a secret, and is null but in the answer to who made it."""

    id: str
    address: str | None
    audience: str | None
    by: str
    made_at: Instant
    expires_at: Instant


class StatusLinksAnswer(Answer, frozen=True, kw_only=True):
    """Links to the status page of an incident, the latest first."""

    status_links: list[StatusLinkAnswer]
    next: None = None


def may_share(deps: Deps, link: StatusLink | KeptLink, incident: Incident) -> bool:
    """Whether a link holds: while who made it has a token, or the group still has a role; and may see the incident."""
    if link.group:
        maker = deps.sign_in.openid.caller(link.by, [link.group]) if deps.sign_in is not None else None
    else:
        maker = next((each for each in deps.api_tokens if each.name == link.by and each.token_hashes), None)
    if maker is None:
        return False
    return incident.is_seen_by(None if maker.role is ApiRole.ADMIN else maker.name)


def _shown(kept: KeptLink, address: str | None = None) -> StatusLinkAnswer:
    return StatusLinkAnswer(
        id=kept.id,
        address=address,
        audience=kept.audience or None,
        by=kept.by,
        made_at=instant(kept.made_at) or "",
        expires_at=instant(kept.expires_at) or "",
    )


def _listed(links: list[KeptLink]) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.to_builtins(StatusLinksAnswer(status_links=[_shown(each) for each in links]))
    return answer


def _list(services: Services, call: Call) -> Reply:
    incident, _ = services.api.incidents.home(checked_id(call))
    with services.api.links.borrow() as store:
        found = links_that_hold(store, incident.id, call.now)
    return Reply(_listed([each for each in found if may_share(services.deps, each, incident)]))


def _make(services: Services, call: Call) -> Reply:
    body: StatusLinkBody = call.body
    audience = (body.audience or "").strip()
    _check_audience(audience, list(services.api.rule_set().oncall.audiences))
    incident_id = checked_id(at_home(services, call))
    link = StatusLink(
        incident=incident_id,
        by=call.actor,
        audience=audience,
        made_at=_whole(call.now),
        expires_at=_whole(call.now) + timedelta(days=body.days),
        group=call.group,
    )
    with services.api.links.borrow() as store:
        token = seal(link, signing_key(store))
        kept = kept_as(link, token)
        try:
            keep_link(store, incident_id, kept)
        except TooManyLinks as error:
            raise Problem(409, f"{error}.".capitalize(), hint="End those that nobody needs.") from None
    return Reply(msgspec.to_builtins(_shown(kept, f"{services.api.external_url}/status/{token}")))


def _check_audience(audience: str, known: list[str]) -> None:
    if audience and audience not in known:
        hint = did_you_mean(audience, known) or f"There is {', '.join(known[:20]) or 'none'}."
        raise unfit("/audience", f"There is no audience {audience[:64]!r} in the rule files.", hint)


def _whole(now: datetime) -> datetime:
    """Return an instant as links tell it, to the millisecond."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _end(services: Services, call: Call) -> Reply:
    incident_id = checked_id(at_home(services, call))
    with services.api.links.borrow() as store:
        return Reply(msgspec.to_builtins(_shown(end_link(store, incident_id, call.path["link_id"], call.now))))


def _end_all(services: Services, call: Call) -> Reply:
    incident_id = checked_id(at_home(services, call))
    with services.api.links.borrow() as store:
        return Reply(_listed(end_links(store, incident_id, call.now)))


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        role=ApiRole.VIEWER,
        summary="List the links to its status page that hold",
        handler=_list,
        answer=StatusLinksAnswer,
    ),
    Route(
        method="POST",
        path=PATH,
        role=ApiRole.RESPONDER,
        summary="Make a link to its status page, for those who cannot sign in",
        handler=_make,
        answer=StatusLinkAnswer,
        status=201,
        body=StatusLinkBody,
        problems={409: "So many links hold that no further one is made."},
    ),
    Route(
        method="DELETE",
        path=PATH,
        role=ApiRole.RESPONDER,
        summary="End every link to its status page, and list those that held",
        handler=_end_all,
        answer=StatusLinksAnswer,
        body=wire.NothingBody,
    ),
    Route(
        method="DELETE",
        path=f"{PATH}/{{link_id}}",
        role=ApiRole.RESPONDER,
        summary="End one link to its status page",
        handler=_end,
        answer=StatusLinkAnswer,
        body=wire.NothingBody,
    ),
)
