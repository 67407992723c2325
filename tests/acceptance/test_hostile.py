"""Whoever means harm gets nothing from the real programs: no code is run, no secret kept, no other's alert touched."""

import contextlib
import json
import os
import pickle
import re
import socket
import tempfile
from pathlib import Path

import pytest
import requests
from installation import ADMIN_TOKEN, SOURCE_TOKEN, Installation, firing, notification, resolved
from page_sink import PageSink
from programs import Programs, eventually

from incidents.queues import DECIDE_QUEUE, PAGES_QUEUE

pytestmark = pytest.mark.acceptance

OTHER_TOKEN = "other-token-of-the-acceptance-tests"
VIEWER_TOKEN = "viewer-token-of-the-acceptance-tests"
AUTHORIZED = f"Authorization: Bearer {SOURCE_TOKEN}\r\n".encode()
REFUSED_JOB = "job tocsin-"  # RQ tells of what it could not run with a traceback
EXTRA = """
external_url: https://tocsin.example.org
"""


@pytest.fixture(scope="module")
def running():
    """One `tocsin serve` with two sources and a viewer for all of them."""
    sink = PageSink()
    with tempfile.TemporaryDirectory(prefix="tocsin-") as directory:
        programs = Programs(Path(directory))
        try:
            installation = Installation(programs, sink.url)
            text = installation.config.read_text()
            source = f'- {{name: other, kind: alertmanager, token: "{OTHER_TOKEN}"}}\napi_tokens:'
            viewer = f'\n- {{name: val, role: viewer, token: "{VIEWER_TOKEN}"}}{EXTRA}'
            installation.config.write_text(text.replace("api_tokens:", source).rstrip() + viewer)
            serving = installation.serve()
            yield installation, sink, serving
            serving.stop()
            said = serving.program.text()
            assert not [line for line in said.splitlines() if "Traceback" in line and REFUSED_JOB not in line]
            assert SOURCE_TOKEN not in said
            assert ADMIN_TOKEN not in said
        finally:
            programs.end()
            sink.close()


@pytest.fixture
def tocsin(running) -> Installation:
    return running[0]


def bodies(sink: PageSink) -> list[str]:
    """Every page that came, as text."""
    return [received.body.decode() for received in sink.received]


def spoken(tocsin: Installation, raw: bytes) -> bytes:
    """Say something to the port and return what comes back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", tocsin.port), timeout=60) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):  # it may cut us off; that it leaves us waiting is a failure
            while more := connection.recv(65536):
                answer += more
    return answer


class Evil:
    """What a pickle would run."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self):
        return os.system, (f"touch {self.proof}",)


@pytest.mark.parametrize("queue", [DECIDE_QUEUE, PAGES_QUEUE])
def test_hostile_job_in_a_queue_runs_nothing(running, tmp_path, queue):
    """Neither pickled code, nor a function that a job or a callback names, is run; the worker goes on with its work."""
    tocsin, _, serving = running
    proof = tmp_path / "proof"
    named = json.dumps(["os.system", None, [f"touch {proof}"], {}]).encode()
    ours = json.dumps(["workers.jobs.nothing", None, [], {}]).encode()
    link = tocsin.link()
    for name, data in {"pickled": pickle.dumps(Evil(proof)), "odd": b"\xff", "named": named, "callback": ours}.items():
        fields = {
            "data": data,
            "created_at": "2026-01-05T09:00:00.000000Z",
            "origin": queue,
            "status": "queued",
            "timeout": "60",
            "failure_callback_name": "antigravity.geohash",
            "success_callback_name": "antigravity.geohash",
        }
        link.one("HSET", f"rq:job:{queue}-{name}", *(part for pair in fields.items() for part in pair))
        link.one("RPUSH", f"rq:queue:{queue}", f"{queue}-{name}")
    if queue == PAGES_QUEUE:
        # The worker's own job lingers for half a minute before it looks at the queue again: a new one looks at once.
        serving.new_child("pages", serving.kill_child("pages"))
    tocsin.post(firing(service=f"after-{queue}"))
    eventually(lambda: any(f"after-{queue}" in each["title"] for each in tocsin.incidents()), what="an incident")
    eventually(lambda: not link.one("LLEN", f"rq:queue:{queue}"), timeout=60, what="an empty queue")
    assert not proof.exists()
    link.drop()


SECRETS = (
    "hunter2-in-label",
    "hunter2-in-text",
    "s3cret-in-address",
    "abcdef-in-header",
    "hunter2-in-bad-alert",
    "hunter2-in-action",
)


def test_hostile_secrets_in_alerts_are_kept_nowhere(running):
    """Neither the API, the timeline, the page, the quarantine, the metrics, the log nor the store holds them."""
    tocsin, sink, serving = running
    alert = firing(service="leaky", db_password=SECRETS[0])
    alert["annotations"] = {
        "summary": f"login with password={SECRETS[1]} fails",
        "description": f"curl -H 'Authorization: Bearer {SECRETS[3]}' https://joe:{SECRETS[2]}@db.example/",
    }
    bad = {"status": "burning", "labels": {"alertname": "Odd"}, "annotations": {"api_key": SECRETS[4]}}
    assert tocsin.post(alert, bad).json()["quarantined"] == 1
    incident = eventually(
        lambda: [each for each in tocsin.incidents() if "login" in each["title"]], what="an incident"
    )[0]
    assert incident["title"] == "login with password=[redacted] fails"
    action = {"kind": "restart", "service": "leaky", "text": f"with --password {SECRETS[5]}"}
    assert tocsin.api("POST", "/actions", action).status_code == 202
    eventually(lambda: tocsin.timeline(incident["id"], "corrective_action"), what="the action")
    eventually(lambda: any("login with password=" in each for each in bodies(sink)), what="a page")
    shown = json.dumps([tocsin.get("/alerts?limit=200"), tocsin.timeline(incident["id"]), tocsin.get("/quarantine")])
    shown += tocsin.exposition() + serving.program.text() + repr(bodies(sink))
    link = tocsin.link()
    for name in link.one("KEYS", "tocsin:*"):
        shown += link.one("DUMP", name).decode("latin-1")
    link.drop()
    aof = b"".join(path.read_bytes() for path in tocsin.directory.rglob("*.aof")).decode("latin-1")
    for secret in SECRETS:
        assert secret not in shown, secret
        assert secret not in aof, secret


def test_hostile_resolve_of_another_source_changes_nothing(tocsin):
    """Each source has its own alerts: one's end is not the other's, though labels and fingerprint are the same."""
    alert = firing(service="two-sources", fingerprint="00000000000000aa")
    tocsin.post(alert)
    incident = eventually(
        lambda: [each for each in tocsin.incidents() if "two-sources" in each["title"]], what="an incident"
    )[0]
    forged = json.dumps(notification([resolved(alert) | {"source": "am"}])).encode()
    assert tocsin.post_body(forged, token=OTHER_TOKEN).status_code == 202
    tocsin.settled()
    after = tocsin.get(f"/incidents/{incident['id']}")
    assert after["alerts"] == {"firing": 1, "resolved": 0}
    states = {each["source"]: each["status"] for each in tocsin.get(f"/alerts?incident={incident['id']}")["alerts"]}
    assert states == {"am": "firing"}


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (
            b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\n"
            + AUTHORIZED
            + b"X-Long: "
            + b"a" * 200_000
            + b"\r\n\r\n",
            b"431",
        ),
        (
            b"GET /api/v1/incidents?"
            + b"&".join(b"status=open" for _ in range(3000))
            + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
            + ADMIN_TOKEN.encode()
            + b"\r\nConnection: close\r\n\r\n",
            b"[24]",
        ),
        (
            b"GET /api/v1/incidents?"
            + b"&".join(b"p%d=1" % n for n in range(5000))
            + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
            + ADMIN_TOKEN.encode()
            + b"\r\nConnection: close\r\n\r\n",
            b"4",
        ),
        (b"GET http://evil.example/-/healthy HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", b"[24]"),
        (
            b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\n"
            + AUTHORIZED
            + b"Content-Length: 4\r\nContent-Length: 40\r\n\r\nabcd",
            b"4",
        ),
        (
            b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\n"
            + AUTHORIZED
            + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            b"4",
        ),
        (
            b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\n"
            + AUTHORIZED
            + b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            b"4",
        ),
    ],
)
def test_hostile_requests_are_refused_and_smuggle_nothing(tocsin, raw, wanted):
    """Long heads, thousands of parameters and lengths that contradict each other: 4xx, and the port lives on."""
    answer = spoken(tocsin, raw)
    assert re.match(rb"HTTP/1\.1 " + wanted, answer) or not answer, answer[:300]
    assert b"Traceback" not in answer
    assert tocsin.is_ready()


def test_hostile_body_holds_no_second_request(tocsin):
    """With a length and chunks at once, what follows is never taken for a request of its own."""
    hidden = (
        b"POST /-/reload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        + ADMIN_TOKEN.encode()
        + b"\r\nContent-Length: 0\r\n\r\n"
    )
    body = b"0\r\n\r\n" + hidden
    head = b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\n" + AUTHORIZED
    answer = spoken(tocsin, head + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(body) + body)
    assert answer.count(b"HTTP/1.1") <= 1, answer
    assert b'"hash"' not in answer


def test_hostile_host_leads_no_link_astray(running):
    """Links are made from external_url, whatever the sender calls us."""
    tocsin, sink, _ = running
    headers = {"Authorization": f"Bearer {SOURCE_TOKEN}", "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    body = notification([firing(service="linked")])
    assert requests.post(tocsin.webhook, json=body, headers=headers, timeout=60).status_code == 202
    eventually(
        lambda: any("https://tocsin.example.org/incidents/" in each and "linked" in each for each in bodies(sink)),
        what="a page",
    )
    assert not any("evil.example" in each for each in bodies(sink))


def test_hostile_text_stays_on_its_line(running):
    """A line break and an override of direction in an alert make neither a second line of the log nor another title."""
    tocsin, _, serving = running
    alert = firing('Disk\r\n{"level": "info", "event": "forged"}\u202e', service="line")
    tocsin.post(alert)
    [incident] = eventually(
        lambda: [each for each in tocsin.incidents() if "forged" in each["title"]], what="an incident"
    )
    assert incident["title"].isprintable()
    assert not [
        line for line in serving.program.text().splitlines() if line.startswith('{"level": "info", "event": "forged"}')
    ]


def test_hostile_credentials_are_counted_in_the_audit_log(tocsin):
    """A thousand wrong tokens are one or two entries; what was changed in between is not pushed out."""
    declared = tocsin.api("POST", "/incidents", {"title": "Somebody tries tokens", "severity": "SEV3"})
    incident = declared.json()["id"]
    tocsin.act(incident, "notes", text="before")
    for number in range(300):
        # A new connection each, for the body of a stranger is not read: the server closes after its answer.
        headers = {"Authorization": f"Bearer wrong-{number}", "X-Forwarded-For": f"6.6.6.{number % 250}"}
        assert requests.post(tocsin.webhook, b"{}", headers=headers, timeout=60).status_code == 401
    assert tocsin.api("POST", f"/incidents/{incident}/notes", {"text": "x"}, token=VIEWER_TOKEN).status_code == 403
    assert tocsin.api("GET", "/audit", token=VIEWER_TOKEN).status_code == 403
    found = eventually(
        lambda: [each for each in tocsin.get("/audit")["entries"] if "refused" in each["outcome"]], what="refusals"
    )
    assert len(found) <= 4
    assert {each["address"] for each in found} == {"127.0.0.1"}
    changes = [each for each in tocsin.get("/audit?limit=200")["entries"] if each["target"] == incident]
    assert (changes[0]["actor"], changes[0]["action"]) == ("ops", "POST /incidents/{incident_id}/notes")
