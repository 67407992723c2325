"""What doctor makes of what the server says: a row for each thing that can be wrong, with its mend."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from tocsin.client import Client, Refused, Unreachable
from tocsin.commands.credentials import Known
from tocsin.commands.doctor import until_signs
from tocsin.commands.doctor_checks import State, checks_of, prometheus_checks, reach_check
from tocsin.commands.doctor_page import page_probe
from tocsin.commands.doctor_probe import payload, probe
from tocsin.commands.doctor_senders import refused_checks, source_checks

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
AT = "2026-01-05T09:00:00.000Z"
EARLIER = "2026-01-05T08:00:00.000Z"
HEALTHY = {
    "version": "0.1.0",
    "now": AT,
    "ready": True,
    "reasons": [],
    "store": {"up": True, "durable": True, "now": AT, "problems": []},
    "intake": {"received": 3, "processed": 3, "duplicate": 0, "quarantined": 0, "pending": 0, "lag_seconds": 0.0},
    "incidents_open": 0,
    "quarantine": 0,
    "journal": {"up": True, "lag": 0, "missed": 0, "error": "", "wrote_at": None},
    "workers": [{"queue": f"tocsin-{part}", "last_seen": AT} for part in ("decide", "pages", "facts")],
    "sources": [{"name": "am", "kind": "alertmanager", "last_heard": EARLIER}],
    "rules": {
        "hash": "abc",
        "reload": {"successful": True, "at": AT, "errors": []},
        "rules": 2,
        "people": 1,
        "channels": 0,
    },
    "probe": None,
}
ONCALL = {"incident_commander": {"person": "amira", "until": AT}}
NO_ALERTS = {"alerts": [], "next": None}


def examined(change=lambda status: None, *, oncall=ONCALL, own_now=NOW):
    status = copy.deepcopy(HEALTHY)
    change(status)
    checks = [*checks_of(status, oncall, own_now=own_now), *source_checks(status, NO_ALERTS)]
    return {check.name: check for check in checks}


def test_commands_doctor_finds_nothing_wrong():
    """A healthy status has no warning and no failure."""
    assert {check.state for check in examined().values()} == {State.OK}


WRONG = [
    (lambda status: status.update(ready=False, reasons=["no rules"]), "receiver", State.FAIL, "not ready: no rules"),
    (lambda status: status["store"].update(problems=["aof is off; set it"]), "store", State.FAIL, "aof is off"),
    (lambda status: status["store"].update(now="2026-01-05T09:00:10.000Z"), "clocks", State.WARN, "10.0 s apart"),
    (lambda status: status["store"].update(now=EARLIER), "clocks", State.FAIL, "3600.0 s apart"),
    (lambda status: status["workers"][0].update(last_seen=None), "worker decide", State.FAIL, "never"),
    (lambda status: status["workers"][1].update(last_seen=EARLIER), "worker pages", State.FAIL, "1h ago"),
    (
        lambda status: status["workers"][1].update(last_seen="2026-01-05T10:00:00.000Z"),
        "worker pages",
        State.FAIL,
        "its clock is 1h ahead",
    ),
    (lambda status: status["intake"].update(pending=9, lag_seconds=60.0), "intake", State.FAIL, "for 60 s"),
    (lambda status: status.update(quarantine=2), "quarantine", State.WARN, "2 events"),
    (lambda status: status["journal"].update(up=False, lag=7), "journal", State.WARN, "7 events wait"),
    (lambda status: status["journal"].update(error="No space left", missed=3), "journal", State.WARN, "missed 3"),
    (lambda status: status.update(rules=None), "rules", State.FAIL, "none are in force"),
    (
        lambda status: status["rules"].update(reload={"successful": False, "at": AT, "errors": ["a.yml:1:1: error"]}),
        "rules",
        State.FAIL,
        "a.yml:1:1: error",
    ),
    (lambda status: status["rules"].update(rules=0), "rules", State.WARN, "0 in force"),
    (lambda status: status["rules"].update(people=0), "people", State.FAIL, "nobody can be paged"),
    (lambda status: status["sources"][0].update(last_heard=None), "source am", State.WARN, "never heard"),
    (
        lambda status: status["sources"][0].update(last_heard="2026-01-03T09:00:00.000Z"),
        "source am",
        State.WARN,
        "2d ago",
    ),
]


@pytest.mark.parametrize(("change", "name", "state", "found"), WRONG)
def test_commands_doctor_names_what_is_wrong(change, name, state, found):
    """One thing is wrong: its check says so with a mend, and the others stay as they were."""
    checks = examined(change)
    assert (checks[name].state, found in checks[name].found) == (state, True), checks[name]
    assert checks[name].mend
    others = {check.state for other, check in checks.items() if other not in {name, "rules", "people"}}
    assert others == {State.OK}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("alertmanager", State.WARN),
        ("prometheus", State.WARN),
        ("pagerduty", State.OK),
        ("pagerduty_events", State.OK),
        ("grafana", State.OK),
        ("generic", State.OK),
    ],
)
def test_commands_doctor_knows_which_sources_may_be_quiet(kind, state):
    """Who sends the Watchdog always speaks, others only when something happens; unheard, each has its own mend."""
    checks = examined(lambda status: status["sources"][0].update(kind=kind, last_heard="2026-01-03T09:00:00.000Z"))
    assert checks["source am"].state is state
    checks = examined(lambda status: status["sources"][0].update(kind=kind, last_heard=None))
    assert checks["source am"].mend == f"paste what `tocsin connect {kind.replace('_', '-')} --source am` prints"


def alert_at(last_seen: str, **labels) -> dict:
    return {"source": "am", "last_seen": last_seen, "labels": {"alertname": "A"} | labels}


@pytest.mark.parametrize(
    ("alerts", "more", "state", "found"),
    [
        ([alert_at(EARLIER, tocsin_probe="1")], None, State.WARN, "was not heard of late, but for the synthetic"),
        ([alert_at(EARLIER, tocsin_probe="1")], "2", State.OK, "was not heard of late, but for the synthetic"),
        ([alert_at(EARLIER, tocsin_probe="1"), alert_at("2026-01-05T07:00:00.000Z")], None, State.OK, "2h ago"),
        ([alert_at("2026-01-05T07:00:00.000Z", tocsin_probe="1")], None, State.OK, "1h ago"),
        ([alert_at(EARLIER, tocsin_probe="1") | {"source": "other"}], None, State.OK, "1h ago"),
    ],
)
def test_commands_doctor_does_not_take_itself_for_the_sender(alerts, more, state, found):
    """What doctor sent with a source's token is no sign of that source; what cannot be told is no warning."""
    (check,) = source_checks(HEALTHY, {"alerts": alerts, "next": more})
    assert (check.state, found in check.found) == (state, True), check


def audited(at: str = EARLIER, action: str = "POST /webhooks/alertmanager", outcome: str = "refused 401") -> dict:
    return {"at": at, "action": action, "outcome": outcome, "address": "192.0.2.7"}


def test_commands_doctor_tells_of_senders_that_are_refused():
    """The latest of the last hour, with where it came from; a person's refusal is no sender's."""
    now = NOW - timedelta(minutes=30)
    (check,) = refused_checks({"entries": [audited(), audited("2026-01-05T07:59:00.000Z")]}, own_now=now)
    assert check.state is State.WARN
    assert "192.0.2.7 was refused 401 at POST /webhooks/alertmanager 30m ago" in check.found
    others = [audited(action="GET /api/v1/incidents"), audited(outcome="done"), audited("2026-01-04T07:00:00.000Z")]
    assert list(refused_checks({"entries": others}, own_now=now)) == []


def test_commands_doctor_without_a_store_asks_no_further():
    """What only the store knows is not guessed at."""
    status = HEALTHY | {"store": HEALTHY["store"] | {"up": False, "problems": ["gone"]}}
    checks = list(checks_of(status, ONCALL, own_now=NOW))
    assert [check.name for check in checks] == ["receiver", "store"]
    assert checks[1].state is State.FAIL


def test_commands_doctor_misses_the_commander():
    """Somebody can be paged, and yet nobody would be."""
    checks = examined(oncall={"incident_commander": {"person": None, "until": None}})
    assert checks["people"].state is State.FAIL


def test_commands_doctor_looks_at_its_own_clock():
    """The host that asks may be the one that is wrong."""
    assert examined(own_now=NOW + timedelta(minutes=5))["clocks"].state is State.FAIL


class Starting:
    """A server whose workers give signs from a certain answer on."""

    def __init__(self, answers: int) -> None:
        self.left = answers

    def get(self, path):
        self.left -= 1
        return HEALTHY if self.left <= 0 else STARTING


STARTING = HEALTHY | {"workers": [{"queue": "tocsin-decide", "last_seen": None}]}
UNWRITTEN = HEALTHY | {"journal": HEALTHY["journal"] | {"up": False}}
AWAY = STARTING | {"store": {"up": False, "problems": ["gone"]}}


@pytest.mark.parametrize("first", [STARTING, UNWRITTEN], ids=["workers", "journal"])
def test_commands_doctor_waits_for_what_was_just_started(first):
    """The receiver answers before the workers do: they have a moment to come to work."""
    assert until_signs(Starting(answers=1), first, 60) == HEALTHY


def test_commands_doctor_waits_no_longer_than_it_may():
    """A worker that gives no sign in time is one that is missing."""
    assert until_signs(Starting(answers=1000), STARTING, 0.01) == STARTING
    assert until_signs(Starting(answers=1), AWAY, 60) == AWAY


def test_commands_doctor_sends_nothing_without_a_token():
    """A source whose token is known by its digest alone cannot be tried; that is said."""
    api = Client("http://127.0.0.1:1", "x")
    check = probe(api.server, api, [Known("am", "", None)])
    assert (check.state, "am is known by its digest alone" in check.found) == (State.WARN, True)


def test_commands_doctor_probe_ends_again():
    """The alert that ends the probe is the one that began it, and says nothing but that."""
    began, ended = (payload("abc", NOW, is_firing=firing)["alerts"][0] for firing in (True, False))
    assert (
        began["labels"]
        == ended["labels"]
        == {
            "alertname": "TocsinProbe",
            "severity": "none",
            "tocsin_probe": "abc",
        }
    )
    assert began["fingerprint"] == ended["fingerprint"]
    assert (began["status"], ended["status"], ended["endsAt"]) == ("firing", "resolved", AT)


def slo_answer(name: str, **changes) -> dict:
    return {"id": name, "burn_rate": 0.4, "budget_remaining": 0.9, "at": EARLIER, "why": ""} | changes


UNKNOWN = slo_answer("b", burn_rate=None, at=None, why="Prometheus did not answer: connection refused")


@pytest.mark.parametrize(
    ("slos", "states"),
    [
        ([], []),
        ([slo_answer("a")], [State.OK]),
        ([slo_answer("a"), UNKNOWN], [State.WARN]),
        ([UNKNOWN], [State.FAIL]),
        ([slo_answer("a"), slo_answer("b", why="connection refused")], [State.WARN]),
    ],
)
def test_commands_doctor_says_whether_prometheus_answers(slos, states):
    """Nothing without SLOs; else well, in part or not at all, with the reason."""
    found = list(prometheus_checks({"slos": slos}, own_now=NOW))
    assert [check.state for check in found] == states
    assert all("connection refused" in check.found for check in found if check.state is not State.OK)


def test_doctor_warns_of_who_cannot_be_reached():
    """Each with why, ten at most; nothing to say where everybody is reached."""
    assert reach_check({"unreachable": []}).state is State.OK
    listed = [{"what": "person", "name": f"p{number}", "why": "has no channel"} for number in range(12)]
    check = reach_check({"unreachable": listed})
    assert check.state is State.WARN
    assert check.found.splitlines()[0] == "person p0: has no channel"
    assert check.found.splitlines()[-1] == "and 2 more"


class Pager:
    """A server that sends a test page to amira, who commands; `ends` is how it stands when it is asked again."""

    def __init__(self, **ends) -> None:
        self.ends = {"delivered_at": None, "failed": "", "over": False, "channel": ""} | ends
        self.asked = []

    def get(self, path):
        return ONCALL if path == "/oncall" else self.ends | {"id": "TEST-1"}

    def post(self, path):
        self.asked.append(path)
        return {"id": "TEST-1", "over": False, "delivered_at": None, "failed": ""}


def test_commands_doctor_follows_its_test_page():
    """Taken, given up, or not taken in time: it goes to the commander where nobody else is named."""
    api = Pager(over=True, delivered_at=AT, channel="amira/1")
    taken = page_probe(api, None, wait=60)
    assert (taken.state, taken.found.startswith("amira/1 took it for amira after")) == (State.OK, True)
    given_up = page_probe(Pager(over=True, failed="404 Not Found"), "bo", wait=60)
    assert (given_up.state, given_up.found) == (State.FAIL, "did not reach bo: 404 Not Found")
    late = page_probe(Pager(), "bo", wait=0.01)
    assert (late.state, "no channel has taken it" in late.found) == (State.FAIL, True)
    assert api.asked == ["/people/amira/page_tests"]


class Refusing(Pager):
    """A server that does not send it."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.error = Refused(status, {"detail": "no"}) if status else Unreachable("gone")

    def post(self, path):
        raise self.error


@pytest.mark.parametrize(
    ("status", "state"), [(403, State.WARN), (404, State.FAIL), (409, State.FAIL), (0, State.FAIL)]
)
def test_commands_doctor_says_why_it_sent_no_test_page(status, state):
    """A token that may only read is no fault; a person without a channel is, and so is a server that cannot."""
    check = page_probe(Refusing(status), "bo", wait=60)
    assert (check.state, "not sent" in check.found, bool(check.mend)) == (state, True, True)
