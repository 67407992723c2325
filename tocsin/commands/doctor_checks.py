"""What doctor makes of what the server says of itself: each check with its state, and its mend if one is due. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from incidents.queues import DECIDE_QUEUE, FACTS_QUEUE, PAGES_QUEUE
from tocsin.commands.printing import span

WORKER_SILENT = timedelta(seconds=10)  # a ticker gives a sign every quarter of a second
LAGS = 10.0  # seconds
MOST_UNREACHABLE = 10
CLOCKS_APART = timedelta(seconds=2)
CLOCKS_FAR_APART = timedelta(seconds=30)
WORKS_ON = {DECIDE_QUEUE: "decide", PAGES_QUEUE: "pages", FACTS_QUEUE: "facts"}

Json = dict[str, Any]


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: what was found, and what to do where that is not well."""

    name: str
    state: State
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Check:
    """Return a check that went well."""
    return Check(name=name, state=State.OK, found=found)


def warn(name: str, found: str, mend: str = "") -> Check:
    """Return a check that found something odd."""
    return Check(name=name, state=State.WARN, found=found, mend=mend)


def fail(name: str, found: str, mend: str) -> Check:
    """Return a check that found what must be mended."""
    return Check(name=name, state=State.FAIL, found=found, mend=mend)


def checks_of(status: Json, oncall: Json, *, own_now: datetime) -> Iterator[Check]:
    """Yield what `GET /api/v1/status` and `oncall` tell; `own_now` is the clock of the host that asks."""
    yield _ready(status)
    yield from _store(status["store"])
    if not status["store"]["up"]:
        return
    yield _clocks(status, own_now)
    now = datetime.fromisoformat(status["now"])
    for worker in status["workers"]:
        yield _worker(worker, now)
    yield _intake(status["intake"])
    yield _quarantine(status["quarantine"])
    yield _journal(status["journal"])
    yield _rules(status["rules"])
    yield _people(status["rules"], oncall)


def reach_check(answer: Json) -> Check:
    """Return what `GET /api/v1/oncall/unreachable` tells."""
    listed = answer["unreachable"]
    if not listed:
        return ok("reach", "everybody on call has a channel, none failed last, and no rotation has a gap")
    shown = [f"{each['what']} {each['name']}: {each['why']}" for each in listed[:MOST_UNREACHABLE]]
    more = [f"and {len(listed) - len(shown)} more"] if len(listed) > len(shown) else []
    mend = "add channels or people in the rule files; prove a channel with `tocsin page test PERSON`"
    return warn("reach", "\n".join([*shown, *more]), mend)


def prometheus_checks(answer: Json, *, own_now: datetime) -> Iterator[Check]:
    """Yield what `GET /api/v1/slos` tells of Prometheus; nothing where no SLO needs one."""
    slos = answer["slos"]
    unknown = [slo for slo in slos if slo["burn_rate"] is None or slo["budget_remaining"] is None]
    if unknown:
        first = unknown[0]
        mend = "see `prometheus` in tocsin.yml, the query of the SLO, and the log of `tocsin worker facts`"
        found = f"{len(unknown)} of {len(slos)} SLOs cannot be measured; {first['id']}: {first['why']}"
        yield fail("prometheus", found, mend) if len(unknown) == len(slos) else warn("prometheus", found, mend)
    elif slos:
        oldest = min(datetime.fromisoformat(slo["at"]) for slo in slos)
        why = next((slo["why"] for slo in slos if slo["why"]), "")
        if why:
            found = f"does not answer now, what it said {span(own_now - oldest)} ago still holds; {why}"
            yield warn("prometheus", found, "see the log of `tocsin worker facts`, and whether its address answers")
            return
        yield ok("prometheus", f"answers; {len(slos)} SLOs, the oldest number is {span(own_now - oldest)} old")


def _ready(status: Json) -> Check:
    if status["ready"]:
        return ok("receiver", f"ready, version {status['version']}")
    return fail("receiver", "not ready: " + "; ".join(status["reasons"]), "see the checks below, and its log")


def _store(store: Json) -> Iterator[Check]:
    if not store["up"]:
        yield fail(
            "store",
            "does not answer: " + "; ".join(store["problems"]),
            "start it, or mend redis_url; with the embedded one, see the log of `tocsin serve`",
        )
    elif store["problems"]:
        for problem in store["problems"]:
            found, _, mend = problem.partition("; ")
            yield fail("store", found, mend)
    else:
        yield ok("store", "answers, and keeps what it is given")


def _clocks(status: Json, own_now: datetime) -> Check:
    server, store = datetime.fromisoformat(status["now"]), datetime.fromisoformat(status["store"]["now"])
    apart = max(abs(server - store), abs(own_now - store))
    found = f"ours, the receiver's and the store's are {apart.total_seconds():.1f} s apart"
    if apart < CLOCKS_APART:
        return ok("clocks", found)
    mend = "let NTP or chrony set the clock of every host"
    return warn("clocks", found, mend) if apart < CLOCKS_FAR_APART else fail("clocks", found, mend)


def all_give_signs(status: Json) -> bool:
    """Tell whether every worker has given a sign of late; one that was just started needs a moment for its first."""
    now, journal = datetime.fromisoformat(status["now"]), status["journal"]
    is_written = journal["up"] or journal["error"]
    return bool(is_written) and all(_worker(worker, now).state is State.OK for worker in status["workers"])


def _worker(worker: Json, now: datetime) -> Check:
    queue, seen = worker["queue"], worker["last_seen"]
    name = f"worker {WORKS_ON.get(queue, queue)}"
    mend = f"start `tocsin worker {WORKS_ON.get(queue, queue)}`, or run `tocsin serve`; see its log"
    if seen is None:
        return fail(name, "has never given a sign", mend)
    silent = now - datetime.fromisoformat(seen)
    if silent > WORKER_SILENT:
        return fail(name, f"gave its last sign {span(silent)} ago", f"{mend}, and the clock of its host")
    if -silent > CLOCKS_APART:
        return fail(name, f"its clock is {span(-silent)} ahead", "let NTP or chrony set the clock of every host")
    return ok(name, "gives signs")


def _intake(intake: Json) -> Check:
    found = f"{intake['received']} events received, {intake['pending']} of them pending"
    lag = intake["lag_seconds"]
    if lag > LAGS:
        return fail("intake", f"{found}, the oldest for {lag:.0f} s", "see the log of `tocsin worker decide`")
    return ok("intake", found)


def _journal(journal: Json) -> Check:
    missed = f"; it missed {journal['missed']} events" if journal["missed"] else ""
    waiting = f"{journal['lag']} events wait for it{missed}"
    if journal["error"]:
        return warn("journal", f"{journal['error']}; {waiting}", "make room on its disk, or mend data_dir")
    if not journal["up"]:
        return warn("journal", f"nobody writes it; {waiting}", "start `tocsin worker facts`, or run `tocsin serve`")
    return ok("journal", f"is written; {waiting}")


def _quarantine(quarantined: int) -> Check:
    if quarantined:
        return warn("quarantine", f"holds {quarantined} events", "see `tocsin quarantine list`")
    return ok("quarantine", "empty")


def _rules(rules: Json | None) -> Check:
    mend = "see `tocsin rules check`, then reload: kill -HUP, or POST /-/reload"
    if rules is None or not rules["hash"]:
        return fail("rules", "none are in force", mend)
    if not rules["reload"]["successful"]:
        errors = rules["reload"]["errors"]
        first = f": {errors[0]}" if errors else ""
        return fail("rules", f"the last reload failed, those from before are in force{first}", mend)
    found = f"{rules['rules']} in force, hash {rules['hash']}"
    return ok("rules", found) if rules["rules"] else warn("rules", found, "write some, for nothing is an incident now")


def _people(rules: Json | None, oncall: Json) -> Check:
    people = rules["people"] if rules else 0
    if not people:
        return fail("people", "nobody can be paged", "add `people` with `channels` to the rule files")
    commander = commander_of(oncall)
    if commander is None:
        mend = "add `roles: {incident_commander: {rotation: ...}}` to the rule files"
        return fail("people", f"{people} can be paged, but nobody is incident commander now", mend)
    return ok("people", f"{people} can be paged; {commander} is incident commander now")


def commander_of(oncall: Json) -> str | None:
    """Return who is incident commander now by `GET /api/v1/oncall`, None for nobody."""
    person: str | None = oncall.get("incident_commander", {}).get("person")
    return person
