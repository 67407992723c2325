"""Doctor's test page: sent the way that every page goes, to whom it is asked to, and followed until a channel took it.

It is marked as a test and stands for no incident.
"""

import time

from tocsin.client import Client, Refused, Unreachable, segment
from tocsin.commands.doctor_checks import Check, Json, commander_of, fail, ok, warn

NAME = "test page"
POLL_SECONDS = 0.1
FORBIDDEN = 403
MEND = "see the reach above, the channels of the rule files, and the log of `tocsin worker pages`"


def page_probe(api: Client, person: str | None, *, wait: float) -> Check:
    """Send a test page to a person, or to `channel:NAME`, and wait until a channel has taken it.

    None is the incident commander of now.
    """
    started = time.monotonic()
    try:
        person = person or commander_of(api.get("/oncall"))
        if person is None:
            return warn(NAME, "not sent: nobody is incident commander now", "say who gets it: --page PERSON")
        sent = api.post(f"/people/{segment(person)}/page_tests")
        state = _until_over(api, sent, started + wait)
    except Refused as error:
        return _refused(error)
    except Unreachable as error:
        return fail(NAME, f"was not sent: {error}", "see the store above, and the log of the receiver")
    took = time.monotonic() - started
    if state["delivered_at"]:
        return ok(NAME, f"{state['channel']} took it for {person} after {took * 1000:.0f} ms ({state['id']})")
    why = state["failed"] or f"no channel has taken it within {wait:.0f} s"
    return fail(NAME, f"did not reach {person}: {why}", MEND)


def _until_over(api: Client, state: Json, deadline: float) -> Json:
    """Wait until a channel took the page, or none will, or time is over."""
    while not state["over"] and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        state = api.get(f"/page_tests/{segment(state['id'])}")
    return state


def _refused(error: Refused) -> Check:
    if error.status == FORBIDDEN:
        return warn(NAME, "not sent: the token may only read", "use the token of a responder, or --no-page")
    return fail(NAME, f"was not sent: {error}", MEND)
