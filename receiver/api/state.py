"""The rules in force, who is on call by them, and how Tocsin is."""

import re
from typing import Any, NamedTuple

from incidents.clock import from_ms
from incidents.errors import StoreUnavailable
from incidents.measures import Measures
from incidents.overrides import rules_of
from incidents.presentation import instant
from incidents.queues import DECIDE_QUEUE, PAGES_QUEUE
from incidents.store.measured import Measured, measure
from incidents.store.rulesets import ReloadStatus
from incidents.store.vitals import Vitals, vitals
from receiver.api import state_answers
from receiver.api.reading import bad_parameter, text_in
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole
from rules.conditions import flatten, name_of
from rules.durations import format_duration
from rules.model import Rule, RuleSet, Tier

_is_probe = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII).fullmatch


def _rules(services: Services, call: Call) -> Reply:
    del call
    rule_set = services.api.rule_set()
    return Reply(
        {
            "hash": rules_of(rule_set.hash),
            "reload": _reload(services.rulesets.status()),
            "rules": [_rule(rule) for rule in rule_set.every_rule],
            "next": None,
        }
    )


def _rule_files(services: Services, call: Call) -> Reply:
    del call
    ruleset = services.rulesets.current()
    if not ruleset:
        return Reply({"hash": "", "checked_at": None, "files": []})
    kept = services.rulesets.text(ruleset)
    files = [{"name": name, "text": text} for name, text in kept.files]
    return Reply({"hash": rules_of(ruleset), "checked_at": instant(kept.checked_at), "files": files})


def _reload(status: ReloadStatus) -> dict[str, Any]:
    at = instant(from_ms(status.at_ms)) if status.at_ms else None
    return {"successful": status.successful, "at": at, "errors": list(status.errors)}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "criterion": rule.criterion.value,
        "on": rule.on.value,
        "mode": rule.mode.value,
        "match": [str(matcher) for matcher in rule.matchers],
        "identity": list(rule.identity),
        "tiers": [_tier(tier) for tier in rule.tiers],
        "reopen_within": format_duration(rule.reopen_within),
        "file": rule.file,
        "line": rule.line,
    }


def _tier(tier: Tier) -> dict[str, Any]:
    return {
        "declare": tier.declare.value if tier.declare else None,
        "escalate_by": tier.escalate_by,
        "page": tier.page,
        "attach_only": tier.attach_only,
        "conditions": [name_of(condition) for condition in flatten(tier.condition)],
    }


class _Seen(NamedTuple):
    """How the store is, and the rules in it."""

    vitals: Vitals
    measured: Measured
    rule_set: RuleSet
    problems: list[str]


def _seen(services: Services, probe: str) -> tuple[_Seen | None, list[str]]:
    """Return what the store says, None where it is away, and why Tocsin is not ready."""
    api = services.api
    try:
        seen = _Seen(vitals(api.links, probe=probe), measure(api.links), api.rule_set(), list(api.durability()))
        return seen, services.deps.ready()
    except StoreUnavailable as error:
        return None, [str(error)]


def _status(services: Services, call: Call) -> Reply:
    """Tell how Tocsin is; it answers with the store away too, for then most of all somebody asks."""
    probe = text_in(call.query, "probe")
    if probe and not _is_probe(probe):
        raise bad_parameter("probe", "A probe is letters, digits, `-`, `_` and `.`, 128 at most.")
    deps = services.deps
    seen, reasons = _seen(services, probe)
    asked, measured = (seen.vitals, seen.measured) if seen is not None else (None, None)
    heard = asked.sources_heard if asked else {}
    problems = seen.problems if seen is not None else reasons
    return Reply(
        {
            "version": deps.build,
            "now": instant(call.now),
            "ready": not reasons,
            "reasons": reasons,
            "store": {
                "up": seen is not None,
                "durable": not problems,
                "now": instant(asked.store_now) if asked else None,
                "problems": problems,
            },
            "intake": _intake(measured, call) if measured else None,
            "incidents_open": sum(measured.open_incidents.values()) if measured else None,
            "quarantine": measured.quarantined if measured else None,
            "workers": _workers(measured) if measured else None,
            "journal": _journal(measured) if measured else None,
            "sources": [
                {"name": source.name, "kind": source.kind, "last_heard": instant(heard.get(source.name))}
                for source in deps.sources
            ],
            "rules": _standing(seen.rule_set, seen.measured) if seen else None,
            "probe": {"token": probe, "decided": asked.probe_decided} if probe and asked else None,
        }
    )


def _intake(measured: Measured, call: Call) -> dict[str, Any]:
    oldest = measured.oldest_received_at
    counts = {
        outcome: measured.counters.get(Measures.EVENTS.field(outcome), 0)
        for outcome in ("processed", "duplicate", "quarantined")
    }
    return {
        "received": measured.counters.get(Measures.EVENTS_RECEIVED.field(), 0),
        **counts,
        "pending": measured.pending,
        "lag_seconds": max((call.now - oldest).total_seconds(), 0.0) if oldest else 0.0,
    }


def _journal(measured: Measured) -> dict[str, Any]:
    journal = measured.journal
    return {
        "up": journal.is_well,
        "lag": journal.lag,
        "missed": measured.counters.get(Measures.JOURNAL_MISSED.field(), 0),
        "error": journal.error,
        "wrote_at": instant(journal.wrote_at),
    }


def _workers(measured: Measured) -> list[dict[str, Any]]:
    queues = dict.fromkeys((DECIDE_QUEUE, PAGES_QUEUE, *measured.workers_seen))
    return [{"queue": queue, "last_seen": instant(measured.workers_seen.get(queue))} for queue in queues]


def _standing(rule_set: RuleSet, measured: Measured) -> dict[str, Any]:
    return {
        "hash": rules_of(rule_set.hash),
        "reload": _reload(measured.reload),
        "rules": len(rule_set.rules),
        "people": sum(1 for person in rule_set.oncall.people.values() if person.channels),
        "channels": len(rule_set.oncall.channels),
    }


_PROBE = Parameter(name="probe", description="The value of the label `tocsin_probe` of a synthetic alert.")

ROUTES = (
    Route(
        method="GET",
        path="/rules",
        role=ApiRole.VIEWER,
        summary="Show the rules in force, and how the last reload went",
        handler=_rules,
        answer=state_answers.RulesAnswer,
    ),
    Route(
        method="GET",
        path="/rules/files",
        role=ApiRole.ADMIN,
        summary="Show the text of the rules in force, which may hold secrets",
        handler=_rule_files,
        answer=state_answers.RuleFilesAnswer,
    ),
    Route(
        method="GET",
        path="/status",
        role=ApiRole.VIEWER,
        summary="Show how Tocsin is",
        handler=_status,
        answer=state_answers.StatusAnswer,
        query=(_PROBE,),
    ),
)
