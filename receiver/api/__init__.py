"""The API below `/api/v1`: registers its routes, admits the caller, reads the call, and answers JSON.

It decides nothing: commands go through the transition table of the domain, and reads come from the store as they are.
"""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from flask import Blueprint, Response, request

from incidents.store.alert_reads import AlertReads
from incidents.store.audit import Audit
from incidents.store.idempotency import Answers
from incidents.store.quarantine import Quarantine
from incidents.store.reads import Reads
from incidents.store.rulesets import RuleSets
from receiver.api import (
    actions,
    alerts,
    audited,
    calendars,
    commands,
    communications,
    document,
    explain,
    exports,
    idempotency,
    incidents,
    maintenance,
    merging,
    objectives,
    overrides,
    page_tests,
    post_incident_actions,
    postmortem,
    postmortem_writing,
    reaching,
    roles,
    shadow,
    shifts,
    slos,
    spreadsheet,
    stakeholders,
    state,
    statistics,
    status_links,
    tasks,
)
from receiver.api.answers import IncidentAnswer
from receiver.api.openapi import document as described
from receiver.api.reading import body_of, query_of
from receiver.api.route import BASE, Call, Reply, Route, Services
from receiver.audit import request_id, trail
from receiver.auth import ApiRole, caller, require
from receiver.bodies import Bodies, declared_length
from receiver.deps import ApiDeps, Deps
from receiver.problems import Problem
from receiver.senders.posts import check_media_type

MAX_BODY = 1024 * 1024  # bytes; the longest text may take twelve for each character
READERS = 1  # bodies are small: one at a time leaves the threads to the webhooks


def _openapi(services: Services, call: Call) -> Reply:
    del call
    return Reply(described(ROUTES, services.deps.build))


ROUTES: tuple[Route, ...] = (
    *incidents.ROUTES,
    *commands.ROUTES,
    *merging.ROUTES,
    *objectives.ROUTES,
    *post_incident_actions.ROUTES,
    *roles.ROUTES,
    *document.ROUTES,
    *communications.ROUTES,
    *status_links.ROUTES,
    *stakeholders.ROUTES,
    *tasks.ROUTES,
    *postmortem.ROUTES,
    *postmortem_writing.ROUTES,
    *exports.ROUTES,
    *spreadsheet.ROUTES,
    *actions.ROUTES,
    *alerts.ROUTES,
    *state.ROUTES,
    *overrides.ROUTES,
    *maintenance.ROUTES,
    *calendars.ROUTES,
    *shifts.ROUTES,
    *reaching.ROUTES,
    *slos.ROUTES,
    *statistics.ROUTES,
    *explain.ROUTES,
    *shadow.ROUTES,
    *audited.ROUTES,
    *page_tests.ROUTES,
    Route(
        method="GET",
        path="/openapi.json",
        role=ApiRole.VIEWER,
        summary="Show this description",
        handler=_openapi,
        answer=dict,
    ),
)


def blueprint(deps: Deps) -> Blueprint:
    """Return the routes below `/api/v1`; none where the receiver was not given what the API needs."""
    routes = Blueprint("api", __name__, url_prefix=BASE)
    if deps.api is None:
        return routes
    services = services_of(deps, deps.api)
    bodies = Bodies(readers=READERS, timeout=deps.body_timeout)
    for route in ROUTES:
        rule = route.path.replace("{", "<").replace("}", ">")
        view = require(route.role, is_limited=route.is_limited)(_view(services, route, bodies))
        routes.add_url_rule(rule, f"{route.method} {route.path}".replace(".", "_"), view, methods=[route.method])
    return routes


def services_of(deps: Deps, api: ApiDeps) -> Services:
    """Return what handlers work with."""
    return Services(
        deps=deps,
        api=api,
        reads=Reads(api.links),
        alerts=AlertReads(api.links),
        quarantine=Quarantine(api.links, api.wake, api.journal),
        rulesets=RuleSets(api.links),
        audit=Audit(api.links),
    )


def _view(services: Services, route: Route, bodies: Bodies) -> Callable[..., Response]:
    answers = Answers(services.api.links)

    def view(**path: str) -> Response:
        call = Call(
            actor=caller().name,
            now=services.deps.now(),
            path=path,
            query=query_of(request.args.items(multi=True), route.query),
            body=_body(bodies, route.body) if route.body is not None else None,
            if_match=request.headers.get("If-Match", ""),
            reader=None if caller().role is ApiRole.ADMIN else caller().name,
        )
        incidents.check_may_see(services, call)
        key = request.headers.get(idempotency.HEADER, "") if route.method == "POST" else ""
        act = idempotency.Act(partial(_answer, services, route, call), partial(_told_again, services, route, call))
        return idempotency.once(answers, route, call, key, act)

    return view


def _answer(services: Services, route: Route, call: Call) -> Response:
    return _response(route, perform(services, route, call))


def _told_again(services: Services, route: Route, call: Call, made: str) -> Response:
    """Answer a call that was done and whose answer was lost, with what it changed as that is now."""
    if issubclass(route.answer, IncidentAnswer):
        return _response(route, incidents.reply_as_it_is(services, call, made or call.path["incident_id"]))
    hint = "Look at what there is now; under another key it would be done once more."
    raise Problem(409, "It was done, and the answer was lost.", hint=hint, members={"done": True, "id": made})


def _response(route: Route, reply: Reply) -> Response:
    value = reply.value if isinstance(reply.value, bytes | Iterator) else msgspec.json.encode(reply.value)
    return Response(value, route.status, dict(reply.headers), content_type=route.media_type)


def perform(services: Services, route: Route, call: Call) -> Reply:
    """Do what an admitted caller asks for; what changes something is noted in the audit log."""
    if route.body is None:
        return route.handler(services, incidents.at_home(services, call))
    with trail().change(call.actor, f"{route.method} {route.path}", next(iter(call.path.values()), "")) as change:
        reply = route.handler(services, call)
        change.target = change.target or str(reply.value.get("id") or reply.value.get("event_id", ""))
    return reply._replace(headers={**reply.headers, "X-Request-Id": request_id()})


def _body(bodies: Bodies, kind: type) -> object:
    environ = request.environ
    if declared_length(environ) > MAX_BODY:
        raise _too_large()
    with bodies.body(environ) as body:
        if len(body) > MAX_BODY:
            raise _too_large()
        if body:
            check_media_type(environ)
        return body_of(body, kind)


def _too_large() -> Problem:
    return Problem(413, f"The body is larger than {MAX_BODY // 1024} KiB.", hint="Texts hold 64 KiB at most.")
