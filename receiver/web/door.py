"""Who may look at the pages: sessions and their cookies, signing in, and the answer to every request of a browser.

Signing in is by an API token, a one-time link or single sign-on (`receiver.web.single_sign_on`); all end in `_let_in`.
"""

import gzip
import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

from flask import Response, current_app, g, request
from itsdangerous import BadData, URLSafeSerializer

from incidents.errors import StoreUnavailable
from incidents.store.sessions import LONGEST, Session, Sessions
from receiver.api.route import Services
from receiver.audit import REFUSED, address, trail
from receiver.auth import LIMITER, ApiToken, Keyring
from receiver.bodies import Bodies
from receiver.deps import Deps
from receiver.limits import Limit, Limiter, too_fast
from receiver.openid.model import CALLBACK
from receiver.problems import Problem, problem_of
from receiver.web.guard import (
    HEADERS,
    RAW_POLICY,
    check_csrf,
    check_origin,
    credential_of,
    is_for_a_person,
    local,
    masked,
    see_other,
)
from receiver.web.rendering import Renderer
from receiver.web.route import Page, PageRoute, Raw, Redirect, Visit
from receiver.web.single_sign_on import SingleSignOn

MAX_FORM = 256 * 1024
MAX_FIELDS = 200
TRIES = Limit(0.5, 30)  # of signing in, from one address
MOST_ADDRESSES = 1000
TOLD = "tocsin_told"
KNOCK = "tocsin_sign_in"
KNOCK_SECONDS = 5.0
PACK_FROM = 1024


class _Known(NamedTuple):
    session_id: str
    session: Session
    who: ApiToken


class Door:
    """Lets browsers in, and answers them. For many threads."""

    def __init__(self, deps: Deps, services: Services, renderer: Renderer, bodies: Bodies) -> None:
        self._now = deps.now
        self._services = services
        self._renderer = renderer
        self._bodies = bodies
        # Anybody may knock: what they send slowly keeps neither those waiting who are signed in, nor a thread for long.
        self._knocks = Bodies(readers=1, timeout=KNOCK_SECONDS)
        self._sessions = Sessions(services.api.links)
        self._callers = {token.name: token for token in deps.api_tokens}
        self._keyring: Keyring[ApiToken] = Keyring(deps.api_tokens)
        self._tries = Limiter(TRIES)
        self._addresses: set[str] = set()
        names = (*self._callers, *(source.name for source in deps.sources))
        self._single = SingleSignOn(deps.sign_in, services.api.links, names, deps.now) if deps.sign_in else None
        self._is_secure = services.api.external_url.startswith("https://")
        self._cookie = "__Host-tocsin" if self._is_secure else "tocsin_session"
        self._knock = f"__Host-{KNOCK}" if self._is_secure else KNOCK

    # Pages

    def answer(self, route: PageRoute, path: Mapping[str, str]) -> Response:
        """Answer one request for a page, whatever becomes of it."""
        known: _Known | None = None
        form: dict[str, str] = {}
        try:
            try:
                known = self._known()
            finally:
                if route.method == "POST":
                    form = self._form(self._knocks if known is None else self._bodies)
            if known is None:
                return self._ask_in(route, form)
            return self._done(route, path, known, form)
        except Exception as error:  # noqa: BLE001 - the request boundary: `problem_of` records what nobody foresaw
            return self._problem(problem_of(error), known, form)

    def _done(self, route: PageRoute, path: Mapping[str, str], known: _Known, form: Mapping[str, str]) -> Response:
        self._admit(route, known)
        if route.method == "POST":
            check_csrf(form, known.session.csrf)
        visit = Visit(
            who=known.who,
            session_id=known.session_id,
            now=self._now(),
            services=self._services,
            path=path,
            query={name: text for name, text in request.args.items() if len(text) <= 1024},
            form=form,
            is_signed_in=lambda: self._holder(known.session_id) is not None,
            clock=self._now,
        )
        done = route.handler(visit)
        if isinstance(done, Response):
            return done
        if isinstance(done, Redirect):
            return self._redirect(done, known)
        if isinstance(done, Raw):
            headers = {**HEADERS, "Content-Security-Policy": RAW_POLICY}
            return Response(done.body, headers=headers, content_type=done.media_type)
        response = self._page(done, known, visit)
        session_id = self._sessions.looked(known.session_id, known.session, visit.now)
        if session_id != known.session_id:
            self._set_cookie(response, session_id)
        return response

    def _admit(self, route: PageRoute, known: _Known) -> None:
        limiter: Limiter = current_app.extensions[LIMITER]
        seconds = limiter.wait(known.who.name) if route.is_limited else 0.0
        if seconds:
            raise too_fast(429, known.who.name, seconds)
        if known.who.role.rank < route.role.rank:
            g.setdefault(REFUSED, known.who.name)
            raise Problem(403, f"{known.who.name} has the role {known.who.role}; this needs {route.role}.")

    def _known(self) -> _Known | None:
        """Return whose session the cookie names; None where there is none, or its credential was withdrawn."""
        return self._holder(request.cookies.get(self._cookie, ""))

    def _holder(self, session_id: str) -> _Known | None:
        if not session_id or len(session_id) > 128:
            return None
        session = self._sessions.read(session_id)
        if session is None or self._now() >= session.opened_at + LONGEST:
            return None
        who = self._caller_of(session)
        return _Known(session_id, session, who) if who is not None else None

    def _caller_of(self, session: Session) -> ApiToken | None:
        if session.groups:
            return self._single.holder(session) if self._single is not None else None
        who = self._callers.get(session.caller)
        return who if who is not None and session.credential in map(credential_of, who.token_hashes) else None

    def _ask_in(self, route: PageRoute, form: Mapping[str, str]) -> Response:
        if route.method == "GET":
            there = request.full_path.removesuffix("?")
            return see_other(f"/sign-in?next={quote(there)}" if there != "/" else "/sign-in")
        page = Page("signed_out.html", {"typed": _typed(form)}, 401)
        return self._page(page, None, None)

    # Signing in

    def show_sign_in(self) -> Response:
        """Show the form that takes a token."""
        left = self._single.provider.end_session if self._single is not None and "signed-out" in request.args else ""
        there = local(request.args.get("next", ""))
        return self._knocking("sign_in.html", {"next": there, "wrong": "", "left": left})

    def sign_in(self) -> Response:
        """Open a session for a valid token; the answer to any other is the same."""
        try:
            form = self._form(self._knocks)
            self._check_knock(form, HTTPStatus.FORBIDDEN)
            self._check_address()
            there = local(form.get("next", ""))
            who = self._keyring.holder_of(form.get("token", "").strip().encode("utf-8", "surrogatepass"))
            if who is None:
                wrong = "This token is not valid."
                values = {"next": there, "wrong": wrong, "left": ""}
                return self._knocking("sign_in.html", values, HTTPStatus.UNAUTHORIZED)
            used = sha256(form["token"].strip().encode()).digest()
            return self._let_in(who, credential_of(used), there, "POST /sign-in")
        except Exception as error:  # noqa: BLE001 - the request boundary
            return self._problem(problem_of(error), None, {})

    def show_link(self, secret: str) -> Response:
        """Show the button of a one-time link: looking uses nothing up."""
        return self._knocking("sign_in_link.html", {"secret": secret[:128]})

    def sign_in_by_link(self, secret: str) -> Response:
        """Open a session for whom a one-time link is, once."""
        try:
            # Not 403: a refused address is written into logs, and this one bears a secret.
            self._check_knock(self._form(self._knocks), HTTPStatus.BAD_REQUEST)
            self._check_address()
            who = self._callers.get(self._sessions.use_link(secret))
            if who is None or not who.token_hashes:
                raise Problem(410, "This link was used, or it has expired.", hint="Sign in with a token.")
            return self._let_in(who, credential_of(who.token_hashes[0]), "/", "POST /sign-in/{link}")
        except Exception as error:  # noqa: BLE001 - the request boundary
            return self._problem(problem_of(error), None, {})

    def begin_single_sign_on(self) -> Response:
        """Send a browser to the provider of single sign-on."""
        try:
            return self._way_in().begin()
        except Exception as error:  # noqa: BLE001 - the request boundary
            return self._problem(problem_of(error), None, {})

    def finish_single_sign_on(self) -> Response:
        """Open a session for whom the provider of single sign-on sends back."""
        try:
            single = self._way_in()
            self._check_address()
            found = single.finish()
            response = self._let_in(found.who, single.credential, found.there, f"GET {CALLBACK}", found.groups)
        except Exception as error:  # noqa: BLE001 - the request boundary
            response = self._problem(problem_of(error), None, {})
        return self._single.forget(response) if self._single is not None else response

    def _way_in(self) -> SingleSignOn:
        if self._single is None:
            raise Problem(404, "There is no single sign-on here.", hint="Sign in with an API token.")
        return self._single

    def _let_in(
        self, who: ApiToken, credential: str, there: str, action: str, groups: tuple[str, ...] = ()
    ) -> Response:
        """Open a new session, whatever cookie came along, and end the one that it named."""
        before = request.cookies.get(self._cookie, "")
        with trail().change(who.name, action, who.name):
            if before and len(before) <= 128:
                self._sessions.end(before)
            session_id, _ = self._sessions.open(who.name, credential, self._now(), groups)
        response = see_other(there or "/")
        self._set_cookie(response, session_id)
        response.delete_cookie(self._knock, secure=self._is_secure, httponly=True, samesite="Lax")
        return response

    def _check_address(self) -> None:
        """Raise `Problem` 429 for an address that tries too often; of very many addresses all are forgotten at once."""
        if len(self._addresses) >= MOST_ADDRESSES:
            self._addresses.clear()
            self._tries = Limiter(TRIES)
        self._addresses.add(address())
        seconds = self._tries.wait(address())
        if seconds:
            raise Problem(
                429,
                "Somebody at your address tries to sign in too often.",
                hint="Wait some seconds, and try again. Links of pages and the API go on working.",
                headers={"Retry-After": str(int(seconds) + 1)},
            )

    def _knocking(self, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        """Return a page whose form has to come from the browser that it was shown to."""
        knock = secrets.token_hex(16)
        asked = {**values, "knock": knock, "nobody": not self._callers, "single": self._single is not None}
        response = self._page(Page(template, asked, status), None, None)
        response.set_cookie(self._knock, knock, httponly=True, secure=self._is_secure, samesite="Lax", max_age=3600)
        return response

    def _check_knock(self, form: Mapping[str, str], status: int) -> None:
        kept = request.cookies.get(self._knock, "")
        if not kept or not hmac.compare_digest(kept.encode(), form.get("knock", "").encode("utf-8", "replace")):
            raise Problem(status, "This form is too old.", hint="Go back, load the page again, and allow cookies.")
        check_origin(status)

    # Answers

    def _page(self, page: Page, known: _Known | None, visit: Visit | None) -> Response:
        values = {
            "now": self._now(),
            "here": request.full_path.removesuffix("?"),
            "who": known.who if known else None,
            "csrf": masked(known.session.csrf) if known else "",
            "visit": visit,
            "told": self._told(known) if known else "",
            **page.values,
        }
        body = self._renderer.render(page.template, values).encode()
        headers = dict(HEADERS)
        if len(body) >= PACK_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 5)
            headers["Content-Encoding"] = "gzip"
        response = Response(body, page.status, headers, content_type="text/html; charset=utf-8")
        if TOLD in request.cookies:
            response.delete_cookie(TOLD)
        return response

    def lost(self, error: Exception) -> Response:
        """Answer an address at which nothing is: a browser by a page, with the menu for whoever is signed in."""
        if not is_for_a_person():
            return problem_of(error).response()
        try:
            known = self._known()
        except StoreUnavailable:
            known = None
        return self._problem(Problem(404, "There is no such page.", hint="Was the address copied whole?"), known, {})

    def _problem(self, problem: Problem, known: _Known | None, form: Mapping[str, str]) -> Response:
        title = HTTPStatus(problem.status).phrase
        values = {"problem": problem, "title": title, "typed": _typed(form)}
        response = self._page(Page("problem.html", values, problem.status), known, None)
        response.headers.extend(problem.headers)
        return response

    def _redirect(self, redirect: Redirect, known: _Known) -> Response:
        response = see_other(redirect.to)
        if redirect.told:
            told = URLSafeSerializer(known.session.csrf, salt=TOLD).dumps(redirect.told[:600])
            response.set_cookie(TOLD, str(told), httponly=True, secure=self._is_secure, samesite="Lax", max_age=60)
        if redirect.signed_out:
            response.delete_cookie(self._cookie, secure=self._is_secure, httponly=True, samesite="Lax")
        return response

    def _told(self, known: _Known) -> str:
        kept = request.cookies.get(TOLD, "")
        try:
            return str(URLSafeSerializer(known.session.csrf, salt=TOLD).loads(kept)) if kept else ""
        except BadData:
            return ""

    def _set_cookie(self, response: Response, session_id: str) -> None:
        response.set_cookie(
            self._cookie,
            session_id,
            httponly=True,
            secure=self._is_secure,
            samesite="Lax",
            path="/",
            max_age=int(LONGEST.total_seconds()),
        )

    def _form(self, bodies: Bodies) -> dict[str, str]:
        """Return the fields of the form that was sent; of a field that was given twice the last."""
        kind = request.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if kind not in {"", "application/x-www-form-urlencoded"}:
            raise Problem(415, "This address takes forms.")
        with bodies.body(request.environ, MAX_FORM) as body:
            text = body.decode("utf-8", "replace")
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
        except ValueError:
            raise Problem(400, "This is no form.") from None


def _typed(form: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what somebody typed into a form that was refused, for them to copy."""
    return [(name, text) for name, text in form.items() if name not in {"csrf", "token", "knock"} and text.strip()]
