"""The rules in force, with what came of each; and `try it`: what they would make of an alert that somebody pastes."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from incidents.alert import Alert
from incidents.clock import from_ms
from incidents.statistics.figures import statistics_of
from incidents.statistics.values import GroupedBy
from incidents.store.rule_counts import rule_counts
from incidents.store.statistics import summaries
from receiver.auth import ApiRole
from receiver.problems import Problem
from receiver.web.rendering import plainly
from receiver.web.route import Page, PageRoute, Redirect, Visit
from rules.durations import parse_duration
from rules.explain.inputs import NotAnAlert, of_text
from rules.explain.pasted import Pasting
from rules.explain.telling import told
from rules.model import RuleSet
from rules.saying import said
from rules.verdicts import Outcome

MOST_PASTED = 64 * 1024  # characters
MOST_ALERTS = 20  # a simulation each: more would keep others waiting
LONGEST = timedelta(days=7)
MOST_SHOWN = 3  # of what a rule declared last
LATELY = timedelta(days=90)
EXAMPLE = "alertname: CheckoutErrors\nservice: checkout\nseverity: critical"
SHADOWED = "50"
WAIT_SECONDS = 2.0  # for whoever tries something just now
trying = threading.Lock()


def _show(visit: Visit) -> Page | Redirect:
    return Page("rules.html", _values(visit))


def _values(visit: Visit) -> dict[str, Any]:
    answer = visit.ask("/rules")
    listed = answer["rules"]
    return {
        "rules": listed,
        "reload": answer["reload"],
        "hash": answer["hash"],
        "conditions": _conditions(visit.services.api.rule_set()),
        "counts": rule_counts(visit.services.api.links, [each["id"] for each in listed], [*map(str, Outcome)]),
        **_declared(visit),
        "shadow": visit.ask("/shadow", limit=SHADOWED)["shadow_incidents"],
        "typed": visit.form,
        "example": EXAMPLE,
        "explained": [],
        "problem": None,
    }


def _declared(visit: Visit) -> dict[str, Any]:
    """Return how precise the rules were that declared something lately, and the last that each declared."""
    since = visit.now - LATELY
    listed = summaries(visit.services.api.links, since, visit.now, restricted=visit.reader is None)
    figures = statistics_of(listed, (), since=since, until=visit.now, by=GroupedBy.RULE)
    last: dict[str, list[dict[str, Any]]] = {}
    for each in sorted(listed, key=lambda one: one.declared, reverse=True):
        of_rule = last.setdefault(each.rule or "", [])
        if len(of_rule) < MOST_SHOWN:
            of_rule.append(
                {"at": from_ms(each.declared), "severity": each.severity, "of": each.service, "status": each.status}
            )
    return {
        "precision": {each.rule: each for each in figures.rules},
        "last": last,
    }


def _conditions(rule_set: RuleSet) -> dict[tuple[str, int], str]:
    """Return in words when each tier holds, by the id of its rule and its place from 1; none where it holds at once."""
    return {
        (rule.id, tier.index): plainly(said(tier.condition))
        for rule in rule_set.every_rule
        for tier in rule.tiers
        if tier.condition is not None
    }


def _try(visit: Visit) -> Page | Redirect:
    """Explain what was pasted; nothing is stored, and nobody is paged."""
    values = _values(visit)
    try:
        values["explained"] = _explained(visit.form, visit)
    except Problem as problem:
        return Page("rules.html", values | {"problem": problem}, problem.status)
    return Page("rules.html", values)


def _explained(form: Mapping[str, str], visit: Visit) -> list[str]:
    """Return the explanation of each alert; raises `Problem` 422 for what is no alert, 503 while others try."""
    text = form.get("alert", "")
    if len(text) > MOST_PASTED:
        raise Problem(422, f"It is longer than {MOST_PASTED // 1024} KiB.", hint="Paste some of the alerts.")
    try:
        alerts = of_text(text.encode("utf-8", "replace"), "what was pasted")
    except NotAnAlert as error:
        raise Problem(422, f"{error}.", hint="Paste its labels, or the body of a webhook, as JSON or YAML.") from None
    if len(alerts) > MOST_ALERTS:
        raise Problem(422, f"These are {len(alerts)} alerts; {MOST_ALERTS} at most are explained here.")
    lasted = _lasted(form.get("firing_for", ""))
    if not trying.acquire(timeout=WAIT_SECONDS):
        raise Problem(503, "Somebody else tries something just now.", hint="Send it again in some seconds.")
    try:
        now = _whole(visit.now)
        bounded = [_not_older(alert, now - LONGEST) for alert in alerts]
        pasting = Pasting(visit.services.api.rule_set(), bounded, now=now, firing_for=lasted)
        return [plainly("\n".join(told(each))) for each in pasting.explanations()]
    finally:
        trying.release()


def _not_older(alert: Alert, oldest: datetime) -> Alert:
    """Return an alert that began no earlier: what is simulated since then takes time, and others wait."""
    began = alert.starts_at
    return alert if began is None or began >= oldest else msgspec.structs.replace(alert, starts_at=oldest)


def _lasted(text: str) -> timedelta:
    if not text.strip():
        return timedelta(0)
    try:
        lasted = parse_duration(text.strip())
    except ValueError as error:
        raise Problem(422, f"{error}.", hint="Write a duration such as 10m.") from None
    if lasted > LONGEST:
        raise Problem(422, f"It may have fired for {LONGEST.days} days at most.")
    return lasted


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=0)


ROUTES = (
    PageRoute(method="GET", path="/rules", role=ApiRole.VIEWER, handler=_show),
    PageRoute(method="POST", path="/rules", role=ApiRole.VIEWER, handler=_try),
)
