"""Asking Prometheus: answers and their reasons, and how little it costs where it is away."""

import http.server
import json
import socket
import threading
from datetime import timedelta

import pytest
from builders import NOW, rule_set
from programs import eventually
from stage import Stage

from incidents import events, keys
from incidents.facts import fact_id
from incidents.store.facts import FactStore
from incidents.store.incidents import Incidents
from incidents.store.reads import Reads
from incidents.timeline import EntryKind
from workers.asking import AT_ONCE, Asking
from workers.prometheus import Prometheus, read_answer

RULES = """
slos:
- {id: checkout, service: checkout, objective: 99.9, window: 30d, error_ratio: 'avg_over_time(r[$window])'}
"""
VECTOR = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "0.02"]}]}}


def body(kind: str, result: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


@pytest.mark.parametrize(
    ("status", "told", "value", "why", "answered"),
    [
        (200, json.dumps(VECTOR).encode(), 0.02, "", True),
        (200, body("scalar", [0, "3"]), 3.0, "", True),
        (200, body("vector", []), None, "Prometheus gave no data", True),
        (200, body("vector", [{"value": [0, "NaN"]}]), None, "Prometheus gave NaN, as of 0 divided by 0", True),
        (200, body("vector", [{"value": [0, "+Inf"]}]), None, "Prometheus gave an infinite number", True),
        (200, body("vector", [{}, {}]), None, "Prometheus gave 2 series, not one", True),
        (200, body("vector", [{"histogram": []}]), None, "Prometheus gave no number", True),
        (200, body("vector", [7]), None, "Prometheus gave no number", True),
        (200, body("matrix", []), None, "Prometheus gave no number", True),
        (200, body("string", [0, "x"]), None, "Prometheus gave no number", True),
        (200, b"<html>", None, "the answer of Prometheus cannot be read", False),
        (200, b"[]", None, "the answer of Prometheus cannot be read", False),
        (200, b"[" * 100_000, None, "the answer of Prometheus cannot be read", False),
        (400, b'{"error": "parse\\nerror"}', None, "Prometheus refuses the query: parse error", True),
        (422, b'{"error": "too many samples"}', None, "Prometheus refuses the query: too many samples", True),
        (503, b'{"error": "query timed out"}', None, "Prometheus did not answer: query timed out", False),
        (502, b"bad gateway", None, "Prometheus did not answer: status 502", False),
        (302, b"", None, "Prometheus did not answer: status 302", False),
    ],
)
def test_answer_is_a_number_or_a_named_reason(status, told, value, why, answered):
    """Whatever comes back, it is one of the two."""
    assert read_answer(status, told) == (value, why, answered)


class Upstream(http.server.ThreadingHTTPServer):
    """Answers every query with what the test says."""

    def __init__(self) -> None:
        self.answer, self.status = VECTOR, 200
        self.asked: list[str] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                told = json.dumps(server.answer).encode()
                self.send_response(server.status)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def stage(store_url, links) -> Stage:
    return Stage(store_url, links, rule_set(RULES))


def asking(stage: Stage, url: str, least: float = 30.0, answer_seconds: float = 30.0) -> Asking:
    return Asking(
        prometheus=lambda: Prometheus(url, "token", answer_seconds),
        rule_set=lambda: stage.rules,
        store=FactStore(stage.links),
        intake=stage.intake,
        least=timedelta(seconds=least),
        now=lambda: stage.now,
    )


def step_until(one: Asking, condition) -> None:
    eventually(lambda: condition() or one.step(), what="what its steps come to")


def known(stage: Stage) -> dict:
    stage.decide()
    return FactStore(stage.links).known()


def test_answers_enter_the_stream_and_declare(stage, upstream):
    """Every window is asked once, kept as a fact, counted as an event, and the SLO is held against its rule."""
    one = asking(stage, upstream.url)
    step_until(one, lambda: len(upstream.asked) == 8 and not one._under_way)
    facts = known(stage)
    assert facts[fact_id("avg_over_time(r[1h])")].value == 0.02
    assert facts[fact_id("avg_over_time(r[1h])")].at == NOW
    assert [(incident.severity, incident.slos) for incident in stage.incidents()] == [("SEV2", ("checkout",))]
    received, settled = stage.balance()
    assert received == settled == 8
    one.step()
    assert len(upstream.asked) == 8


def test_wanted_questions_are_asked_until_nobody_wants_them(stage, upstream):
    """What a rule looked for is asked, and forgotten an hour after the last time."""
    stage.link.one("ZADD", keys.facts_wanted(), int((NOW + timedelta(hours=1)).timestamp() * 1000), 'up{a="b"}')
    one = asking(stage, upstream.url)
    step_until(one, lambda: any("up%7Ba" in asked for asked in upstream.asked))
    stage.now += timedelta(hours=2)
    assert FactStore(stage.links).wanted(stage.now) == []


@pytest.fixture
def hole():
    """The address of a server that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_black_hole_holds_up_no_step(stage, hole):
    """Steps end while every question that may be asked at once still waits, and will for a minute."""
    one = asking(stage, hole, answer_seconds=60.0)
    for _ in range(3):
        one.step()
        assert len(one._under_way) == AT_ONCE


def test_black_hole_costs_one_question_at_a_time(stage, hole):
    """The reason is told once for each question; one keeps finding out."""
    one = asking(stage, hole, least=0.1, answer_seconds=0.2)
    step_until(one, lambda: stage.balance()[0] >= 8)
    step_until(one, lambda: not one._under_way)
    failures, under_way = one._failures, [0]
    step_until(one, lambda: under_way.append(len(one._under_way)) or one._failures > failures)
    assert max(under_way) == 1
    assert {fact.why for fact in known(stage).values()} == {"Prometheus did not answer: nothing came in time"}
    assert stage.balance()[0] == 8
    assert stage.incidents() == []


def test_prometheus_that_is_back_is_asked_everything_at_once(stage, upstream):
    """What was not asked while it was away need not wait for its turn."""
    upstream.status, upstream.answer = 502, {}
    one = asking(stage, upstream.url, least=0.1)
    step_until(one, lambda: bool(one._away))
    upstream.status, upstream.answer = 200, VECTOR
    step_until(one, lambda: sum(fact.value is not None for fact in known(stage).values()) == 8)
    assert one._away == ""


def test_what_an_incident_burnt_is_asked_as_of_its_end(stage, upstream):
    """Over the time that it was open; the answer ends the waiting."""
    one = asking(stage, upstream.url)
    step_until(one, lambda: len(upstream.asked) == 8 and not one._under_way)
    stage.decide()
    upstream.answer = {"status": "success", "data": {"resultType": "scalar", "result": [0, "0"]}}
    stage.now += timedelta(minutes=30)
    people = Incidents(stage.links, lambda _: stage.rules.oncall)
    people.apply(stage.incidents()[0].id, events.Resolve(actor="bo", override="over"), now=stage.now)
    stage.now += timedelta(minutes=1)
    upstream.asked.clear()
    one._refresh_at = 0.0
    step_until(one, lambda: any("time=" in asked for asked in upstream.asked) and not one._under_way)
    one.step()
    stage.decide()
    (incident,) = stage.incidents()
    assert [(burnt.slo, burnt.minutes) for burnt in incident.burnt] == [("checkout", 0.0)]
    assert stage.link.one("SMEMBERS", keys.facts_awaited()) == set() or not stage.link.one(
        "SCARD", keys.facts_awaited()
    )


def reload(stage: Stage, rules: str) -> None:
    stage.rules = rule_set(rules)
    stage.link.one("SET", keys.rules_current(), stage.rules.hash)


def test_alert_of_an_slo_that_is_removed_is_resolved(stage, upstream):
    """Once, with an entry on the timeline; that of an SLO that stays burns on."""
    reload(stage, RULES + RULES.partition("slos:\n")[2].replace("checkout", "search"))
    one = asking(stage, upstream.url)
    step_until(one, lambda: len(upstream.asked) == 8 and not one._under_way)
    stage.decide()
    burning = {incident.slos[0]: incident.id for incident in stage.incidents()}
    assert set(burning) == {"checkout", "search"}
    reload(stage, RULES)
    for _ in range(2):
        asking(stage, upstream.url)._refresh()
        stage.decide()
        states = {each.labels["slo"]: each.status for each in FactStore(stage.links).alerts_of("tocsin")}
        assert states == {"checkout": "firing", "search": "resolved"}
    for slo, count in (("checkout", 0), ("search", 1)):
        entries = Reads(stage.links).timeline(burning[slo], kinds=frozenset({EntryKind.ALERT_RESOLVED})).entries
        assert len(entries) == count
