"""Doctor's synthetic alert: posted as a sender posts, and followed until a worker has decided it.

It bears a label that no rule is ever matched against, so it declares nothing and pages nobody.
"""

import contextlib
import secrets
import time
from datetime import datetime, timedelta
from typing import Any

from incidents.alert import PROBE_LABEL
from incidents.clock import utc_now
from incidents.presentation import instant
from tocsin.client import Client, Refused, Unreachable
from tocsin.commands.connect import WEBHOOK
from tocsin.commands.credentials import Known
from tocsin.commands.doctor_checks import Check, fail, ok, warn

NAME = "synthetic alert"
WAIT_SECONDS = 10.0
POLL_SECONDS = 0.05
UNAUTHORIZED = 401


def probe(server: str, api: Client, sources: list[Known], *, wait: float = WAIT_SECONDS) -> Check:
    """Send a synthetic alert as the first source whose token is known, and wait until it was decided."""
    known = next((source for source in sources if source.token), None)
    if known is None:
        names = ", ".join(source.name for source in sources)
        found = f"not sent: the token of {names} is known by its digest alone" if names else "not sent: no source"
        return warn(NAME, found, "give one as token_file to a source of the kind alertmanager, for doctor to use")
    token = secrets.token_hex(12)
    sender = Client(server, known.token)
    started = time.monotonic()
    try:
        sender.send(WEBHOOK, payload(token, utc_now(), is_firing=True))
    except Refused as error:
        return _refused(error, known)
    except Unreachable as error:
        return fail(NAME, f"was not taken: {error}", "see the store above, and the log of the receiver")
    taken = time.monotonic() - started
    try:
        is_done = _until_decided(api, token, started + wait)
        total = time.monotonic() - started
    finally:
        # What fires has to end: nobody else would ever say that it is over.
        with contextlib.suppress(Refused, Unreachable):
            sender.send(WEBHOOK, payload(token, utc_now(), is_firing=False))
    found = f"taken from {known.name} in {taken * 1000:.0f} ms"
    if is_done:
        return ok(NAME, f"{found}, decided after {total * 1000:.0f} ms")
    mend = "see the workers and the intake above, and the log of `tocsin worker decide`"
    return fail(NAME, f"{found}, but not decided within {wait:.0f} s", mend)


def _until_decided(api: Client, token: str, deadline: float) -> bool:
    while not is_decided(api.get("/status", {"probe": token})):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def is_decided(status: dict[str, Any]) -> bool:
    """Tell by the status whether the probe that was asked for has been decided."""
    probed = status.get("probe")
    return bool(probed and probed["decided"])


def _refused(error: Refused, source: Known) -> Check:
    if error.status == UNAUTHORIZED:
        mend = "restart Tocsin if the token was changed while it ran, and give the sender the new one"
        return fail(NAME, f"the token of {source.name} in {source.file or 'tocsin.yml'} is refused", mend)
    return fail(NAME, f"was refused with {error.status}: {error}", "see the log of the receiver")


def payload(token: str, now: datetime, *, is_firing: bool) -> dict[str, Any]:
    """Return a webhook as Alertmanager writes it, with the one synthetic alert."""
    status = "firing" if is_firing else "resolved"
    labels = {"alertname": "TocsinProbe", "severity": "none", PROBE_LABEL: token}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": {"summary": "A synthetic alert of `tocsin doctor`; nobody needs to do anything."},
        "startsAt": instant(now - timedelta(seconds=1 if is_firing else 60)),
        "endsAt": "0001-01-01T00:00:00Z" if is_firing else instant(now),
        "generatorURL": "",
        "fingerprint": token[:16],
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{{PROBE_LABEL}="{token}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "tocsin",
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": [alert],
    }
