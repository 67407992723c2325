"""Kills every process at random times under load, and afterwards holds the promises against what is left, exactly.

The seed is printed; `KILL_SEED=...` repeats its choices (what the processes are doing at that instant, nobody can).
"""

import copy
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress

import pytest
from evidence import Evidence, faults, gather
from load import Load
from page_sink import Answer
from programs import age_of, eventually

from incidents import keys

pytestmark = pytest.mark.kill

SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(1_000_000))
SERVE, STORE, GRANIAN_WORKER = "serve", "store", "granian worker"


class Killer:
    """Kills one process after another, at random times, and starts the supervisor again when it was the one."""

    def __init__(self, tocsin, serving, seed: int) -> None:
        self.tocsin = tocsin
        self.serving = serving
        self.killed: Counter[str] = Counter()
        self._random = random.Random(seed)

    def kill(self, wanted: dict[str, int]) -> None:
        """Kill so many of each, in random order, each at a random age."""
        left = dict(wanted)
        while left:
            time.sleep(self._random.uniform(0.02, 0.4))
            age = self._random.uniform(0.3, 1.5)
            # Who died often comes back late: kill whoever is at work.
            at_work = {victim: pid for victim in left if (pid := self._pid(victim)) and age_of(pid) > age}
            if at_work:
                victim = self._random.choices(list(at_work), weights=[left[each] for each in at_work])[0]
                self._kill(victim, at_work[victim])
                left = {each: count for each in left if (count := wanted[each] - self.killed[each]) > 0}

    def _kill(self, victim: str, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.killed[victim] += 1
        if victim == SERVE:
            self.serving.program.process.wait()
            self.serving.program = self.tocsin.run("serve")
            self.serving.wait_ready()

    def _pid(self, victim: str) -> int:
        if victim == SERVE:
            return self.serving.program.pid
        running = self.serving.running(victim)
        return self._random.choice(running) if running else 0


def test_kill_of_every_process_of_ours_at_random_times(tocsin, page_sink):
    """Fifty kills and more under load: nothing is lost, nothing is doubled, and the counters balance."""
    page_sink.always(Answer(delay=0.05))
    wanted = {"decide": 20, "pages": 16, "receiver": 5, GRANIAN_WORKER: 6, SERVE: 5}

    killed, load = _kill_under_load(tocsin, tocsin.serve(), wanted)
    assert killed.total() >= 50
    evidence = _evidence(tocsin, load, page_sink)
    assert faults(evidence) == []
    _check_that_the_checks_can_fail(evidence)


def test_kill_of_the_store_with_durability_fsync(tocsin, page_sink):
    """With `durability: fsync` the death of the store itself, among the others, loses nothing that was accepted."""
    tocsin.configure(extra="durability: fsync")
    wanted = {STORE: 3, "decide": 3, "pages": 2, "receiver": 1, SERVE: 1}

    _, load = _kill_under_load(tocsin, tocsin.serve(), wanted)
    assert faults(_evidence(tocsin, load, page_sink)) == []


def _kill_under_load(tocsin, serving, wanted):
    print(f"seed {SEED}")
    killer = Killer(tocsin, serving, SEED)
    began = time.monotonic()
    with Load(tocsin.port, posters=3, seed=SEED) as load:
        killer.kill(wanted)
        serving.wait_ready()
        eventually(lambda: load.events > 1000, timeout=90, what="a load of 1000 alerts")
        load.stop()
    seconds = time.monotonic() - began
    print(f"{killer.killed.total()} kills in {seconds:.0f} s: {dict(killer.killed)}; answers {dict(load.answers)}")
    assert load.answers.total() - load.answers["events"] > load.answers["202"]  # there was trouble
    return killer.killed, load


def _evidence(tocsin, load, page_sink) -> Evidence:
    """Wait until everything is done, claim the pages, and gather what is left."""
    tocsin.settled(timeout=90)
    link = tocsin.link()
    eventually(lambda: not link.one("ZCARD", keys.pages_due()), timeout=90, what="the end of all pages due")
    link.drop()
    evidence = gather(tocsin, load.accepted, page_sink.received)
    for one in page_sink.received:
        one.claimed = True  # each of them is held against the rules for pages below
    print(f"{load.events} alerts accepted, {len(evidence.incidents)} incidents, {len(evidence.pages)} pages")
    assert len(evidence.incidents) > 10
    return evidence


# A control: each of these damages must be noticed.


def _an_alert_lost(evidence):
    evidence.states.popitem()


def _an_alert_in_the_wrong_state(evidence):
    name = next(iter(evidence.accepted))
    evidence.accepted = {**evidence.accepted, name: "resolved" if evidence.accepted[name] == "firing" else "firing"}


def _an_event_counted_twice(evidence):
    evidence.counters["processed"] += 1


def _an_event_in_quarantine(evidence):
    evidence.counters["quarantined"] += 1
    evidence.counters["received"] += 1


def _a_tally_one_too_high(evidence):
    one = next(iter(evidence.incidents.values()))
    one.tally["firing"] = one.tally.get("firing", 0) + 1


def _a_second_incident_of_an_identity(evidence):
    evidence.incidents["INC-2026-9999"] = next(iter(evidence.incidents.values()))


def _an_incident_counted_twice(evidence):
    evidence.declared += 1


def _an_entry_written_twice(evidence):
    next(iter(evidence.incidents.values())).kinds.append("incident_declared")


def _a_page_missing(evidence):
    missing = evidence.pages[0]["incident"]["id"]
    evidence.pages = [page for page in evidence.pages if page["incident"]["id"] != missing]


def _a_page_doubled_and_not_marked(evidence):
    evidence.pages.append(evidence.pages[0] | {"repeat": False})


def _a_repeat_under_another_name(evidence):
    evidence.pages.append(evidence.pages[0] | {"repeat": True, "dedup_key": "another"})


DAMAGES = (
    _an_alert_lost,
    _an_alert_in_the_wrong_state,
    _an_event_counted_twice,
    _an_event_in_quarantine,
    _a_tally_one_too_high,
    _a_second_incident_of_an_identity,
    _an_incident_counted_twice,
    _an_entry_written_twice,
    _a_page_missing,
    _a_page_doubled_and_not_marked,
    _a_repeat_under_another_name,
)


def _check_that_the_checks_can_fail(evidence: Evidence) -> None:
    for damage in DAMAGES:
        damaged = copy.deepcopy(evidence)
        damage(damaged)
        assert faults(damaged), f"nobody noticed {damage.__name__}"
