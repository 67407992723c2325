"""What a page is made of: its route, who looks at it, and what its handler returns. It knows no session and no HTML.

A handler that returns a response of its own sets all of its headers.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from flask import Response

from receiver.api import ROUTES, perform
from receiver.api.incidents import check_may_see
from receiver.api.reading import body_of
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole, ApiToken
from receiver.problems import Problem

_API: Mapping[tuple[str, str], Route] = {(route.method, route.path): route for route in ROUTES}


class Page(NamedTuple):
    """A page to be rendered: a template and its values."""

    template: str
    values: Mapping[str, Any]
    status: int = 200


class Redirect(NamedTuple):
    """Where to go on, by a path of ours; `told` is shown there, once. `signed_out` forgets the session's cookie."""

    to: str
    told: str = ""
    signed_out: bool = False


class Raw(NamedTuple):
    """What is no page of ours: a picture, a document; it may hold styles, and runs nothing."""

    body: bytes
    media_type: str


class Visit(NamedTuple):
    """One look at a page, or one form that was sent."""

    who: ApiToken
    session_id: str
    now: datetime
    services: Services
    is_signed_in: Callable[[], bool]  # asked anew by what outlasts a request; raises `StoreUnavailable`
    clock: Callable[[], datetime]  # for the same
    path: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    form: Mapping[str, str] = {}

    @property
    def reader(self) -> str | None:
        """Whose eyes see the answer; None sees everything."""
        return None if self.who.role is ApiRole.ADMIN else self.who.name

    def may(self, role: str) -> bool:
        """Whether who looks has at least this role."""
        return self.who.role.rank >= ApiRole(role).rank

    def call(self, body: object = None, if_match: str = "", **query: str) -> Call:
        """Return this visit as a call of the API, for its handlers."""
        asked = {name: (text,) for name, text in query.items() if text}
        return Call(self.who.name, self.now, self.path, asked, body, if_match, self.reader, self.who.group)

    def ask(self, path: str, **query: str) -> Any:  # noqa: ANN401 - any JSON
        """Return what a GET of the API answers; raises what it raises, `Problem` 403 where the role does not do."""
        value = self._done(_API["GET", path], self.call(**query)).value
        return value if isinstance(value, bytes) else msgspec.to_builtins(value)

    def perform(self, method: str, path: str, body: Mapping[str, Any], if_match: str = "") -> Any:  # noqa: ANN401
        """Do what a call of the API does, as who looks, with its checks and its audit entry; return its answer."""
        route = _API[method, path]
        kind = route.body if route.body is not None else dict
        call = self.call(body_of(msgspec.json.encode(body), kind), if_match)
        return self._done(route, call).value

    def _done(self, route: Route, call: Call) -> Reply:
        if not self.may(route.role):
            raise Problem(403, f"{self.who.name} has the role {self.who.role}; this needs {route.role}.")
        check_may_see(self.services, call)
        return perform(self.services, route, call)


Handler = Callable[[Visit], Page | Redirect | Raw | Response]


class PageRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One page as it is registered; parts of `path` stand as `{name}`."""

    method: str
    path: str
    role: ApiRole
    handler: Handler
    is_limited: bool = True  # False: it is taken however often its caller has called
