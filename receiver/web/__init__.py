"""The pages for people: server-rendered, signed in by a session, whole without JavaScript. They decide nothing.

How to add a page:

1. A module here with a handler, `def _show(visit: Visit) -> Page`, and a table `ROUTES` of `PageRoute`s at its end. The
   handler reads through `visit.services` and `visit.ask(PATH)`; what it changes goes through `visit.perform(METHOD,
   PATH, body)`, which is the call of the API with its checks and its audit entry, and then returns a `Redirect`.
2. A template in `templates/` that extends `base.html`, with the macros of `parts.html`: times by `at`, ages by `ago`,
   foreign addresses by the filter `http`. The policy of contents allows no script, style or style attribute in it.
3. The table in `PAGES` below; where it belongs in the menu, a line in `MENU` of `receiver.web.rendering`.
4. A test in `tests/web/`: it is refused without a session, a viewer sees no buttons, a hostile text is shown as text.

A form posts with the field `csrf` (macro `form`); without it, or without a session, nothing is done.
"""

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response

from receiver.api import services_of
from receiver.bodies import Bodies
from receiver.deps import Deps
from receiver.openid.model import CALLBACK
from receiver.web import (
    assets,
    commanding,
    events,
    incident,
    oncall,
    overview,
    postmortem,
    quarantine,
    rules,
    signing,
    statistics,
    status_page,
)
from receiver.web.door import Door
from receiver.web.rendering import Renderer
from receiver.web.route import PageRoute
from receiver.web.single_sign_on import BEGIN

READERS = 1  # forms are small: one at a time leaves the threads to the webhooks

PAGES: tuple[tuple[PageRoute, ...], ...] = (
    overview.ROUTES,
    incident.ROUTES,
    commanding.ROUTES,
    oncall.ROUTES,
    rules.ROUTES,
    quarantine.ROUTES,
    statistics.ROUTES,
    postmortem.ROUTES,
    status_page.ROUTES,
    signing.ROUTES,
    events.ROUTES,
)


def blueprint(deps: Deps) -> Blueprint:
    """Return the routes of the pages; none where the receiver only takes alerts in."""
    routes = Blueprint("web", __name__)
    if deps.api is None:
        return routes
    bodies = Bodies(readers=READERS, timeout=deps.body_timeout)
    services, renderer = services_of(deps, deps.api), Renderer(deps.build)
    door = Door(deps, services, renderer, bodies)
    for route in (each for table in PAGES for each in table):
        rule = route.path.replace("{", "<").replace("}", ">")
        name = f"{route.method} {route.path}".replace(".", "_")
        routes.add_url_rule(rule, name, _view(door, route), methods=[route.method])
    routes.add_url_rule("/assets/<digest>/<name>", "asset", assets.answer, methods=["GET"])
    desk = status_page.StatusDesk(deps, services, renderer)
    routes.add_url_rule("/status/<token>", "status", desk.show, methods=["GET"])
    routes.add_url_rule("/sign-in", "sign-in", door.show_sign_in, methods=["GET"])
    routes.add_url_rule("/sign-in", "signed-in", door.sign_in, methods=["POST"])
    routes.add_url_rule(BEGIN, "single-sign-on", door.begin_single_sign_on, methods=["GET"])
    routes.add_url_rule(CALLBACK, "single-signed-on", door.finish_single_sign_on, methods=["GET"])
    routes.add_url_rule("/sign-in/<secret>", "link", door.show_link, methods=["GET"])
    routes.add_url_rule("/sign-in/<secret>", "linked", door.sign_in_by_link, methods=["POST"])
    routes.app_errorhandler(HTTPStatus.NOT_FOUND)(door.lost)
    return routes


def _view(door: Door, route: PageRoute) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return door.answer(route, path)

    return view
