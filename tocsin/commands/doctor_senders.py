"""What doctor makes of those who send alerts: who was heard but for doctor itself, and who was refused. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from incidents.alert import PROBE_LABEL
from tocsin.commands.doctor_checks import Check, Json, ok, warn
from tocsin.commands.printing import span

LISTED = 200  # alerts, and entries of the audit log, that are looked at
QUIET = timedelta(hours=24)
REFUSED_WITHIN = timedelta(hours=1)
REFUSED = ("refused 401", "refused 403")
# They always have something to say, the Watchdog; others may be quiet for weeks.
STEADY = ("alertmanager", "prometheus")
INTAKES = ("POST /webhooks/", "PUT /webhooks/", "POST /api/v2/alerts", "POST /v2/enqueue")


def source_checks(status: Json, listed: Json) -> Iterator[Check]:
    """Yield when each source was heard by `GET /api/v1/status`; `listed` are the alerts that were heard of last.

    What doctor sends bears the token of a source as well: it must not hide that the sender itself was never heard.
    """
    now = datetime.fromisoformat(status["now"])
    for source in status["sources"]:
        yield _source(source, listed, now)


def refused_checks(audit: Json, *, own_now: datetime) -> Iterator[Check]:
    """Yield a warning where senders were refused of late by `GET /api/v1/audit`; nothing where none was."""
    refused = [
        entry
        for entry in audit["entries"]
        if entry["outcome"] in REFUSED
        and entry["action"].startswith(INTAKES)
        and own_now - datetime.fromisoformat(entry["at"]) < REFUSED_WITHIN
    ]
    if refused:
        last = refused[0]
        ago = span(own_now - datetime.fromisoformat(last["at"]))
        found = f"{last['address']} was {last['outcome']} at {last['action']} {ago} ago: its token is none of a source"
        mend = "give it the token that `tocsin connect` names; Alertmanager does not try a refused webhook again"
        yield warn("refused senders", found, mend)


def _source(source: Json, listed: Json, now: datetime) -> Check:
    name, heard = f"source {source['name']}", source["last_heard"]
    mend = f"paste what `tocsin connect {source['kind'].replace('_', '-')} --source {source['name']}` prints"
    if heard is None:
        return warn(name, "was never heard", mend)
    is_steady = source["kind"] in STEADY
    at = datetime.fromisoformat(heard)
    own = [alert for alert in listed["alerts"] if alert["source"] == source["name"]]
    if at == _last(alert for alert in own if PROBE_LABEL in alert["labels"]):
        others = _last(alert for alert in own if PROBE_LABEL not in alert["labels"])
        if others is None:
            found = "was not heard of late, but for the synthetic alerts of doctor"
            return warn(name, found, mend) if is_steady and listed["next"] is None else ok(name, found)
        at = others
    quiet = now - at
    found = f"was heard {span(quiet)} ago"
    return warn(name, found, mend) if is_steady and quiet >= QUIET else ok(name, found)


def _last(alerts: Iterable[Json]) -> datetime | None:
    return max((datetime.fromisoformat(alert["last_seen"]) for alert in alerts), default=None)
