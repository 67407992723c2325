"""Signing out: here, or everywhere. How somebody gets in is the door's (`receiver.web.door`)."""

from incidents.store.sessions import Sessions
from receiver.audit import trail
from receiver.auth import ApiRole
from receiver.web.route import Page, PageRoute, Redirect, Visit


def _root(visit: Visit) -> Page | Redirect:
    del visit
    return Redirect("/incidents")


def _sign_out(visit: Visit) -> Page | Redirect:
    with trail().change(visit.who.name, "POST /sign-out", visit.who.name):
        Sessions(visit.services.api.links).end(visit.session_id)
    return _left(visit)


def _sign_out_everywhere(visit: Visit) -> Page | Redirect:
    with trail().change(visit.who.name, "POST /sign-out/everywhere", visit.who.name):
        Sessions(visit.services.api.links).end_all(visit.who.name)
    return _left(visit)


def _left(visit: Visit) -> Redirect:
    """Go on to sign in; whoever came by single sign-on is still signed in at the provider, and is told."""
    return Redirect("/sign-in?signed-out=here" if visit.who.group else "/sign-in", signed_out=True)


ROUTES = (
    PageRoute(method="GET", path="/", role=ApiRole.VIEWER, handler=_root),
    PageRoute(method="POST", path="/sign-out", role=ApiRole.VIEWER, handler=_sign_out),
    PageRoute(method="POST", path="/sign-out/everywhere", role=ApiRole.VIEWER, handler=_sign_out_everywhere),
)
