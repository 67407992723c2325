"""`Idempotency-Key` on POST: whoever does not know whether a call arrived sends it again, and it happens once.

The first answer is given again for a day. The same key with anything else in the call is a mistake, and said to be one.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from flask import Response

from incidents.errors import StoreUnavailable, TocsinError
from incidents.store.idempotency import Answered, Answers
from receiver.api.route import Call, Route
from receiver.problems import Problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_KEY = 255
_KEPT_HEADERS = ("ETag", "Location", "X-Request-Id")


class Act(NamedTuple):
    """How a call is answered: by doing it, or where it was done already and the answer was lost, from what it made."""

    do: Callable[[], Response]
    tell: Callable[[str], Response]


def once(answers: Answers, route: Route, call: Call, key: str, act: Act) -> Response:
    """Return the answer to a call that happens once under its key; raises `Problem` 400, 409 and 422."""
    if not key:
        return act.do()
    if len(key) > MAX_KEY or not (key.isascii() and key.isprintable()):
        hint = "Send a random text, such as a UUID: a new one for each new call."
        raise Problem(400, f"{HEADER} has to be 1 to {MAX_KEY} printable ASCII characters.", hint=hint)
    digest = _digest(route, call)
    known = answers.begin(call.actor, key, digest)
    if known is not None:
        return _again(known, digest, act.tell)
    try:
        with answers.holding(call.actor, key, digest):
            response = act.do()
    except StoreUnavailable:
        raise  # whether it was done stands under the key, or will: it stays held for a moment
    except (Problem, TocsinError):
        answers.give_back(call.actor, key)
        raise
    answers.keep(call.actor, key, _kept(digest, response))
    return response


def _digest(route: Route, call: Call) -> str:
    asked: Iterable[Any] = (route.method, route.path, sorted(call.path.items()), call.body, call.if_match)
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def _again(known: Answered, digest: str, tell: Callable[[str], Response]) -> Response:
    if known.call != digest:
        hint = f"Send another {HEADER} for another call."
        raise Problem(422, f"This {HEADER} was used for another call.", hint=hint, members={"pointer": ""})
    if known.done:
        response = tell(known.target)
        response.headers[REPLAYED] = "true"
        return response
    if not known.status:
        detail = f"The call of this {HEADER} is under way."
        raise Problem(409, detail, hint="Send it again in a moment.", headers={"Retry-After": "1"})
    return Response(
        known.body, known.status, {**known.headers, REPLAYED: "true"}, content_type=known.media_type or None
    )


def _kept(digest: str, response: Response) -> Answered:
    return Answered(
        call=digest,
        status=response.status_code,
        headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
        body=response.get_data(),
        media_type=response.content_type or "",
    )
